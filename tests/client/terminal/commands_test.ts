/** The lines that can be typed into the client. */
import { assert, assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { COMMANDS, completeLine, execute, helpText, parseLine } from "../../../client/terminal/commands.ts";
import { FILE_COMMANDS } from "../../../client/terminal/file_commands.ts";
import { OPERATOR_COMMANDS } from "../../../client/terminal/operator_commands.ts";
import { WHO_RULE } from "../../../client/session/who.ts";
import { NAME_RULE } from "../../../protocol/names.ts";
import { FakeRoom } from "../../support/fake_room.ts";
import { ADDRESS, FakeSession, joined } from "../../support/fake_session.ts";
import { FakeTransfers } from "../../support/fake_transfers.ts";

/** What a line is read as, in short. */
function read(line: string, isSignedIn = false): string {
  const typed = parseLine(line, isSignedIn);
  if (typed.kind === "text") return `says ${typed.text}`;
  return typed.kind === "mistake" ? typed.text : [typed.command.names[0], ...typed.values].join("|");
}

/** Carries out a line, and returns what it printed and the session's notices. */
function run(line: string, fake: FakeSession, interactive = true): string[] {
  const printed: string[] = [];
  const before = fake.notices.length;
  execute(line, {
    session: fake.session,
    transfers: new FakeTransfers(),
    now: fake.now,
    interactive,
    print: (text) => printed.push(text),
    quit: () => printed.push("quits"),
    setTimes: (shown) => printed.push(`times ${shown}`),
  });
  return [...printed, ...fake.notices.slice(before)];
}

/** The failure of a session that gets these lines without a terminal and is then drained. */
function failure(lines: string[], fake = joined({ name: "Alice" })): string | undefined {
  for (const line of lines) run(line, fake, false);
  fake.session.drain(fake.now);
  fake.pass(30_000);
  assertEquals(fake.session.state, "closed");
  return fake.session.failure;
}

Deno.test("commands: a line is said, a line with a slash is a command, two slashes say a line with one slash", () => {
  assertEquals(read("hello /quit"), "says hello /quit");
  assertEquals(read("/quit"), "quit");
  assertEquals(read("//quit now"), "says /quit now");
  assertEquals(read(" //quit now"), "says  /quit now");
  assertEquals(read("//"), "says /");
  assertEquals(read("/QUIT "), "quit");
});

Deno.test("commands: blanks before a command do not make it a message to all", () => {
  assertEquals(read("  /send Alice x"), "send|Alice|x");
  assertEquals(read("\t/quit"), "quit");
  assertEquals(read(" quit"), "quit");
  assertEquals(read(" list", true), "list");
  assertEquals(read("   send Bob x", true), "send|Bob|x");
  assertEquals(read(" list", false), "says  list");
  assertMatch(read(" /xyzzyxyzzy"), /^There is no command/);
});

Deno.test("commands: capitals do not make a signed-in member's plain command a message to all", () => {
  assertEquals(read("LIST", true), "list");
  assertEquals(read("Send Bob x", true), "send|Bob|x");
  assertEquals(read("Listen to this", true), "says Listen to this");
  assertEquals(read("Send Bob x", false), "says Send Bob x");
});

Deno.test("commands: plain quit leaves, a line that only begins with it does not", () => {
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

Deno.test("commands: arguments are separated by blanks, and the last one is the rest of the line as typed", () => {
  assertEquals(read("/send Bob  two  words "), "send|Bob|two  words");
  assertEquals(read("/me waves  twice"), "me|waves  twice");
  assertEquals(read("/history"), "history");
  assertEquals(read("/history 5"), "history|5");
});

Deno.test("commands: a missing argument is named", () => {
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

Deno.test("commands: every name belongs to one command only, and help has a line for each command", () => {
  const names = COMMANDS.flatMap(({ names }) => names);
  assertEquals(new Set(names).size, names.length);
  const help = helpText(true), shown = COMMANDS.filter((command) => !FILE_COMMANDS.slice(1).includes(command));
  for (const { names: [name] } of shown) assertStringIncludes(help, `/${name}`);
  assertEquals(help.split("\n").length, shown.length + 2);
  for (const { summary } of shown) assertStringIncludes(help, summary);
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
  assertEquals(completeLine(" Send B", names), [["Bob "], "B"]);
  assertEquals(completeLine("/ignore B", names), [["Bob "], "B"]);
  assertEquals(completeLine("/whois ", names)[0].length, 3);
  assertEquals(completeLine("/ban al", names)[0], ["Alice ", "alfred "]);
  assertEquals(completeLine("/me al", names)[0], []);
  assertEquals(completeLine("/nick al", names)[0], [], "nobody wants another's name");
  assertEquals(completeLine("/send Bob al", names)[0], []);
  assertEquals(completeLine("tell al", names)[0], []);
});

Deno.test("commands: each does what it says", () => {
  const fake = new FakeSession();
  fake.welcome();
  fake.take();
  assertEquals(run("/help", fake), [helpText(false)]);
  assertEquals(run("/quit", fake), ["quits"]);
  assertEquals([run("/times on", fake), run("/times OFF", fake)], [["times true"], ["times false"]]);
  assertStringIncludes(run("/stats", fake)[0], "joined");
  run("/me waves", fake);
  assertEquals(fake.takeAll("MESSAGE").map(({ action, text }) => [action, text]), [[true, "waves"]]);
  run("/list", fake);
  assertEquals(fake.takeAll("LIST").length, 1);
  run("/whois Bob", fake);
  assertEquals(fake.takeAll("LOOKUP").map(({ name }) => name), ["Bob"]);
  run("/send Bob hi", fake);
  assertEquals(fake.takeAll("LOOKUP").map(({ name }) => name), ["Bob"]);
  assertEquals(run("/reply hi", fake), ["Nobody has written to you alone yet"]);
  assertEquals(run("/history 10000", fake), ["Nothing was said here yet"]);
  assertStringIncludes(helpText(false), "up to 10000");
});

Deno.test("commands: /direct forbids and allows the way through the server, and says which", () => {
  const fake = joined();
  const first =
    "What you write to one member alone goes directly, or through the server where there is no direct way. " +
    "/direct only forbids that";
  const only = "What you write to one member alone goes directly only, never through the server (what others write " +
    "may). /direct first allows it";
  for (const [line, said] of [["", first], [" only", only], ["", only], [" First", first], [" ONLY", only]]) {
    assertEquals([run(`/direct${line}`, fake), fake.session.isRelayAllowed], [[said], said === first], line);
  }
  assertEquals(run("/direct never", fake), ["/direct takes the word only or the word first"]);
  assertEquals(completeLine("/direct o", ["only"])[0], []);
});

Deno.test("commands: /whois of an address asks for that address", () => {
  const fake = joined();
  for (const who of ["10.1.2.3:4567", "[2001:db8::1]:9"]) run(`/whois ${who}`, fake);
  assertEquals(fake.takeAll("LOOKUP").map(({ name, address }) => [name, address]), [
    [undefined, "10.1.2.3:4567"],
    [undefined, "[2001:db8::1]:9"],
  ]);
});

Deno.test("commands: /send and /reply take an address, for one without a name", () => {
  const address = "10.1.2.3:4567", pass = "e04b7d19c5a2638f";
  const fake = joined();
  const answer = () => {
    const [{ id, name, address: asked }] = fake.takeAll("LOOKUP");
    fake.receive({ dialect: "v1", type: "PEER", id, address, since: 0, pass });
    const [{ stream, id: last }] = fake.takeAll("MESSAGE");
    fake.session.receiveFromPeer({ dialect: "v1", type: "ACK", pass, stream, id: last }, address, fake.now);
    return [name, asked, fake.notices.at(-1)];
  };
  run(`/send ${address} hi`, fake);
  assertEquals(answer(), [undefined, address, `Delivered to ${address}: hi`]);
  fake.receive({ dialect: "v1", type: "PUNCH", address, pass });
  const packet = { dialect: "v1", type: "MESSAGE", pass, stream: pass, id: 1, text: "who are you?" } as const;
  fake.session.receiveFromPeer(packet, address, fake.now);
  fake.take();
  run("/reply Me, with nothing but a name", fake);
  assertEquals(answer(), [undefined, address, `Delivered to ${address}: Me, with nothing but a name`]);
});

Deno.test("commands: an invalid name is reported at once, even before the server has answered, and never sent", () => {
  const endless = "x".repeat(1500);
  for (const fake of [joined({ name: "Alice" }), new FakeSession({ name: "Alice" })]) {
    fake.start();
    const lines = [`/whois ${endless}`, "/whois Bob!", `/send ${endless} hi`, "/send @Bob hi", "send a:1 hi"];
    for (const line of [...lines, "/send 10.1.2.3 hi", "/send 10.1.2.3:0 hi", "/send [::1] hi", "/whois 10.1.2.3"]) {
      assertEquals(run(line, fake), [WHO_RULE], line);
    }
    assertEquals(fake.takeAll("LOOKUP"), []);
  }
});

Deno.test("commands: in a pipe, the failure says how many lines were not executed", () => {
  for (
    const [lines, reason] of [
      [["/times maybe"], /^1 line not understood, and not sent$/],
      [["/history 0", "/history 10001", "/history many", "/history -1"], /^4 lines not understood/],
      [["/hlep"], /^1 line not understood/],
      [["/whois Bob!"], /^1 line not understood/],
      [["/reply hello"], /^1 message not delivered$/],
      [["/send Bob! hello"], /^1 message not delivered$/],
      [["/list"], /^1 question not answered$/],
      [["/list", "/whois Bob"], /^2 questions not answered$/],
      [["/history"], /^1 question not answered$/],
    ] as const
  ) {
    const fake = new FakeSession({ name: "Alice" });
    fake.welcome({ seq: 5 });
    fake.welcome({ seq: 5, keepalive: 60_000 });
    assertMatch(failure([...lines], fake) ?? "nothing", reason, lines.join());
  }
  assertEquals(failure(["/times on", "/stats", "/help", "/ignore Bob"]), undefined);
});

Deno.test("commands: after a refused name only help and quit work until another name is typed; text is kept", () => {
  for (const code of ["name-taken", "bad-name"]) {
    const fake = new FakeSession({ name: "Alice" });
    fake.start();
    run("said before", fake);
    const [{ id }] = fake.takeAll("SIGN-IN");
    fake.receive({ dialect: "v1", type: "ERROR", code, id, text: "The name Alice is taken; choose another" });
    assertEquals(fake.session.wantsName, true);
    for (const line of ["/list", "list", "/send Bob x", "send Bob x", "/history", "/me waves"]) {
      assertEquals(run(line, fake), ["First choose a name"], line);
    }
    assertEquals(run("/help", fake), [helpText(false)]);
    assertEquals([run("/quit", fake), run("quit", fake)], [["quits"], ["quits"]]);
    assertEquals(run("no name;", fake), [NAME_RULE]);
    assertEquals(fake.take(), []);
    assertEquals(run(" Alicia ", fake), []);
    assertEquals(fake.takeAll("SIGN-IN").map(({ name }) => name), ["Alicia"]);
    assertEquals(fake.session.wantsName, false);
    fake.start();
    fake.welcome();
    assertEquals(fake.takeAll("MESSAGE").map(({ text }) => text), ["said before"]);
  }
});

Deno.test("commands: another refusal does not ask for a name; typed text is kept, and the client tries again", () => {
  const fake = new FakeSession({ name: "Alice" });
  fake.start();
  const [{ id }] = fake.takeAll("SIGN-IN");
  fake.receive({ dialect: "v1", type: "ERROR", code: "room-full", id, text: "The room is full" });
  assertEquals([fake.session.state, fake.session.wantsName], ["joining", false]);
  run("Bob", fake);
  fake.pass(1000);
  const names = new Set(fake.takeAll("SIGN-IN").map(({ name }) => name));
  assertEquals([...names], ["Alice"]);
  fake.start();
  fake.welcome();
  assertEquals(fake.takeAll("MESSAGE").map(({ text }) => text), ["Bob"]);
});

Deno.test("commands: in a terminal, a user without a name is told that plain commands are said to all", () => {
  for (const line of ["list", " Send Bob x", "LIST "]) {
    assertMatch(run(line, joined()).join(), /said to everyone/, line);
    assertEquals(run(line, joined(), false), []);
  }
  assertEquals(run("list of things", joined()), []);
});

Deno.test("commands: escape sequences in what is typed do not come back to the screen", () => {
  const fake = joined({ name: "Alice" });
  for (const line of ["/\x1b[31mfoo", "/ignore \x1b[31m", "/unignore \x1bc", "/ignore"]) {
    // deno-lint-ignore no-control-regex -- escape sequences are the point
    for (const told of run(line, fake)) assertNotMatch(told, /\x1b/, line);
  }
});

Deno.test("commands: a member can't ignore itself, and /ignore alone lists the ignored members", () => {
  const fake = joined({ name: "Alice" });
  for (const self of ["Alice", "ALICE", ADDRESS]) assertEquals(run(`/ignore ${self}`, fake), ["That is you"]);
  assertEquals(run("/ignore", fake), ["You ignore: nobody"]);
  run("/ignore Bob", fake);
  run("/ignore 10.1.1.1:1", fake);
  assertEquals(run("/ignore", fake), ["You ignore: Bob, 10.1.1.1:1"]);
});

Deno.test("commands: /ignore says so if nobody was seen with the name, and takes nothing that can be no sender", () => {
  const fake = joined();
  assertEquals(run("/ignore Dav", fake), [
    "Nobody has been seen here as Dav; whoever comes with this name is ignored. /unignore Dav undoes it",
  ]);
  for (const who of ["192.168.77.11", "Alice too", '"Alice"', "10.1.1.1:0"]) {
    assertEquals(run(`/ignore ${who}`, fake), [WHO_RULE]);
  }
  assertEquals(run("/ignore", fake), ["You ignore: Dav"]);
});

Deno.test("commands: messages of ignored members are not shown until /unignore", () => {
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

Deno.test("commands: /nick takes a name, and says which rule one breaks", () => {
  const fake = joined({ name: "Alice" });
  assertEquals(run("/nick Alicia", fake), []);
  assertEquals(fake.takeAll("SIGN-IN").map(({ name }) => name), ["Alicia"]);
  for (const line of ["/nick a b", "/nick " + "x".repeat(33)]) assertEquals(run(line, fake), [NAME_RULE]);
  assertEquals(run("/nick Server", fake), ["The name Server looks like the server; choose another"]);
  assertEquals(fake.takeAll("SIGN-IN"), []);
  assertEquals(failure(["/nick a b"]), "1 line not understood, and not sent");
  // alone it says which one has; it has another name too
  assertEquals(run("/nick", joined({ name: "Alice" })), ["You are Alice; /nick NEW-NAME changes it"]);
  assertEquals(run("/name", joined()), ["You have no name; /nick NEW-NAME takes one"]);
  const bob = joined({ name: "Bob" });
  assertEquals(run("/name Bobby", bob), []);
  assertEquals(bob.takeAll("SIGN-IN").map(({ name }) => name), ["Bobby"]);
});

Deno.test("commands: /nick chooses a name in place of a refused one", () => {
  const fake = new FakeSession({ name: "Alice" });
  fake.start();
  const [{ id }] = fake.takeAll("SIGN-IN");
  fake.receive({ dialect: "v1", type: "ERROR", code: "name-taken", id, text: "The name Alice is taken" });
  assertEquals(run("/nick", fake), [NAME_RULE]);
  assertEquals(run("/nick Bea", fake), []);
  assertEquals([fake.takeAll("SIGN-IN").map(({ name }) => name), fake.session.name], [["Bea"], "Bea"]);
});

Deno.test("commands: /help lists what operators may do to them only, and to others on request", () => {
  const fake = joined({ name: "Alice" });
  assert(!helpText(false).includes("/kick"));
  assertEquals(run("/help", fake), [helpText(false)]);
  const [operators] = run("/help operators", fake);
  assertMatch(operators, /^For operators, who keep order:\n\/kick NAME \[REASON\] +tells [^]*\n\/unlock +ends that$/);
  // without it, it fits a terminal
  assert(helpText(false).split("\n").length < 24);
  fake.pass(1000);
  fake.welcome({ operator: true });
  assertEquals(run("/help", fake), [`${helpText(false)}\n${operators}`]);
});

Deno.test("commands: those of operators go to the server in its words", () => {
  const lines = ["/kick Bob flooding the  room", "/MUTE Bob", "/mute Bob 5", "/unmute Bob", "/ban 10.0.0.0/8 60"];
  const more = ["/unban Bob", "/bans", "/say Break until 11:15", "/lock", "/unlock", "/topic Sockets", "/topic -"];
  const sent = [...lines, ...more].flatMap((line) => {
    const fake = joined({ name: "Alice" });
    assertEquals(run(line, fake), [], line);
    return fake.takeAll("COMMAND").map(({ text }) => `/${text}`);
  });
  assertEquals(sent, [...lines.map((line) => line.replace("MUTE", "mute")), ...more]);
  const fake = joined({ name: "Alice" });
  assertEquals(run("/topic", fake), ["There is no topic"]);
  assertEquals(run("/kick", fake), ["/kick takes NAME"]);
  assertEquals(run("/join", fake), ["/join is for who was told to go"]);
  assertEquals(fake.take(), []);
});

Deno.test("commands: those of operators are those of the server, in the same words", () => {
  const ofServer = new FakeRoom().room.orderHelp.map((row) => row.split(/ {2,}/));
  const others = ["op NAME", "deop NAME", "topic [TEXT]"];
  const ofClient = OPERATOR_COMMANDS.map(({ names: [word], parameters, optional, summary }) => {
    const usage = [word, ...parameters, ...(optional ? [`[${optional}]`] : [])].join(" ");
    // what an operator says has its name before it
    const isSay = word === "say";
    return [usage, isSay ? "says it to everybody, in the server's name" : summary.replace(/ \/(?=\w)/, " ")];
  });
  assertEquals(ofClient, ofServer.filter(([usage]) => !others.includes(usage) && !usage.startsWith("account ")));
});

Deno.test("commands: a password is asked for at a terminal, and in a pipe its commands are mistakes", () => {
  for (const command of ["register", "password", "unregister"]) {
    const fake = joined({ name: "Alice" });
    assertEquals(run(`/${command}`, fake), []);
    assertEquals(fake.take().map(({ packet }) => packet.type), [command === "unregister" ? "UNREGISTER" : "REGISTER"]);
    const line = `/${command} asks for a password, which does not come from a pipe: type it in a terminal`;
    assertEquals(run(`/${command}`, joined({ name: "Alice" }), false), [line]);
    assertEquals(failure([`/${command}`]), "1 line not understood, and not sent");
  }
});

Deno.test("commands: what is typed behind such a command, before its question, is neither said nor done", () => {
  const fake = joined({ name: "Alice" });
  run("/register", fake);
  fake.take();
  for (const line of ["correct horse", "/me waves", "/list"]) {
    assertEquals(run(line, fake), ["Not sent, as it was typed before the question was answered"]);
  }
  assertEquals(fake.take(), []);
  // but one can leave, also while no answer comes
  for (const line of ["/quit", "quit"]) assertEquals(run(line, fake), ["quits"]);
});
