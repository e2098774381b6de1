/** What can be typed. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type CommandContext, COMMANDS, completeLine, helpText, readLine } from "../../client/commands.ts";
import { FakeSession } from "../support/fake_session.ts";

/** What a line is read as, in short. */
function read(line: string, isSignedIn = false): string {
  const typed = readLine(line, isSignedIn);
  if (typed.kind === "text") return `says ${typed.text}`;
  return typed.kind === "mistake" ? typed.text : [typed.command.names[0], ...typed.values].join("|");
}

/** Carries out a line, and returns what it printed. */
function run(line: string, fake: FakeSession, more: Partial<CommandContext> = {}): string[] {
  const printed: string[] = [];
  const typed = readLine(line, false);
  assert(typed.kind === "command", line);
  typed.command.run({
    session: fake.session,
    now: fake.now,
    print: (text) => printed.push(text),
    quit: () => printed.push("quits"),
    setTimes: (shown) => printed.push(`times ${shown}`),
    ...more,
  }, ...typed.values);
  return printed;
}

Deno.test("commands: a line is said, a line with a slash is a command, two slashes say one", () => {
  assertEquals(read("hello /quit"), "says hello /quit");
  assertEquals(read(" /quit"), "says  /quit");
  assertEquals(read("/quit"), "quit");
  assertEquals(read("//quit now"), "says /quit now");
  assertEquals(read("//"), "says /");
  assertEquals(read("/QUIT "), "quit");
});

Deno.test("commands: plain quit leaves, but not what only begins with it", () => {
  assertEquals(["quit", "quit ", "quit smoking", "Quit", "quitter"].map((line) => read(line)), [
    "quit",
    "quit",
    "says quit smoking",
    "says Quit",
    "says quitter",
  ]);
});

Deno.test("commands: plain list and send are commands for members with a name, and text for others", () => {
  assertEquals(read("list", true), "list");
  assertEquals(read("list of things", true), "says list of things");
  assertEquals(read("send Bob hello there", true), "send|Bob|hello there");
  assertEquals(read("list", false), "says list");
  assertEquals(read("send Bob hello", false), "says send Bob hello");
});

Deno.test("commands: what a command takes is cut into words, the last has the rest as it was typed", () => {
  assertEquals(read("/send Bob  two  words "), "send|Bob|two  words");
  assertEquals(read("/me waves  twice"), "me|waves  twice");
  assertEquals(read("/history"), "history");
  assertEquals(read("/history 5"), "history|5");
});

Deno.test("commands: where something is missing, the mistake says what", () => {
  assertEquals(read("/send Bob"), "/send takes NAME TEXT");
  assertEquals(read("/whois"), "/whois takes NAME");
  assertEquals(read("send", true), "/send takes NAME TEXT");
});

Deno.test("commands: an unknown command is never said, and the nearest is suggested", () => {
  for (const [typed, meant] of [["/hlep", "help"], ["/qiut", "quit"], ["/wohis Bob", "whois"], ["/hist", "history"]]) {
    assertStringIncludes(read(typed), `did you mean /${meant}?`);
  }
  assertStringIncludes(read("/xyzzyxyzzy"), "/help lists them");
  assertStringIncludes(read("/xyzzyxyzzy"), "type //xyzzyxyzzy");
  assertStringIncludes(read("/"), "/help");
  assertStringIncludes(read("/etc/passwd is a file"), "no command");
});

Deno.test("commands: every name is one command's only, and help has a line for each command", () => {
  const names = COMMANDS.flatMap(({ names }) => names);
  assertEquals(new Set(names).size, names.length);
  const help = helpText();
  for (const { names: [name], summary } of COMMANDS) assertStringIncludes(help, `/${name}`) ?? summary;
  assertEquals(help.split("\n").length, COMMANDS.length + 1);
  for (const { summary } of COMMANDS) assertStringIncludes(help, summary);
});

Deno.test("commands: a half-typed command is completed, with a space where more must follow", () => {
  assertEquals(completeLine("/w", []), [["/whois "], "/w"]);
  assertEquals(completeLine("/q", []), [["/quit"], "/q"]);
  assertEquals(completeLine("/", [])[0].length, COMMANDS.length);
  assertEquals(completeLine("hello /w", []), [[], "hello /w"]);
  assertEquals(completeLine("", []), [[], ""]);
});

Deno.test("commands: a name is completed where one is due, whatever its case", () => {
  const names = ["Alice", "alfred", "Bob"];
  assertEquals(completeLine("/send al", names), [["Alice ", "alfred "], "al"]);
  assertEquals(completeLine("send B", names), [["Bob "], "B"]);
  assertEquals(completeLine("/whois ", names)[0].length, 3);
  assertEquals(completeLine("/me al", names)[0], []);
  assertEquals(completeLine("/send Bob al", names)[0], []);
  assertEquals(completeLine("tell al", names)[0], []);
});

Deno.test("commands: each does what it says", () => {
  const fake = new FakeSession();
  fake.welcome();
  fake.take();
  assertEquals(run("/help", fake), [helpText()]);
  assertEquals(run("/quit", fake), ["quits"]);
  assertEquals([run("/times on", fake), run("/times OFF", fake)], [["times true"], ["times false"]]);
  assertStringIncludes(run("/times maybe", fake)[0], "on or off");
  assertStringIncludes(run("/stats", fake)[0], "joined");
  run("/me waves", fake);
  assertEquals(fake.takeAll("MESSAGE").map(({ action, text }) => [action, text]), [[true, "waves"]]);
  run("/list", fake);
  assertEquals(fake.takeAll("LIST").length, 1);
  run("/whois Bob", fake);
  assertEquals(fake.takeAll("LOOKUP").map(({ name }) => name), ["Bob"]);
  run("/send Bob hi", fake);
  assertEquals(fake.takeAll("LOOKUP").map(({ name }) => name), ["Bob"]);
  run("/reply hi", fake);
  assertStringIncludes(fake.notices.at(-1)!, "Nobody");
  for (const count of ["0", "100", "many", "-1"]) assertStringIncludes(run(`/history ${count}`, fake)[0], "1 to 99");
});

Deno.test("commands: the ignored are not shown, until they are heard again", () => {
  const fake = new FakeSession();
  fake.welcome();
  run("/ignore Bob", fake);
  fake.event(1, { name: "bob" });
  fake.event(2, { name: "Carol" });
  assertEquals(fake.texts, ["2"]);
  assertStringIncludes(run("/unignore BOB", fake)[0], "again");
  assertStringIncludes(run("/unignore BOB", fake)[0], "not ignored");
  fake.event(3, { name: "Bob" });
  assertEquals(fake.texts, ["2", "3"]);
});
