/** Names, who is here, and the commands that go with them: the real programs on real sockets. */
import { assert, assertEquals, assertLess, assertMatch, assertNotMatch } from "@std/assert";
import { encode } from "../../protocol.ts";
import { BANNER, commandOf, joinRoom, startClient, startServer } from "../../scripts/support/processes.ts";
import { openPeer } from "../support/classic_peer.ts";
import { gather } from "../support/crowd.ts";
import { stops } from "../support/signals.ts";
import { signIn } from "../support/signed_in.ts";
import { HAS_TMUX, quoted, startTmux } from "../support/tmux.ts";
import { joinV1 } from "../support/v1_peer.ts";

Deno.test("names: signed in with -u or --name, seen in messages and in the list, sorted without case", async () => {
  await using server = await startServer();
  await using carole = await signIn(server.port, "carole");
  await using bob = startClient("--name", "Bob", "-sip", "127.0.0.1", "-sp", server.port);
  await bob.type("hello\n");
  await carole.stdout.until(/^<From 127\.0\.0\.1:\d+:Bob>: hello\n/m);
  await using _unnamed = await joinRoom(server);
  await using zoe = await signIn(server.port, "Zoë");
  for (const command of ["list", "/list", "/names"]) {
    await using client = await signIn(server.port, "Alice");
    await client.type(`${command}\n`);
    await client.stdout.until("<- Signed In Users: Alice, Bob, carole, Zoë (and 1 unnamed)\n");
    await client.endInput();
    assertEquals(await client.exitCode(), 0);
  }
  await zoe.endInput();
  assertEquals(await zoe.exitCode(), 0);
});

Deno.test("names: one that is taken is refused in one line and with exit code 1, whatever its case or Unicode form", async () => {
  await using server = await startServer();
  await using zoe = await signIn(server.port, "Zo\u00eb");
  for (const name of ["Zo\u00eb", "ZO\u00cb", "zoe\u0308"]) {
    await using client = startClient("-u", name, "127.0.0.1", server.port);
    assertEquals(await client.exitCode(), 1);
    assertMatch(client.stderr.text(), /^[^\n]*The name \S+ is taken[^\n]*\n$/);
    assertEquals(client.stdout.text(), BANNER);
  }
  // a name is free again when its holder has left
  await zoe.endInput();
  assertEquals(await zoe.exitCode(), 0);
  await using again = await signIn(server.port, "Zo\u00eb");
  assertEquals(again.ended(), false);
});

Deno.test("names: one that looks like that of somebody who is here is refused, and the server says why", async () => {
  await using server = await startServer();
  await using alice = await signIn(server.port, "Alice");
  for (const name of ["\u0410lice", "\uff21lice", "AIice"]) {
    await using client = startClient("-u", name, "127.0.0.1", server.port);
    assertEquals(await client.exitCode(), 1);
    assertMatch(client.stderr.text(), new RegExp(`The name ${name} looks like Alice, who is here; choose another\n$`));
  }
  assertEquals(alice.ended(), false);
});

Deno.test("names: what is no name is refused in one line and with exit code 2, before anything is sent", async () => {
  await using peer = openPeer();
  for (const name of ["two words", "x".repeat(33), "semi;colon", "\u0301combining", "", "Server", "10.0.0.7"]) {
    await using client = startClient("-u", name, "127.0.0.1", peer.port);
    assertEquals(await client.exitCode(), 2, JSON.stringify(name));
    assertMatch(client.stderr.text(), /^[^\n]+\n$/);
    assertEquals(client.stdout.text(), "");
  }
  assertEquals(peer.received, []);
});

