/** Whatever is lost, repeated or late: what a member is told was not said is never said, and nothing is left open. */
import { assertEquals } from "@std/assert";
import { seededRandom } from "../../../server/doors/network_emulator.ts";
import { all, STREAM, to } from "../../support/fake_room.ts";
import { ALICE, OrderRoom } from "../../support/order_room.ts";

const B = "10.0.0.2:40002", MESSAGES = 40;

/** Plays one schedule: Bob says 40 messages over a bad network, and is muted now and then. */
function play(seed: number): void {
  const random = seededRandom(seed), room = new OrderRoom({ rate: { rate: 100, burst: 10 } });
  const { token } = room.join(B, "Bob");
  room.settle();
  const settled = new Map<number, "said" | "refused">(), heard: number[] = [];
  /** Datagrams of Bob that are under way, each with what is left of its time. */
  let underWay: { id: number; first: number; ticks: number }[] = [];
  let isMuted = false;
  const read = (sent: ReturnType<typeof room.pass>) => {
    heard.push(...all(to(sent, ALICE), "INCOMING").map(({ text }) => Number(text)));
    // of what goes to Bob a third is lost; a later answer counts for nothing that is settled
    const arrived = to(sent, B).filter(() => random() < 0.67);
    for (const { id } of all(arrived, "INCOMING")) if (!settled.has(id!)) settled.set(id!, "said");
    for (const { id } of all(arrived, "ERROR")) if (!settled.has(id!)) settled.set(id!, "refused");
    for (const { id: upTo } of all(arrived, "ACK")) {
      for (let id = 1; id <= upTo; id++) if (!settled.has(id)) settled.set(id, "said");
    }
  };
  for (let tick = 0; settled.size < MESSAGES; tick++) {
    assertEquals(tick < 3000, true, `seed ${seed}: only ${settled.size} of ${MESSAGES} are settled`);
    if (random() < 0.1 && tick < 1000 || tick === 1000 && isMuted) {
      isMuted = !isMuted;
      read(room.order(isMuted ? "mute Bob" : "unmute Bob"));
    }
    let first = 1;
    while (settled.has(first)) first++;
    for (let id = first; id < first + 8 && id <= MESSAGES; id++) {
      if (settled.has(id)) continue;
      for (let copies = Math.floor(3 * random()); copies > 0; copies--) {
        underWay.push({ id, first, ticks: Math.floor(5 * random()) });
      }
    }
    for (const { id, first } of underWay.filter(({ ticks }) => ticks === 0)) {
      read(room.v1(B, "MESSAGE", { token, stream: STREAM, id, first, text: `${id}` }));
    }
    underWay = underWay.filter(({ ticks }) => ticks > 0).map((it) => ({ ...it, ticks: it.ticks - 1 }));
    read(room.pass(50));
  }
  const said = [...settled].filter(([, how]) => how === "said").map(([id]) => id).sort((a, b) => a - b);
  assertEquals(heard, said, `seed ${seed}`);
}

Deno.test("mute: at a third of loss, with copies and late datagrams, each message is either said once or refused", () => {
  for (let seed = 1; seed <= 100; seed++) play(seed);
});
