/** What the client over TCP reads in texts: questions after the name, and notices that have run into one another. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { asksForName, cutPresence } from "../../../client/lines/heard_text.ts";

Deno.test("heard text: questions after the name, with or without a line feed", () => {
  for (
    const text of [
      ...["NICK", "nick :", "NICK? ", "NAME", "Username", "login:", "Username> ", "What is your name?", "Nickname:"],
      ...["Enter your name: ", "> Enter your handle:", "*** Please enter a user name: ", "Dein Name?", "user_name:"],
      "Welcome to the multi-threaded chat server of the course on networks! Please type your nickname: ",
    ]
  ) {
    for (const hasEnd of [true, false]) assertEquals(asksForName(text, hasEnd), true, text);
  }
});

Deno.test("heard text: without a colon and a question mark it is a question only where no line feed stands", () => {
  for (const text of ["Enter your name", "Please choose a nickname, then press Enter", "Your login"]) {
    assertEquals([asksForName(text, false), asksForName(text, true)], [true, false], text);
  }
});

Deno.test("heard text: what is no question after the name", () => {
  for (
    const text of [
      ...["", "hello", "Welcome!", "Rename it?", "names:", "How are you?", "Your name is Guest7", "Login successful"],
      ...["Use /name to choose a name", "Password for login:", "Enter room name:", "Enter the name of the room:"],
      ...["<From 127.0.0.1:9>: your name?", "[Bob] your name?", "Bob: your name?", "Bob> your name?", "(Bob) NICK?"],
      "Enter your name".padEnd(121, "."),
    ]
  ) {
    for (const hasEnd of [true, false]) assertEquals(asksForName(text, hasEnd), false, text);
  }
});

Deno.test("heard text: it is cut behind notices at its beginning only", () => {
  const online = "[127.0.0.1:5] is Online", named = "[[::1]:65535 Bob] is Offline", said = "<From 127.0.0.1:5>: hello";
  for (const texts of [[online], [said], [online, said], [online, named], [named, online, online, said]]) {
    assertEquals(cutPresence(texts.join("")), texts);
  }
  for (
    const text of [
      said + online,
      said + said,
      `${online} and ${said}`,
      `[x] is Online${said}`,
      `[1.2.3.4:5] is on${said}`,
    ]
  ) {
    assertEquals(cutPresence(text), [text]);
  }
});

Deno.test("heard text: any text is read, and nothing of it is lost", () => {
  const part = fc.oneof(
    fc.string(),
    fc.constantFrom("[127.0.0.1:5] is Online", "<From 1.2.3.4:5>: x", "name", ":", " "),
  );
  fc.assert(fc.property(fc.array(part), (parts) => {
    asksForName(parts.join(""), false);
    assertEquals(cutPresence(parts.join("")).join(""), parts.join(""));
  }));
});
