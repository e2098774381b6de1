/** The attacks run, and measure something. */
import { assertEquals, assertGreater, assertGreaterOrEqual, assertMatch, assertThrows } from "@std/assert";
import { decode, V1_TYPES } from "../../protocol.ts";
import { attack as beAbsent } from "../../scripts/attacks/absent.ts";
import { attack } from "../../scripts/attacks/classic_crowd.ts";
import { fuzzClient, fuzzServer } from "../../scripts/attacks/fuzz.ts";
import { fuzzRoom } from "../../scripts/attacks/fuzz_room.ts";
import { mutations } from "../../scripts/attacks/mutations.ts";
import { attack as floodByRelay } from "../../scripts/attacks/relay_flood.ts";
import { attack as flood } from "../../scripts/attacks/strangers.ts";
import { attack as floodByTcp } from "../../scripts/attacks/tcp_flood.ts";
import { start } from "../../scripts/support/processes.ts";
import { Failure } from "../../runtime/program.ts";
import { seededRandom } from "../../server/doors/network_emulator.ts";
import { Room } from "../../server/room/room.ts";

Deno.test("attacks: a forged classic crowd is let in, and version 1 members hear each other", async () => {
  if (Deno.build.os !== "linux") return console.log("Skipped: one socket sends from many addresses only on Linux");
  for (const gone of [false, true]) {
    const result = await attack({ members: 300, rate: 20, noise: gone ? 0 : 50, gone, seconds: 0.5 });
    assertEquals([result.arrived, result.due], [50, 50]);
    assertGreater(result.median, 0);
  }
});

Deno.test("attacks: strangers flood a server, members hear each other, and a newcomer gets in", async () => {
  if (Deno.build.os !== "linux") return console.log("Skipped: one socket sends from many addresses only on Linux");
  const { sent, arrived, said, joining } = await flood({ rate: 3000, seconds: 1 });
  assertGreater(sent, 1000);
  assertGreater(joining, 0);
  assertEquals(arrived, said);
});

Deno.test("attacks: datagrams come from addresses at which nobody is, all hear each other, and a newcomer gets in", async () => {
  const greetings = { senders: 100, addresses: 100, rate: 1000, datagram: "GREETING/1 id=1000000", seconds: 2 };
  const copies = { senders: 250, addresses: 250, rate: 500, datagram: "GREETING", seconds: 5 };
  for (const options of [greetings, copies]) {
    const result = await beAbsent(options);
    if (typeof result === "string") return console.log(`Skipped: ${result}`);
    const { arrived, said, joining, heardByClassic } = result;
    assertGreater(said, 0);
    assertEquals([arrived, heardByClassic], [said, said]);
    assertGreater(joining ?? 0, 0);
  }
});

Deno.test("attacks: a member's address is forged, members hear each other, and this member is answered", async () => {
  if (Deno.build.os !== "linux") return console.log("Skipped: one socket sends from any address only on Linux");
  const { sent, arrived, said, joining, asked, answered } = await flood({ rate: 3000, seconds: 1, member: true });
  assertGreater(sent, 1000);
  assertGreater(joining, 0);
  assertEquals(arrived, said);
  assertGreater(asked, 0);
  assertGreater(answered, asked / 2);
});

Deno.test("attacks: connections send all that is read, whatever costs no token, and members hear each other", async () => {
  for (const [text, deaf] of [["\n", false], ["/x\n", false], [" \n", false], ["hello\n", true]] as const) {
    const { arrived, said, bytesPerSecond } = await floodByTcp({ connections: 20, text, deaf, seconds: 1 });
    assertGreater(said, 0);
    assertEquals([text, arrived], [text, said]);
    assertGreater(bytesPerSecond, 0);
  }
});

Deno.test("attacks: members flood one through the server, whom others reach all the same, and who hears everybody", async () => {
  for (const more of [{}, { hosts: 2, receivers: 5, texts: 32 }]) {
    const { public: inPublic, private: inPrivate, sent, passed } = await floodByRelay({
      ...{ members: 10, rate: 3000, seconds: 1 },
      ...more,
    });
    assertGreater(sent, 1000);
    assertGreater(passed, 0);
    assertGreater(inPrivate.said, 0);
    assertEquals([inPrivate.arrived, inPublic.arrived], [inPrivate.said, inPublic.said]);
  }
});

Deno.test("attacks: of the odd datagrams some are accepted of every type, and with every field", () => {
  const hex = "5f1c0d9a7be2e604", known = { token: hex, epoch: hex, stream: hex, id: 3, address: "127.0.0.1:9" };
  const next = mutations(seededRandom(1), () => known), reached = new Set<string>();
  for (let i = 0; i < 10_000; i++) {
    const decoded = decode(next());
    if (!decoded.ok || decoded.packet.dialect !== "v1") continue;
    for (const field in decoded.packet) reached.add(`${decoded.packet.type}/1 ${field}`);
  }
  const { packets }: { packets: { good: { type: string; fields: object }[] } } = JSON.parse(
    Deno.readTextFileSync(new URL("../../docs/test_vectors.json", import.meta.url)),
  );
  const due = [
    ...V1_TYPES.map((type) => `${type}/1 type`),
    ...packets.good.flatMap(({ type, fields }) => Object.keys(fields).map((field) => `${type} ${field}`)),
  ];
  assertEquals(due.filter((field) => !reached.has(field)), []);
});

Deno.test("attacks: a room reads each odd datagram, and does something about many", () => {
  const result = fuzzRoom({ datagrams: 5000, seed: 7 });
  // a packet that turns out to have no text counts as unreadable too
  assertGreaterOrEqual(result.packets + result.ignored["no-packet"], 5000);
  assertEquals(result.ignored.flood, 0);
  assertGreater(result.packets, 1000);
  assertGreater(result.joined, 10);
  assertGreater(result.messages, 10);
});

Deno.test("attacks: a bug of the room is found, with the datagram that shows it", () => {
  const { receive } = Room.prototype;
  let packets = 0;
  Room.prototype.receive = function (...args) {
    if (++packets === 100) throw new RangeError("oh");
    receive.apply(this, args);
  };
  try {
    assertThrows(() => fuzzRoom({ datagrams: 5000, seed: 7 }), Failure, "of seed 7, ");
  } finally {
    Room.prototype.receive = receive;
  }
});

Deno.test("attacks: odd datagrams stop neither a server nor a client", async () => {
  const options = { datagrams: 5000, seed: 7 };
  await fuzzServer(options);
  await fuzzClient(options);
});

Deno.test("attacks: wrong usage is told", async () => {
  const script = [Deno.execPath(), "run", "-A", "scripts/attacks/classic_crowd.ts"];
  await using wrong = start([...script, "--gone", "--noise", "5"]);
  assertEquals(await wrong.exitCode(), 2);
  await using help = start([...script, "--help"]);
  assertEquals(await help.exitCode(), 0);
  assertMatch(help.stdout.text(), /--members COUNT/);
});
