/** What a line of a connection asks for. */
import { assertEquals, assertLess } from "@std/assert";
import { lineHelp, readLine } from "../../../server/room/line_commands.ts";

const LINES: (readonly [line: string, hasName: boolean, request: ReturnType<typeof readLine>])[] = [
  ["hello", false, { do: "say", text: "hello" }],
  ["  hello  there ", false, { do: "say", text: "  hello  there " }],
  ["/me waves  back", false, { do: "say", text: "waves  back", action: true }],
  ["//quit", false, { do: "say", text: "/quit" }],
  ...["quit", "QUIT", " exit ", "/quit", "/Exit", "/q"].map((line) => [line, false, { do: "leave" }] as const),
  ["quit it", false, { do: "say", text: "quit it" }],
  ["/quit now", false, { do: "explain", text: "/quit takes nothing" }],
  ...["/help", "/?", "help", " Help ", "?"].map((line) => [line, false, { do: "help" }] as const),
  ["help me", false, { do: "say", text: "help me" }],
  ["??", false, { do: "say", text: "??" }],
  ...["MESSAGE hello", "MESSAGE:hello", "MESSAGE: hello"].map((line) =>
    [line, false, { do: "say", text: "hello" }] as const
  ),
  ["MESSAGE   /quit", false, { do: "say", text: "  /quit" }],
  ...["MESSAGE", "MESSAGE: ", "MESSAGES come", "message hello", "MESSAGEhello"].map((line) =>
    [line, false, { do: "say", text: line }] as const
  ),
  ...["/list", "/NAMES", "/who"].map((line) => [line, false, { do: "list" }] as const),
  ["list", true, { do: "list" }],
  ["list", false, { do: "say", text: "list" }],
  ["LIST", false, { do: "list" }],
  ["list of things", true, { do: "say", text: "list of things" }],
  ["/name Zo\u00eb", false, { do: "sign in", name: "Zo\u00eb" }],
  ["sign-in Alice", false, { do: "sign in", name: "Alice" }],
  ["SIGN-IN sheets are here", false, { do: "say", text: "SIGN-IN sheets are here" }],
  ["/name", false, { do: "explain", text: "/name takes NAME" }],
  ["/whois Bob", false, { do: "look up", who: "Bob" }],
  ["/send Bob  how are you? ", false, { do: "send", who: "Bob", text: "how are you?" }],
  ["/MSG 10.0.0.7:9 hi", false, { do: "send", who: "10.0.0.7:9", text: "hi" }],
  ["send Bob hi", true, { do: "send", who: "Bob", text: "hi" }],
  ["/reply  I am  here ", false, { do: "reply", text: "I am  here" }],
  ["/R hi", false, { do: "reply", text: "hi" }],
  ["/reply", false, { do: "explain", text: "/reply takes TEXT" }],
  ["reply hi", true, { do: "say", text: "reply hi" }],
  ["send Bob hi", false, { do: "say", text: "send Bob hi" }],
  ["send Bob", true, { do: "explain", text: "/send takes NAME TEXT" }],
  ["/nick Bob", false, { do: "sign in", name: "Bob" }],
  ["/nick", false, { do: "explain", text: "/nick takes NAME" }],
  ["/register", true, { do: "explain", text: "/register works only with the udp-chat client" }],
  ["/hug Bob", false, { do: "explain", text: "There is no command /hug: /help lists them. To say it, type //hug" }],
  ["/", false, { do: "explain", text: "There is no command /: /help lists them. To say it, type //" }],
  ["GREETING", false, { do: "explain", text: "You are in already; what you type is said to everyone" }],
  ["", false, { do: "say", text: "" }],
];

for (const [line, hasName, request] of LINES) {
  Deno.test(`line commands: ${JSON.stringify(line)}${hasName ? " with a name" : ""}`, () => {
    assertEquals(readLine(line, hasName), request);
  });
}

Deno.test("line commands: white space in the middle of a long line takes no time", () => {
  const line = `x y${" ".repeat(4080)}z`, begin = performance.now();
  for (let i = 0; i < 300; i++) assertEquals(readLine(line, true), { do: "say", text: line });
  assertLess(performance.now() - begin, 1000);
});

Deno.test("line commands: help has one column, whatever the server takes", () => {
  for (const isRelaying of [true, false]) {
    for (const takesPasswords of [true, false]) {
      const lines = lineHelp(isRelaying, takesPasswords).filter((line) => line.startsWith("/"));
      const columns = lines.map((line) => / {2,}(?=\S)/.exec(line)!).map(({ index, 0: { length } }) => index + length);
      assertEquals(new Set(columns).size, 1, lines.join("\n"));
      const has = (word: string) => lines.some((line) => line.startsWith(`/${word} `));
      assertEquals([has("send"), has("reply"), has("login")], [isRelaying, isRelaying, takesPasswords]);
    }
  }
});
