/** Direct messages between two homes, each behind its own NAT, with the server outside. */
import { assert, assertEquals, assertGreater, assertMatch, assertNotMatch } from "@std/assert";
import { commandOf, start } from "../../scripts/support/processes.ts";
import { DEADLINE_MS } from "../../scripts/support/waiting.ts";
import { ALICE_OUTSIDE, BOB_OUTSIDE, openHomes } from "../support/homes.ts";
import { signIn } from "../support/signed_in.ts";

const PORT = 9090;
/** Pause between two tries whether the direct way is open, in milliseconds. */
const LOOK_AGAIN_MS = 40;
/** Makes a NAT drop every PUNCH on its way in: the first four bytes behind the UDP header are those of the word. */
const DROP_PUNCHES = `
table ip deaf {
  chain inward { type filter hook forward priority -1; udp sport ${PORT} @th,64,32 0x50554e43 drop; }
}`;

Deno.test("nat: a direct message passes two NATs by way of a punched hole, and without one through the server", async () => {
  const homes = await openHomes();
  if (typeof homes === "string") return console.log(`Skipped: ${homes}`);
  await using _ = homes;
  await using server = start(homes.inside("server", [...commandOf("server"), String(PORT)]));
  await server.stdout.until(new RegExp(`client.*${PORT}\n`));
  await using alice = await signIn(PORT, "Alice", homes.at("alice"));
  await using bob = await signIn(PORT, "Bob", homes.at("bob"));
  const [bobHost, bobPort] = bob.address.split(":");
  assertEquals([alice.address.split(":")[0], bobHost], [ALICE_OUTSIDE, BOB_OUTSIDE]);

  // what nobody has asked for does not pass Bob's NAT, from Alice's home or from anywhere
  const knock = `const conn = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });
    await conn.send(new TextEncoder().encode("MESSAGE/1 stream=2be90f4417d6a3c8 id=1\\nknock"),
      { transport: "udp", hostname: "${bobHost}", port: ${bobPort} });`;
  await using knocking = start(homes.inside("alice", [Deno.execPath(), "eval", "--unstable-net", knock]));
  assertEquals(await knocking.exitCode(), 0, knocking.stderr.text());
  const before = await homes.dropped("bob_nat", 0);

  // without the server's word to Bob his NAT stays shut for Alice's datagrams too, so that they go through the server
  await homes.nft("bob_nat", DROP_PUNCHES);
  await alice.type("send Bob one\n");
  await alice.stderr.until("-- Bob can't be reached directly; sending through the server. /direct only forbids that\n");
  await bob.stdout.until(`<- <From ${alice.address}:Alice> (through the server): one\n`);
  await alice.stderr.until("-- Delivered to Bob (through the server): one\n");
  assertGreater(await homes.dropped("bob_nat", before), before + 2);
  // or nowhere
  await using carole = await signIn(PORT, "Carole", { ...homes.at("alice"), flags: ["--no-relay"] });
  await carole.type("send Bob hush\n");
  const reason = "Bob has not answered directly: it may be gone, ignore you, or be reached through the server only, " +
    "which you have forbidden (start without --no-relay to allow it)";
  await carole.stderr.until(`!! Not known to be delivered to Bob ("hush"): ${reason}\n`);

  // with it, both are open, for the answer as well; the client finds that out when it writes again
  await homes.nft("bob_nat", "delete table ip deaf");
  const deadline = performance.now() + DEADLINE_MS;
  for (let i = 0; !bob.stdout.text().includes(`<- <From ${alice.address}:Alice>: two`); i++) {
    assert(performance.now() < deadline, bob.stdout.text());
    await alice.type(`send Bob two ${i}\n`);
    await alice.stderr.until(new RegExp(`^-- Delivered to Bob( \\(through the server\\))?: two ${i}\n`, "m"));
    await new Promise((resume) => setTimeout(resume, LOOK_AGAIN_MS));
  }
  // so does his, which may have answered by the server's way before
  for (let i = 0; !alice.stdout.text().includes(`<- <From ${bob.address}:Bob>: three`); i++) {
    assert(performance.now() < deadline, alice.stdout.text());
    await bob.type(`/reply three ${i}\n`);
    await bob.stderr.until(new RegExp(`^-- Delivered to Alice( \\(through the server\\))?: three ${i}\n`, "m"));
    await new Promise((resume) => setTimeout(resume, LOOK_AGAIN_MS));
  }
  assertNotMatch(bob.stdout.text(), /hush|knock/);

  await bob.endInput();
  assertEquals(await bob.exitCode(), 0);
  server.kill("SIGTERM");
  assertEquals(await server.exitCode(), 0);
  // the three that said "here": nothing else has passed through the server
  assertMatch(server.stdout.text(), /^Closed: .*\b3 messages in, /m);
  assert(!alice.ended(), alice.stderr.text());
});
