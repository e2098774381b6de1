/** What a typed line means over TCP. */
import { assertEquals } from "@std/assert";
import { completeTypedLine, givesName, HELP_TEXT, readTypedLine, tellsName } from "../../../client/lines/typed_line.ts";

Deno.test("typed line: only help and leaving are the client's, all else goes to the server as it is", () => {
  for (const text of ["hello", " /name Alice", "//x", "/list", "quit now", "Quit", "help", "/quitter", " a ", "/?"]) {
    assertEquals(readTypedLine(text), { kind: "text", text });
  }
  for (const help of ["/help", " /HELP "]) assertEquals(readTypedLine(help), { kind: "help" });
  for (const quit of ["/quit", "/exit", "/q", " /Quit"]) assertEquals(readTypedLine(quit), { kind: "quit" });
  assertEquals(readTypedLine(" quit "), { kind: "quit", text: "quit" });
  for (const blank of ["", "  ", "\t"]) assertEquals(readTypedLine(blank), undefined);
});

Deno.test("typed line: help tells what is the client's", () => {
  for (const word of ["/help", "/?", "/quit", "/exit", "/q", "quit", "Ctrl-C", "Ctrl-D", "/"]) {
    assertEquals(HELP_TEXT.includes(word), true, word);
  }
});

Deno.test("typed line: which lines tell the server a name", () => {
  for (const line of ["Alice", " /name Alice ", "/nick  Alice", "NICK Alice", "SIGN-IN Alice"]) {
    assertEquals(givesName(line, "Alice"), true, line);
  }
  for (
    const line of ["", "hello", "hello Alice", "/name Bob", "/name", "/send Alice hi", "Alice here", "/name Alice B"]
  ) {
    assertEquals(givesName(line, "Alice"), false, line);
  }
});

Deno.test("typed line: which lines tell the server some name", () => {
  for (const line of ["/name Alice ", "/nick  Alice", "NICK Alice", "SIGN-IN Zoë"]) {
    assertEquals(tellsName(line), true, line);
  }
  for (const line of ["", "Alice", "/name", "/name ", "/send Alice hi", "nick Alice", "/name A B", "/me waves"]) {
    assertEquals(tellsName(line), false, line);
  }
});

Deno.test("typed line: Tab completes what is the client's", () => {
  assertEquals(completeTypedLine("/h"), [["/help"], "/h"]);
  assertEquals(completeTypedLine("/"), [["/help", "/quit"], "/"]);
  assertEquals(completeTypedLine("hello /h"), [[], "hello /h"]);
});
