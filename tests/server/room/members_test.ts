/** The members: found by address, token and name, listed by name, and ordered by their silence. */
import { assert, assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { type Dialect, encode, MAX_DATAGRAM_BYTES } from "../../../protocol.ts";
import { randomHex64 } from "../../../protocol/fields.ts";
import { compareKeys, nameKey } from "../../../protocol/names.ts";
import { byteLength } from "../../../protocol/utf8.ts";
import { type Member, Members } from "../../../server/room/members.ts";
import { peerOf } from "../../support/peer_of.ts";

const A = "127.0.0.1:1", B = "127.0.0.1:2", C = "127.0.0.1:3";

/** Adds a member as the room does. */
function join(members: Members, address: string, dialect: Dialect, now: number): Member {
  return members.add({ peer: peerOf(address), dialect, token: dialect === "v1" ? randomHex64() : "" }, now, now);
}

const inOrder = (one: string, other: string) => compareKeys(nameKey(one), nameKey(other));

Deno.test("members: a member of any dialect is found by address and name, a v1 member also by token", () => {
  const members = new Members();
  const alice = join(members, A, "v1", 5);
  const bob = join(members, B, "classic", 6);
  members.rename(alice, "Alice");
  members.rename(bob, "Bob");
  assertEquals([members.withKey(A), members.withToken(alice.token), members.withName("ALICE")], [alice, alice, alice]);
  assertEquals([members.withKey(B), members.withName("bob")], [bob, bob]);
  assertEquals([members.withKey(C), members.withToken("x"), members.withName("Carol")], [
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals([members.size, members.v1Size, members.named], [2, 1, 2]);
  assertEquals([alice.since, members.heardAt(alice)], [0, 5]);
});

Deno.test("members: a classic member has no token, so no token finds it", () => {
  const members = new Members();
  const bob = join(members, A, "classic", 0);
  assertEquals(bob.token, "");
  assertEquals(members.withToken(""), undefined);
});

Deno.test("members: a removed member is not found any more, and its name is free", () => {
  const members = new Members();
  const alice = join(members, A, "v1", 0);
  members.rename(alice, "Alice");
  const { token } = alice;
  assertEquals(members.namesAfter(undefined).names, ["Alice"]);
  members.remove(alice);
  assertEquals([members.withKey(A), members.withToken(token), members.withName("Alice"), members.size, members.named], [
    undefined,
    undefined,
    undefined,
    0,
    0,
  ]);
  assertEquals(members.namesAfter(undefined), { names: [], more: false });
});

Deno.test("members: those whose names look like a name are found, until they go or have another name", () => {
  const members = new Members();
  const [alice, neil] = [join(members, A, "v1", 0), join(members, B, "v1", 0)];
  members.rename(alice, "AIice");
  members.rename(neil, "Neil");
  for (const name of ["Alice", "aIice", "\u0410lice"]) assert(members.lookAlikesOf(name).includes(alice), name);
  assertEquals(members.lookAlikesOf("NeiI"), [neil]);
  for (const name of ["Alise", "Nell", "Bob"]) assertEquals(members.lookAlikesOf(name), []);
  members.rename(alice, "Bob");
  assertEquals(members.lookAlikesOf("Alice"), []);
  members.remove(neil);
  assertEquals(members.lookAlikesOf("Neil"), []);
  assertEquals(members.lookAlikesOf("B0b"), [alice]);
  members.rename(alice, "B0b");
  members.remove(alice);
  assertEquals(members.lookAlikesOf("Bob"), []);
});

Deno.test("members: two of an earlier run keep names that look alike, and who leaves takes only its own along", () => {
  const members = new Members();
  const kept = { dialect: "v1", since: 0 } as const;
  const one = members.restore({ ...kept, address: A, token: randomHex64(), name: "A1ice" }, 0);
  const other = members.restore({ ...kept, address: B, token: randomHex64(), name: "AIice" }, 0);
  assertEquals([one.name, other.name, members.named], ["A1ice", "AIice", 2]);
  members.remove(one);
  assertEquals(members.lookAlikesOf("Alice"), [other]);
});

Deno.test("members: a new name frees the old one", () => {
  const members = new Members();
  const alice = join(members, A, "v1", 0);
  members.rename(alice, "Alice");
  assertEquals(members.namesAfter(undefined).names, ["Alice"]);
  members.rename(alice, "Alicia");
  assertEquals([members.withName("Alice"), members.withName("Alicia")], [undefined, alice]);
  assertEquals(members.namesAfter(undefined).names, ["Alicia"]);
});

Deno.test("members: a member that moves is found at its new address only, by its token and by its name", () => {
  const members = new Members();
  const alice = join(members, A, "v1", 0);
  members.rename(alice, "Alice");
  members.move(alice, peerOf(B));
  assertEquals([members.withKey(A), members.withKey(B), members.withToken(alice.token)], [undefined, alice, alice]);
  assertEquals([alice.address, members.size, members.withName("alice")], [B, 1, alice]);
});

Deno.test("members: peers with one address are different members", () => {
  const members = new Members();
  const [tcp, udp] = [join(members, `tcp ${A}`, "classic", 0), join(members, A, "v1", 0)];
  assertEquals([members.withKey(A), members.withKey(`tcp ${A}`), members.size], [udp, tcp, 2]);
  assertEquals([tcp.address, tcp.direct, udp.address, udp.direct], [A, false, A, true]);
  members.remove(tcp);
  assertEquals([members.withKey(A), members.withKey(`tcp ${A}`)], [udp, undefined]);
});

Deno.test("members: the most silent v1 member is the one heard longest ago; classic ones don't count", () => {
  const members = new Members();
  join(members, "127.0.0.1:9", "classic", 0);
  assertEquals([...members.bySilence()][0], undefined);
  const [a, b, c] = [A, B, C].map((address, i) => join(members, address, "v1", i));
  members.touch(a, 10);
  assertEquals([[...members.bySilence()][0], members.heardAt(a)], [b, 10]);
  members.touch(b, 11);
  assertEquals([...members.bySilence()][0], c);
  members.remove(c);
  assertEquals([...members.bySilence()][0], a);
});

Deno.test("members: the order by silence is right after any arrivals, signs of life, moves and departures", () => {
  const steps = fc.array(fc.tuple(fc.constantFrom("join", "touch", "move", "remove"), fc.nat(9)), { maxLength: 60 });
  fc.assert(fc.property(steps, (steps) => {
    const members = new Members();
    let row: Member[] = [];
    for (const [now, [step, who]] of steps.entries()) {
      if (step === "join") row.push(join(members, `127.0.0.1:${100 + now}`, "v1", now));
      const member = row[who];
      if (step === "join" || !member) continue;
      if (step !== "move") row = row.filter((other) => other !== member);
      if (step === "move") members.move(member, peerOf(`127.0.0.1:${1000 + now}`));
      if (step === "remove") members.remove(member);
      if (step === "touch") {
        members.touch(member, now);
        row.push(member);
      }
    }
    assertEquals([...members.bySilence()].map(({ address }) => address), row.map(({ address }) => address));
  }));
});

Deno.test("members: pages follow each other without a gap or a repeat, whatever the names", () => {
  const nameOf = fc.string({
    unit: fc.constantFrom("a", "B", "ß", "é", "李", "σ", "ς", "𝔘", "_", "9"),
    minLength: 1,
    maxLength: 32,
  });
  fc.assert(
    fc.property(fc.uniqueArray(nameOf, { maxLength: 120 }), (names) => {
      const members = new Members();
      const kept: string[] = [];
      for (const [i, name] of names.entries()) {
        if (members.withName(name)) continue;
        members.rename(join(members, `10.0.0.1:${i + 1}`, "v1", 0), name);
        kept.push(name);
      }
      const listed: string[] = [];
      for (let more = true; more;) {
        const page = members.namesAfter(listed.at(-1));
        assert(page.names.length > 0 || listed.length === kept.length);
        assertLess(byteLength(page.names.join("\n")), 1132);
        listed.push(...page.names);
        more = page.more;
      }
      assertEquals(new Set(listed), new Set(kept));
      assertEquals(listed.length, kept.length);
    }),
    { numRuns: 50 },
  );
});

Deno.test("members: a full page fits into a datagram with the longest numbers before it", () => {
  const members = new Members(), most = Number.MAX_SAFE_INTEGER;
  for (let i = 100; i < 600; i++) members.rename(join(members, `10.0.0.1:${i}`, "v1", 0), `${i}`);
  const page = members.namesAfter(undefined);
  assert(page.more);
  const bytes = encode({
    dialect: "v1",
    type: "USERS",
    id: most,
    token: randomHex64(),
    total: most,
    unnamed: most,
    ...page,
  });
  assertLess(MAX_DATAGRAM_BYTES - bytes.length, 4, "one more name would fit");
});

Deno.test("members: the list is sorted by code points, and a page begins behind any name", () => {
  const members = new Members(), sorted = ["Bob", "Ａlice", "𐐀", "𝒜lice"];
  for (const [i, name] of sorted.toReversed().entries()) {
    members.rename(join(members, `10.0.0.1:${i + 1}`, "v1", 0), name);
  }
  for (const [i, name] of sorted.entries()) assertEquals(members.namesAfter(name).names, sorted.slice(i + 1));
  // U+10000, which nobody has
  assertEquals(members.namesAfter("𐀀").names, sorted.slice(2));
  members.rename(members.withName("Bob")!, "ｂob");
  assertEquals(members.namesAfter(undefined).names, ["Ａlice", "ｂob", "𐐀", "𝒜lice"]);
});

Deno.test("members: the list stays sorted through arrivals, new names and departures, and its pages are whole", () => {
  const nameOf = fc.string({
    unit: fc.constantFrom("a", "A", "b", "ß", "é", "李", "Ａ", "𝔘", "."),
    minLength: 1,
    maxLength: 3,
  });
  const step = fc.record({
    what: fc.constantFrom("come", "come", "rename", "go", "list"),
    who: fc.nat(),
    name: nameOf,
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const members = new Members();
      const here: { member: ReturnType<Members["add"]>; name: string }[] = [];
      let port = 0;
      for (const { what, who, name } of steps) {
        const i = who % Math.max(1, here.length);
        const holder = members.withName(name);
        if (what === "come" && !holder) {
          const member = join(members, `10.0.0.1:${++port}`, port % 3 ? "v1" : "classic", port);
          members.rename(member, name);
          here.push({ member, name });
        } else if (what === "rename" && here[i] && (!holder || holder === here[i].member)) {
          members.rename(here[i].member, name);
          here[i].name = name;
        } else if (what === "go" && here[i]) {
          members.remove(here.splice(i, 1)[0].member);
        }
        const sorted = here.map(({ name }) => name).sort(inOrder);
        // the list is sorted at the first request, and is kept sorted from then on
        if (what !== "list" && port % 2) continue;
        const listed: string[] = [];
        for (let more = true; more;) {
          const page = members.namesAfter(listed.at(-1));
          listed.push(...page.names);
          more = page.more;
        }
        assertEquals(listed, sorted);
        assertEquals(members.named, sorted.length);
        // a page starts after a name, even if no member has that name
        assertEquals(members.namesAfter(name).names, sorted.filter((other) => inOrder(other, name) > 0));
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("members: the orders by silence are right after any arrivals, signs of life and departures", () => {
  const HOSTS = ["10.0.0.1", "10.0.0.10", "[fd00::1]", "[fd00::2]", "[fd00:0:0:1::1]"];
  const steps = fc.array(
    fc.tuple(fc.constantFrom("join", "join", "heard", "leave"), fc.nat(19), fc.constantFrom("v1", "classic")),
    { maxLength: 60 },
  );
  fc.assert(fc.property(steps, (steps) => {
    const members = new Members();
    let row: Member[] = [];
    for (const [now, [step, who, dialect]] of steps.entries()) {
      const address = `${HOSTS[who % HOSTS.length]}:${100 + now}`;
      const member = step === "join" ? join(members, address, dialect, now) : row[who % row.length];
      if (member === undefined) continue;
      if (step === "heard") members.touch(member, now);
      if (step === "leave") members.remove(member);
      row = row.filter((other) => other !== member);
      if (step !== "leave") row.push(member);
      if (step !== "leave") assertEquals(members.heardAt(member), now);
      const classic = row.filter(({ dialect }) => dialect !== "v1");
      assertEquals([...members.bySilence()], row.filter(({ dialect }) => dialect === "v1"));
      assert(members.longestSilentClassic() === classic[0]);
      for (const host of HOSTS) {
        // the first 64 bits of an IPv6 address count
        const start = host.startsWith("[fd00::") ? "[fd00::" : `${host}:`;
        const first = classic.find(({ address }) => address.startsWith(start));
        assert(members.longestSilentClassic(`${host}:1`) === first, host);
      }
    }
  }));
});

Deno.test("members: the end of an older connection leaves the younger one with the same address to be found", () => {
  const members = new Members();
  // as the keys of two doors would be
  const [older, younger] = ["tcp", "tls"].map((scheme) => join(members, `${scheme} ${A}`, "line", 0));
  assertEquals([members.withConnection(A), members.withAddress(A)], [younger, younger]);
  members.remove(older);
  assertEquals([members.withConnection(A), members.withAddress(A)], [younger, younger]);
  members.remove(younger);
  assertEquals([members.withConnection(A), members.withAddress(A)], [undefined, undefined]);
});
