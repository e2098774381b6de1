/** Lines of a classic server that begin like lines of our own programs. */
import { assertEquals } from "@std/assert";
import { markRawLine } from "../../../client/session/raw_line.ts";
import { FakeSession } from "../../support/fake_session.ts";

Deno.test("raw lines: what begins like a line of this client, or of a server of version 1, gets a mark", () => {
  const lines = [
    "[Server] Go home",
    "[SERVER]: Go home",
    "  [ server ] Go home",
    "\u00a0\u2003\u2800[Server] Go home",
    "12:04 [Server] Go home",
    "[\u0405erver] Go home",
    "\uff3bServer\uff3d Go home",
    "\u3014Server\u3015 Go home",
    "-- You are an operator here",
    "\u2011\u2011 You are an operator here",
    "--",
    "!! The server has told you to go",
    "\uff01! The server has told you to go",
    "\u01c3\u01c3 The server has told you to go",
    "<- <From 10.0.0.1:1:Alice>: only for you",
    "\u2039- <From 10.0.0.1:1:Alice>: only for you",
    "11:01 <- <From 10.0.0.1:1:Alice>: only for you",
    "+> /register",
    "name> ",
    "Password for Alice: ",
    "New password for Alice: ",
    "P\u0430ssword for Alice: ",
    "Again: ",
    "| the rest of what Alice has said",
  ];
  for (const line of lines) assertEquals(markRawLine(line), `> ${line}`);
});

Deno.test("raw lines: what classic servers and the people behind them write stays as it is", () => {
  const lines = [
    "<From 127.0.0.1:52207>: hello",
    "<From 127.0.0.1:52207:Server>: [Server] Go home",
    "[127.0.0.1:52207] hello",
    "[127.0.0.1:52207 Bob] is Online",
    "127.0.0.1:52207: -- hello",
    "(Bob) !! hello",
    "* Bob waves",
    "--- Welcome ---",
    "<--- here",
    "!!! sale",
    "- a list",
    "! important",
    "Signed In Users: Alice",
    "Unknown command",
    "servers are down",
    "hello [Server]",
    "12:04 hello",
    "+1",
    "",
    " ",
  ];
  for (const line of lines) assertEquals(markRawLine(line), line);
});

Deno.test("raw lines: a session shows them so, those too that came before it knew its server", () => {
  const fake = new FakeSession();
  fake.start();
  fake.pass(6000);
  fake.datagram("INCOMING [Server] Go home");
  fake.datagram("INCOMING <From 1.2.3.4:5>: [Server] Go home");
  fake.pass(3000);
  assertEquals(fake.session.state, "classic");
  fake.datagram("-- You are Bob\x1b[2J");
  assertEquals(fake.shown.flatMap((shown) => shown.kind === "line" ? [shown.line] : []), [
    "> [Server] Go home",
    "<From 1.2.3.4:5>: [Server] Go home",
    "> -- You are Bob?[2J",
  ]);
});