Deno.test("names: presence is told by address and name: arrival, quit, SIGTERM and a crash", async () => {
  await using server = await startServer("--timeout", "3");
  await using alice = await signIn(server.port, "Alice");

  await using carole = await signIn(server.port, "Carole");
  await alice.stdout.until(`[${carole.address} Carole] is Online\n`);
  await server.stdout.until(new RegExp(`^Client \\(127.0.0.1, ${portOf(carole)}\\) connected at .* as Carole\n`, "m"));
  await carole.type("quit\n");
  await alice.stdout.until(`[${carole.address} Carole] is Offline\n`);
  assertEquals(await carole.exitCode(), 0);

  await using dora = await signIn(server.port, "Dora");
  await alice.stdout.until(`[${dora.address} Dora] is Online\n`);
  if (!await stops(dora)) await dora.type("quit\n");
  await alice.stdout.until(`[${dora.address} Dora] is Offline\n`);

  await using unnamed = await joinRoom(server);
  await alice.stdout.until(`[${unnamed.address}] is Online\n`);
  unnamed.kill("SIGKILL");
  await alice.stdout.until(`[${unnamed.address}] is Offline\n`);

  // nobody is told of their own arrival
  assertNotMatch(alice.stdout.text(), new RegExp(`${alice.address} Alice\\] is`));
  // each was told once
  assertEquals(alice.stdout.text().match(/is (Online|Offline)$/mg)?.length, 6);
});

Deno.test("names: a member that takes a name and leaves at once is told to have left", async () => {
  await using server = await startServer();
  await using alice = await signIn(server.port, "Alice");
  await using peer = openPeer();
  const token = await joinV1(peer, server.port);
  await alice.stdout.until(`[${peer.address}] is Online\n`);
  await peer.send(encode({ dialect: "v1", type: "SIGN-IN", id: 3, token, name: "Eve" }), server.port);
  await peer.send(encode({ dialect: "v1", type: "LEAVE", id: 4, token }), server.port);
  await alice.stdout.until(new RegExp(`^\\[${peer.address}( Eve)?\\] is Offline\n`, "m"));
});

Deno.test("names: a member that is back at another port keeps its name and makes no noise", async () => {
  await using server = await startServer();
  await using alice = await signIn(server.port, "Alice");
  await using before = openPeer();
  await using after = openPeer();
  const token = await joinV1(before, server.port, { name: "Eve" });
  await alice.stdout.until(`[${before.address} Eve] is Online\n`);
  await joinV1(after, server.port, { name: "Eve", token });
  await after.until(/^WELCOME.* name=Eve /);
  await after.send(
    encode({ dialect: "v1", type: "MESSAGE", token, stream: token, id: 1, text: "moved" }),
    server.port,
  );
  await alice.stdout.until(`<From ${after.address}:Eve>: moved\n`);
  await alice.type("/whois eve\n");
  await alice.stdout.until(new RegExp(`^<- Eve is at ${after.address} since \\d\\d:\\d\\d\n`, "m"));
  assertEquals(alice.stdout.text().match(/ Eve\] is/g)?.length, 1);
});

Deno.test("names: the classic forms SIGN-IN and LIST, as nc sends them", async () => {
  await using server = await startServer();
  await using alice = await signIn(server.port, "Alice");
  await using dave = openPeer();
  await dave.send("SIGN-IN alice\n", server.port);
  assertEquals((await dave.next()).text, "INCOMING The name alice is taken; choose another\n");
  await dave.send("SIGN-IN Da ve\n", server.port);
  assertMatch((await dave.next()).text, /^INCOMING A name has 1 to 32 letters, .*; choose another\n$/);
  await dave.send("SIGN-IN Dave\n", server.port);
  assertEquals((await dave.next()).text, "INCOMING Signed in as Dave\n");
  await dave.send("LIST\n", server.port);
  assertEquals((await dave.next()).text, "INCOMING Signed In Users: Alice, Dave\n");
  await dave.send("MESSAGE It is me\n", server.port);
  assertEquals((await dave.next()).text, `INCOMING <From ${dave.address}:Dave>: It is me\n`);
  await alice.stdout.until(`<From ${dave.address}:Dave>: It is me\n`);
  await alice.type("list\n");
  await alice.stdout.until("<- Signed In Users: Alice, Dave\n");
  // a name that a classic member has is taken for the others too
  await using other = startClient("-u", "DAVE", "127.0.0.1", server.port);
  assertEquals(await other.exitCode(), 1);
});

