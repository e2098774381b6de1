/** Admission under random packets: from a few addresses, with any tokens and cookies that were seen before. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { encode, type Packet } from "../../../protocol.ts";
import { randomHex64 } from "../../../protocol/fields.ts";
import { compareKeys, nameKey } from "../../../protocol/names.ts";
import type { KeptMember } from "../../../server/journal/past.ts";
import type { Member } from "../../../server/room/members.ts";
import { all, FakeRoom, one, outline, STREAM, to } from "../../support/fake_room.ts";
import { peerOf } from "../../support/peer_of.ts";
import { A, B, C, copyAsAfterCrash, D, openFolder, openRoom, readPast } from "../../support/state_files.ts";

const ADDRESSES = [A, B, C, D];
/** Tokens that clients choose for themselves. */
const CHOSEN = ["00000000000000aa", "00000000000000bb"];
const step = fc.record({
  what: fc.oneof(
    { weight: 4, arbitrary: fc.constant("greet" as const) },
    { weight: 4, arbitrary: fc.constant("come" as const) },
    // greets with what the last answer brought, as a client does
    { weight: 9, arbitrary: fc.constant("answer" as const) },
    ...(["say", "leave", "classic", "again", "pass", "restart"] as const).map((what) => fc.constant(what)),
  ),
  from: fc.constantFrom(...ADDRESSES),
  // indexes into the tokens and cookies seen so far, counted from the last; none when out of range
  token: fc.nat(5),
  cookie: fc.nat(5),
  name: fc.constantFrom(undefined, undefined, "Alice", "alice", "Bob"),
});

Deno.test("admission: after any packets a name, token or address belongs to one member only, in the file too", () => {
  using folder = openFolder();
  let runs = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 40, maxLength: 80 }), (steps) => {
      const path = folder.file(`${runs++}.db`), seen = [...CHOSEN], past: [Packet, string][] = [];
      const last = new Map<string, { token: string; cookie?: string }>();
      let opened = openRoom(path, { maxMembers: 3 });
      try {
        for (const [id, { what, from, token: t, cookie: c, name }] of steps.entries()) {
          const { room } = opened;
          const token = seen.at(-1 - t), cookie = seen.at(-1 - c);
          const greeting = (fields: { token?: string; cookie?: string }): Packet =>
            name === undefined
              ? { dialect: "v1", type: "GREETING", id, ...fields }
              : { dialect: "v1", type: "SIGN-IN", id, name, ...fields };
          let packet: Packet | undefined;
          if (what === "greet") packet = greeting({ token, cookie });
          if (what === "come") packet = greeting({ token: CHOSEN[t % 2] });
          if (what === "answer") packet = greeting(last.get(from) ?? {});
          if (what === "say" && token) {
            packet = { dialect: "v1", type: "MESSAGE", token, stream: STREAM, id: id + 1, first: 1, text: "x" };
          }
          if (what === "leave" && token) packet = { dialect: "v1", type: "LEAVE", id, token };
          if (what === "classic") packet = { dialect: "classic", type: "SIGN-IN", name: name ?? "Carol" };
          if (what === "pass") room.pass([50, 50, 200, 200, 6000, 40_000][t]);
          if (what === "restart") {
            opened[Symbol.dispose]();
            opened = openRoom(path, { maxMembers: 3 });
          }
          // an earlier packet that arrives again
          const [sent, at] = what === "again" ? past.at(-1 - t) ?? [] : [packet, from];
          if (sent && at) {
            past.push([sent, at]);
            room.room.receive(sent, peerOf(at), room.now, encode(sent).length);
            const answers = room.delivery.take();
            for (const { token } of all(answers, "WELCOME")) {
              if (!seen.includes(token)) seen.push(token);
              last.set(at, { token });
            }
            for (const { cookie } of all(answers, "RETRY")) {
              const own = "token" in sent ? sent.token : undefined;
              if (!seen.includes(cookie)) seen.push(cookie);
              last.set(at, { token: own ?? randomHex64(), cookie });
            }
          }
          check(opened.room);
        }
        const members = membersOf(opened.room).map(rowOf).sort();
        assertEquals(
          readPast(copyAsAfterCrash(path, folder.file(`${runs}-crashed.db`))).members.map(rowOf).sort(),
          members,
        );
      } finally {
        opened[Symbol.dispose]();
      }
    }),
    { seed: Number(Deno.env.get("SEED") ?? 1), numRuns: Number(Deno.env.get("RUNS") ?? 100) },
  );
});

function membersOf({ delivery }: FakeRoom): Member[] {
  return [...delivery.recipients] as Member[];
}

function rowOf({ address, dialect, token, name }: KeptMember): string {
  return [address, dialect, token, name].join();
}

function check(room: FakeRoom): void {
  const members = membersOf(room), v1 = members.filter(({ dialect }) => dialect === "v1");
  assertEquals(members.length, room.room.size, "who is here gets what is said");
  assert(members.length <= 3);
  const names = members.flatMap(({ name }) => name === undefined ? [] : [nameKey(name)]);
  for (const keys of [names, members.map(({ address }) => address), v1.map(({ token }) => token)]) {
    assertEquals(keys.length, new Set(keys).size, keys.join());
  }
  assertEquals(room.room.users().names.map(nameKey), names.sort(compareKeys));
  // the order by silence has each v1 member once, and no other member
  const row: Member[] = [];
  for (let next = v1.find(({ previousHeard }) => !previousHeard); next; next = next.nextHeard) {
    assertEquals(next.previousHeard === row.at(-1), true);
    row.push(next);
    assert(row.length <= v1.length);
  }
  assertEquals([row.length, row.every((member) => v1.includes(member))], [v1.length, true]);
  assertEquals(row.map(({ heard }) => heard), row.map(({ heard }) => heard).sort((a, b) => a - b));
}

Deno.test("admission: a classic member that was announced, changes to version 1 and leaves at once is told to have left", () => {
  const room = new FakeRoom();
  room.join(B);
  room.datagram(A, "GREETING");
  const addresses = (type: "ONLINE" | "OFFLINE") => {
    return one(to(room.pass(1000), B), type).members.map(({ address }) => address);
  };
  assertEquals(addresses("ONLINE"), [B, A]);
  const { token } = room.join(A);
  room.v1(A, "LEAVE", { id: 9, token });
  assertEquals(addresses("OFFLINE"), [A]);
});

Deno.test("admission: in a room that was restored with more members than fit, a classic one can change to version 1", () => {
  const classic = (address: string): KeptMember => {
    return { address, dialect: "classic", token: "", name: undefined, since: 1 };
  };
  const room = new FakeRoom({ maxMembers: 2, members: [A, B, C].map(classic) });
  assertEquals(room.room.size, 3);
  room.join(A);
  assertEquals(room.room.size, 3);
  assertEquals(outline(room.datagram("10.0.0.9:9", "GREETING")), []);
  assertEquals(room.room.size, 3, "a newcomer is not let in");
});
