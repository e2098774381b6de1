/** Private messages between our client and a program with a TCP connection. */
import { assertMatch } from "@std/assert";
import { start, startServer } from "../../scripts/support/processes.ts";
import { stops } from "../support/signals.ts";
import { signIn } from "../support/signed_in.ts";
import { hasProgram } from "../support/tcp_peers.ts";
import { TcpProgram } from "../support/tcp_room.ts";

Deno.test("private messages: nc without a name is written to by its address, and answers by /reply", async () => {
  if (!await hasProgram("nc")) return console.log("Skipped: there is no nc");
  await using server = await startServer();
  await using alice = await signIn(server.port, "Alice");
  await using nc = start(["nc", "127.0.0.1", String(server.port)]);
  const [, address] = await alice.stdout.until(/^\[(\S+)\] is Online\n/m);
  await alice.type(`/send ${address} who are you?\n`);
  await nc.stdout.until(`<- <From ${alice.address}:Alice> (through the server): who are you?\n`);
  await alice.stderr.until(`-- Delivered to ${address} (through the server): who are you?\n`);
  await nc.type("/reply guess\n");
  await nc.stdout.until("-> Alice (through the server): guess\n");
  await alice.stdout.until(`<- <From ${address}> (through the server): guess\n`);
  await alice.type("/reply no idea\n");
  await nc.stdout.until(`<- <From ${alice.address}:Alice> (through the server): no idea\n`);
  await nc.type(`/send ${alice.address} Tim\n`);
  await alice.stdout.until(`<- <From ${address}> (through the server): Tim\n`);
});

Deno.test("private messages: between our client and nc over TCP they pass through the server, and both sides see it", async () => {
  if (!await hasProgram("nc")) return console.log("Skipped: there is no nc");
  await using server = await startServer();
  await using alice = await signIn(server.port, "Alice");
  await using nc = start(["nc", "127.0.0.1", String(server.port)]);
  await nc.type("/name Bob\n");
  await nc.stdout.until("Signed in as Bob\n");
  // one that leaves before its arrival is told is not told of at all
  const [, bob] = await alice.stdout.until(/^\[(\S+) Bob\] is Online\n/m);
  await alice.type("send bob hi, the word is Xyzzy\n");
  await nc.stdout.until(`<- <From ${alice.address}:Alice> (through the server): hi, the word is Xyzzy\n`);
  await alice.stderr.until("-- Bob has a TCP connection; sending through the server. /direct only forbids that\n");
  await alice.stderr.until("-- Delivered to Bob (through the server): hi, the word is Xyzzy\n");

  await nc.type("send Alice Plugh to you\n");
  await alice.stdout.until(`<- <From ${bob}:Bob> (through the server): Plugh to you\n`);
  await nc.stdout.until("-> Alice (through the server): Plugh to you\n");
  await alice.type("/reply thanks\n");
  await nc.stdout.until(`<- <From ${alice.address}:Alice> (through the server): thanks\n`);
  await alice.type("/whois Bob\n");
  await alice.stdout.until(
    new RegExp(
      `^<- Bob is at ${bob.replaceAll(".", "\\.")} since \\d\\d:\\d\\d, by TCP, only through the server\n`,
      "m",
    ),
  );

  await nc.type("quit\n");
  await alice.stdout.until(`[${bob} Bob] is Offline\n`);
  await alice.type("send Bob gone?\n");
  await alice.stderr.until('!! Not delivered to Bob ("gone?"): nobody here has that name\n');
  if (await stops(server)) assertMatch(server.stdout.text(), /^Closed: .*\b1 messages? in, /m);
});

Deno.test("private messages: with --no-relay none passes through the server, and both sides are told so", async () => {
  await using server = await startServer("--no-relay");
  await using alice = await signIn(server.port, "Alice");
  await using bob = new TcpProgram(await Deno.connect({ hostname: "127.0.0.1", port: server.port }));
  await bob.write("/name Bob\n/send Alice hi\n/help\n");
  await bob.until("!! Not delivered to Alice (this server passes no private messages on): hi\n");
  await bob.until("plain list works too.\n");
  await alice.stdout.until(/^\[\S+ Bob\] is Online\n/m);
  await alice.type("/send Bob hi\n");
  await alice.stderr.until('!! Not delivered to Bob ("hi"): ');
});

Deno.test("private messages: list has a line for those who are reached through the server only, when there are any", async () => {
  if (!await hasProgram("nc")) return console.log("Skipped: there is no nc");
  await using server = await startServer();
  await using alice = await signIn(server.port, "Alice");
  await alice.type("list\n");
  await alice.stdout.until("<- Signed In Users: Alice\n");
  await using nc = start(["nc", "127.0.0.1", String(server.port)]);
  await nc.type("/name Tim\n");
  await nc.stdout.until("Signed in as Tim\n");
  await alice.type("list\n");
  await alice.stdout.until("<- Signed In Users: Alice, Tim\n<- Only through the server: Tim\n");
});
