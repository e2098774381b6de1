/** How many messages come from one port, however often somebody leaves and joins there again. */
import { assertEquals } from "@std/assert";
import { noneIgnored } from "../../../server/room/ignored.ts";
import { Limits } from "../../../server/room/limits.ts";
import { Members } from "../../../server/room/members.ts";
import { FakeRoom, one } from "../../support/fake_room.ts";
import { peerOf } from "../../support/peer_of.ts";

/** What a server has when it is told nothing else. */
const RATE = { rate: 20, burst: 40 };
const ATTACKER = "203.0.113.1";

let tokens = 0;
const newToken = () => (++tokens).toString(16).padStart(16, "0");

/** A room that notes when each message is published, and who says how many. */
function openRoom(rate = RATE) {
  const room = new FakeRoom({ rate });
  const published = new Map<string, number[]>();
  const said = new Map<string, number>();
  room.delivery.broadcast = (packet) => {
    if (packet.type !== "INCOMING") return;
    published.set(packet.from, [...published.get(packet.from) ?? [], room.now]);
  };
  return {
    room,
    /** How many messages were published that come from an IP address. */
    countOf: (ip: string) =>
      [...published].reduce((sum, [from, times]) => sum + (from.startsWith(`${ip}:`) ? times.length : 0), 0),
    /** Joins with a token that nobody had, and returns it. */
    join(from: string): string {
      const token = newToken();
      room.move(from, token);
      return token;
    },
    /** Says so many further messages. */
    say(from: string, token: string, count: number): void {
      for (; count > 0; count--) {
        const id = (said.get(token) ?? 0) + 1;
        said.set(token, id);
        room.v1(from, "MESSAGE", { token, stream: token, id, first: Math.max(1, id - 31), text: `${id}` });
      }
    },
    leave: (from: string, token: string) => one(room.v1(from, "LEAVE", { id: 9, token }), "ACK"),
  };
}

Deno.test("message limits: whoever comes to a port goes on with what was used up there", () => {
  const key = "203.0.113.1:1", other = "203.0.113.9:2", connection = `tcp ${key}`;
  const ways: [string, string, (fake: ReturnType<typeof openRoom>, token: string) => void][] = [
    ["says goodbye", key, ({ leave }, token) => leave(key, token)],
    ["is taken for gone", key, () => {}],
    ["moves", key, ({ room }, token) => room.move(other, token)],
    ["hangs up", connection, ({ room }) => room.room.hungUp(peerOf(connection), room.now)],
  ];
  for (const [how, from, goes] of ways) {
    const fake = openRoom();
    for (let again = 0; again < 5; again++) {
      const token = fake.join(from);
      fake.say(from, token, 40);
      goes(fake, token);
    }
    assertEquals(fake.countOf(ATTACKER), 40, how);
    const token = fake.join(from);
    fake.say(from, token, 10);
    fake.room.pass(500);
    assertEquals(fake.countOf(ATTACKER), 50, `${how}: its pace is the same as if nobody had left`);
  }
});

Deno.test("message limits: what a silent member had used up is kept, and has filled again after its time", () => {
  // a message in 100 s
  const { room, countOf, join, say } = openRoom({ rate: 1 / 100, burst: 1 });
  const from = `${ATTACKER}:1`;
  say(from, join(from), 1);
  room.pass(61_000);
  assertEquals(room.room.size, 0);
  say(from, join(from), 1);
  assertEquals(countOf(ATTACKER), 1);
  room.pass(39_000);
  assertEquals(countOf(ATTACKER), 2);
});

Deno.test("message limits: what is kept of those who have left has its bounds, and a classic peer is not the same", () => {
  const limits = new Limits(RATE, noneIgnored()), members = new Members();
  const member = (i: number, dialect: "v1" | "classic" = "v1") => {
    const peer = { ...peerOf(`10.${i >> 16}.${i >> 8 & 255}.${i & 255}:1`), validated: dialect === "v1" };
    return members.add({ peer, dialect, token: newToken() }, 0, 0);
  };
  /** Says all that a member may, and leaves; returns how much it was. */
  const use = (i: number, now: number, dialect?: "v1" | "classic") => {
    const who = member(i, dialect);
    let taken = 0;
    while (limits.takeMessageToken(who, now) === 0) taken++;
    limits.keepUnsaid(who, now);
    return taken;
  };
  for (let i = 0; i < 10_001; i++) use(i, 0);
  assertEquals([1, 10_000, 0].map((i) => use(i, 0)), [0, 0, 40]);
  assertEquals(use(10_000, 0, "classic"), 40);
  // what has filled again pushes out nothing
  const crowd = Array.from({ length: 10_001 }, (_, i) => member(20_000 + i));
  for (const who of crowd) limits.takeMessageToken(who, 5000);
  assertEquals(use(40_000, 5050), 40);
  for (const who of crowd) limits.keepUnsaid(who, 5050);
  assertEquals(use(40_000, 5050), 0);
});