Deno.test("names: 300 who join at once are told in few notices", async () => {
  const size = 300;
  await using server = await startServer("--quiet");
  await using crowd = await gather(size, server.port);
  await crowd.told();
  const notices = crowd.members.reduce((sum, { count }) => sum + (count.get("ONLINE") ?? 0), 0);
  const all = crowd.members.reduce((sum, { count }) => sum + [...count.values()].reduce((a, b) => a + b, 0), 0);
  console.log(`${size} members: ${notices} ONLINE datagrams instead of ${size * size}, ${all} datagrams in all`);
  // those who came before the first notice were told of everyone
  const names = new Set(crowd.members.map(({ online }) => [...online.values()].sort().join()));
  assert(names.has(Array.from({ length: size }, (_, i) => `Student_${i + 1}`).sort().join()));
  assertLess(notices, size * size / 10);
});

Deno.test("names: /ignore, /unignore, /me, /whois, /times, /help, //text and slips", async () => {
  await using server = await startServer();
  await using alice = await signIn(server.port, "Alice");
  await using bob = await signIn(server.port, "Bob");
  await alice.stdout.until(`[${bob.address} Bob] is Online\n`);

  await alice.type("/me waves\n");
  await bob.stdout.until(`<From ${alice.address}:Alice>: * Alice waves\n`);
  await alice.type("//shrug and smile\n");
  await bob.stdout.until(`<From ${alice.address}:Alice>: /shrug and smile\n`);

  await alice.type("/ignore BOB\n");
  await alice.stderr.until("-- You hear no more from BOB; /unignore BOB undoes it\n");
  await bob.type("unheard\nsend Alice heard later\n");
  await bob.stdout.until(`<From ${bob.address}:Bob>: unheard\n`);
  await alice.type("/whois bob\n");
  await alice.stdout.until(new RegExp(`^<- Bob is at ${bob.address} since \\d\\d:\\d\\d\n`, "m"));
  await alice.type("/unignore bob\n/unignore bob\n");
  await alice.stderr.until("-- You hear bob again\n!! bob was not ignored\n");
  // delivered means shown: until now it has come in vain, and is repeated
  await bob.stderr.until(/^-- Delivered to Alice(?: \(through the server\))?: heard later\n/m);
  const way = "(?: \\(through the server\\))?";
  await alice.stdout.until(new RegExp(`^<- Bob is at [^]*^<- <From ${bob.address}:Bob>${way}: heard later\\n`, "m"));
  await bob.type("heard\n");
  await alice.stdout.until(`<From ${bob.address}:Bob>: heard\n`);
  assertNotMatch(alice.stdout.text(), /unheard/);

  await alice.type("/whois Nobody\n");
  await alice.stderr.until("!! Nobody here is called Nobody\n");
  await alice.type("/times on\n");
  await alice.type("what time is it?\n");
  await alice.stdout.until(new RegExp(`^\\d\\d:\\d\\d <From ${alice.address}:Alice>: what time is it\\?\n`, "m"));
  await alice.type("/times off\nnever mind\n");
  await alice.stdout.until(`\n<From ${alice.address}:Alice>: never mind\n`);
  await alice.type("/times maybe\n");
  await alice.stderr.until("!! /times takes on or off\n");
  await alice.type("/help\n");
  for (
    const word of ["/list", "/send NAME TEXT", "/reply TEXT", "/me TEXT", "/whois NAME", "/unignore NAME", "/quit"]
  ) {
    await alice.stderr.until(new RegExp(`^${word} `, "m"));
  }

  await alice.type("/lsit\n/sned Bob secret\n/xyzzyplugh a secret\n/send Bob\n/send\n");
  await alice.stderr.until("!! There is no command /lsit: did you mean /list? To say it, type //lsit\n");
  await alice.stderr.until("!! There is no command /sned: did you mean /send? To say it, type //sned\n");
  await alice.stderr.until("!! There is no command /xyzzyplugh: /help lists them. To say it, type //xyzzyplugh\n");
  await alice.stderr.until("!! /send takes NAME TEXT\n!! /send takes NAME TEXT\n");
  await alice.type("listing is no command\n");
  await bob.stdout.until(`<From ${alice.address}:Alice>: listing is no command\n`);
  assertNotMatch(bob.stdout.text(), /lsit|sned|secret|xyzzy/);
  // without a name the plain words are text
  await using unnamed = await joinRoom(server);
  await unnamed.type("list\nsend Bob a card\n");
  await bob.stdout.until(`<From ${unnamed.address}>: list\n<From ${unnamed.address}>: send Bob a card\n`);
});

