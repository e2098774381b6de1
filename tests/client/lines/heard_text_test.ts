/** What the client over TCP reads in texts: questions after the name. */
import { assertEquals } from "@std/assert";
import { asksForName } from "../../../client/lines/heard_text.ts";

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
