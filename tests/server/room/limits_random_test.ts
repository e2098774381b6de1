/** The limits of messages, whatever members do: they speak, leave, come back, move and take other streams, at random. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { seededRandom } from "../../../server/doors/network_emulator.ts";
import { all, FakeRoom } from "../../support/fake_room.ts";
import type { Sent } from "../../support/fake_delivery.ts";

/** As with `--rate 20`; an IP address may say ten times as much, and 100 a second more from the reserve, 400 at once. */
const RATE = { rate: 20, burst: 40 };
const ADDRESS_RATE = 200 + 100, ADDRESS_BURST = 400 + 400;
const HOSTS = ["203.0.113.1", "203.0.113.2"];

interface Speaker {
  at: string;
  token: string;
  stream: string;
  nextId: number;
}

/** One random room: returns what each IP address has said, and for how long it could, in seconds. */
function play(seed: number): { said: Map<string, number>; seconds: number } {
  const random = seededRandom(seed), below = (limit: number) => Math.floor(random() * limit);
  const room = new FakeRoom({ rate: RATE, timeout: 600_000, echo: { datagrams: seed % 2 === 0 } });
  const said = new Map<string, number>(), lastIds = new Map<string, number>(), seen = new Set<number>();
  const speakers = new Map<string, Speaker>();
  let names = 0;
  const newName = () => (++names + 1000 * seed).toString(16).padStart(16, "0");
  const anyAddress = () => `${HOSTS[below(2)]}:${1 + below(60)}`;
  const read = (sent: Sent[]) => {
    for (const { seq, from, stream, id } of all(sent, "INCOMING")) {
      if (seen.has(seq)) continue;
      seen.add(seq);
      const host = from.split(":")[0];
      said.set(host, (said.get(host) ?? 0) + 1);
      assert(id! > (lastIds.get(stream!) ?? 0), `seed ${seed}: ${id} of ${stream} comes after ${lastIds.get(stream!)}`);
      lastIds.set(stream!, id!);
    }
  };
  const join = () => {
    const at = anyAddress(), token = newName();
    room.move(at, token);
    speakers.set(at, { at, token, stream: newName(), nextId: 1 });
  };
  const start = room.now;
  for (let i = 0; i < 40; i++) join();
  for (let step = 0; step < 1200; step++) {
    const speaker = [...speakers.values()][below(speakers.size)], { at, token } = speaker, what = random();
    if (what < 0.75) {
      speaker.nextId = (lastIds.get(speaker.stream) ?? 0) + 1;
      const { stream, nextId: first } = speaker;
      for (let id = first + below(32); id >= first; id--) {
        read(room.v1(at, "MESSAGE", { token, stream, id, first, text: "x" }));
      }
    } else if (what < 0.85) {
      read(room.v1(at, "LEAVE", { id: 1, token }));
      speakers.delete(at);
      join();
    } else if (what < 0.92) {
      const to = anyAddress();
      room.move(to, token);
      speakers.delete(at);
      speakers.set(to, { ...speaker, at: to });
    } else speaker.stream = speaker.stream === token ? newName() : token;
    read(room.pass(below(16)));
  }
  const seconds = (room.now - start) / 1000;
  const before = new Map(said);
  read(room.pass(60_000));
  // nobody is stuck: after a pause each says something at once, in the stream that it uses
  for (const { at, token, stream } of speakers.values()) {
    const id = (lastIds.get(stream) ?? 0) + 1;
    const sent = room.v1(at, "MESSAGE", { token, stream, id, first: id, text: "fine" });
    if (all(sent, "ERROR").length === 0) assertEquals(all(sent, "INCOMING")[0]?.id, id, `seed ${seed}: ${at} is stuck`);
    read(sent);
  }
  return { said: before, seconds };
}

Deno.test("limits: whatever members do, an IP address says no more than it may, each stream in order, and nobody is stuck", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const { said, seconds } = play(seed);
    assertEquals(said.size, HOSTS.length);
    for (const [host, count] of said) {
      assertLessOrEqual(count, ADDRESS_BURST + ADDRESS_RATE * seconds + 1, `seed ${seed}: ${host}`);
      // they want to say far more than that, so the limit is what holds them back
      assert(count > 1000, `seed ${seed}: ${host} has said only ${count}`);
    }
  }
});