terminalTest("a name that is taken is asked for again, and names complete", async () => {
  await using server = await startServer();
  await using tmux = await startTmux();
  await using carole = await signIn(server.port, "Carole");
  const command = [...commandOf("client"), "-u", "CAROLE", "127.0.0.1", String(server.port)];
  const terminal = await tmux.open(command.map(quoted).join(" "));
  await terminal.until(/^!! The name CAROLE is taken; choose another\nname>$/m);
  await terminal.type("no name;");
  await terminal.press("Enter");
  await terminal.until(/^!! A name has 1 to 32 letters, digits and _ - \. only; choose another\nname>$/m);
  await terminal.type("/list");
  await terminal.press("Enter");
  await terminal.until(/^!! First choose a name\nname>$/m);
  await terminal.type("Alice");
  await terminal.press("Enter");
  await carole.stdout.until(/^\[127\.0\.0\.1:\d+ Alice\] is Online\n/m);

  // a name is known from the list, from what somebody has said, or from an arrival
  await terminal.type("list");
  await terminal.press("Enter");
  await terminal.until(/^<- Signed In Users: Alice, Carole\n\+>$/m);
  await terminal.type("send ca");
  await terminal.press("Tab");
  await terminal.until(/^\+> send Carole$/m);
  await terminal.type("hi");
  await terminal.until(/^\+> send Carole hi$/m);
  await terminal.press("Enter");
  await carole.stdout.until(/^<- <From 127\.0\.0\.1:\d+:Alice>: hi\n/m);
  await terminal.until(/^-- Delivered to Carole: hi$/m);
  await terminal.type("/whois carole");
  await terminal.press("Enter");
  await terminal.until(new RegExp(`^<- Carole is at ${carole.address} since \\d\\d:\\d\\d$`, "m"));
  await terminal.type("quit");
  await terminal.press("Enter");
  await carole.stdout.until(/^\[127\.0\.0\.1:\d+ Alice\] is Offline\n/m);
});

terminalTest("who leaves while the name is refused does not wait, and is told what was not delivered", async () => {
  await using peer = openPeer();
  await using tmux = await startTmux();
  const command = [...commandOf("client"), "-u", "Dave", "127.0.0.1", String(peer.port)];
  const terminal = await tmux.open(`${command.map(quoted).join(" ")}; echo exit code $?; sleep 60`);
  const { from } = await peer.until(/^SIGN-IN\/1 /);
  await terminal.type("too early");
  await terminal.until(/^\+> too early$/m);
  await terminal.press("Enter");
  await terminal.until(/^\+>$/m);
  const { text } = peer.received.findLast(({ text }) => text.startsWith("SIGN-IN/1"))!;
  const cookie = "a3d7e09b15c8f264", refusal = "The name Dave is taken; choose another";
  await peer.send(encode({ dialect: "v1", type: "RETRY", id: idOf(text), cookie }), from);
  const greeting = (await peer.until(/^SIGN-IN\/1 .*token=/)).text;
  const [, token] = / token=([0-9a-f]{16})/.exec(greeting)!;
  const error = { dialect: "v1", type: "ERROR", code: "name-taken", token, id: idOf(greeting), text: refusal } as const;
  await peer.send(encode(error), from);
  await terminal.until(/^name>$/m);
  await terminal.type("/quit");
  await terminal.press("Enter");
  const screen = await terminal.until(/^exit code 1$/m);
  assertMatch(screen, new RegExp(`^${refusal}; 1 message not delivered$`, "m"));
  assertNotMatch(screen, /waiting/);
});

/** A test that needs a terminal; where there is none to be had, it says so. */
function terminalTest(name: string, fn: () => Promise<void>): void {
  Deno.test(`names: ${name}`, async () => {
    if (HAS_TMUX) await fn();
    else console.log("Skipped: there is no tmux on this machine");
  });
}

function idOf(greeting: string): number {
  return Number(/ id=(\d+)/.exec(greeting)![1]);
}

function portOf({ address }: { address: string }): string {
  return address.split(":")[1];
}
