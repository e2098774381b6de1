/** Who may join in the classic dialect: from which networks, and how many. */
import { assertEquals } from "@std/assert";
import { parseNetwork } from "../../../protocol/ip_network.ts";
import type { KeptMember } from "../../../server/journal/past.ts";
import { ClassicPolicy, type ClassicPolicyOptions, type ClassicRefusal } from "../../../server/room/classic_policy.ts";
import { Members } from "../../../server/room/members.ts";
import { all, FakeRoom, ignoredBy, outline } from "../../support/fake_room.ts";
import { peerOf } from "../../support/peer_of.ts";
import { openFolder, openRoom } from "../../support/state_files.ts";

const NEAR = "192.168.1.7:4000", FAR = "203.0.113.5:4000", OTHER_FAR = "198.51.100.1:4000";

const networks = (...texts: string[]) => texts.map((text) => parseNetwork(text)!);

/** Why peers are refused by a new policy. */
function refusals(options: ClassicPolicyOptions, ...keys: string[]): (ClassicRefusal | undefined)[] {
  const policy = new ClassicPolicy(options);
  return keys.map((key) => policy.classicRefusal(peerOf(key)));
}

Deno.test("classic policy: it is taken from loopback, private, link-local and shared addresses", () => {
  const near = [
    ...["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "10.1.2.3:1", "172.31.0.1:1", "192.168.0.1:1", "169.254.7.7:1"],
    ...["100.64.0.1:1", "100.127.255.255:1", "[fd00::2]:1", "[fe80::1%eth0]:1"],
  ];
  assertEquals(refusals({}, ...near), near.map(() => undefined));
  const far = ["8.8.8.8:53", FAR, "172.32.0.1:1", "100.128.0.1:1", "0.0.0.0:1", "224.0.0.251:1", "[2001:db8::1]:1"];
  assertEquals(refusals({}, ...far), far.map(() => "network" as const));
});

Deno.test("classic policy: flags and the machine's own networks add to it, off ends it", () => {
  const from = networks("203.0.113.0/24", "2001:db8::/64");
  assertEquals(refusals({ from }, NEAR, FAR, "[2001:db8::9]:1", OTHER_FAR), [
    ...[undefined, undefined, undefined],
    "network",
  ]);
  assertEquals(refusals({ from: "any" }, NEAR, FAR, OTHER_FAR), [undefined, undefined, undefined]);
  assertEquals(refusals({ from: "off" }, NEAR, FAR, "127.0.0.1:1"), ["off", "off", "off"]);
  assertEquals(refusals({ localNetworks: () => networks("203.0.113.9/28") }, FAR, OTHER_FAR), [undefined, "network"]);
});

Deno.test("classic policy: a connection's address can't be forged, so it may come from anywhere", () => {
  assertEquals(refusals({}, `tcp ${FAR}`), [undefined]);
  assertEquals(refusals({ from: "off" }, `tcp ${FAR}`), [undefined]);
});

Deno.test("classic policy: members of one address and in all are limited, and who leaves makes room", () => {
  const policy = new ClassicPolicy({ perAddress: 2, members: 6 });
  const join = (key: string) => {
    const refusal = policy.classicRefusal(peerOf(key));
    if (!refusal) policy.joined(peerOf(key));
    return refusal;
  };
  assertEquals([1, 2, 3].map((port) => join(`10.0.0.1:${port}`)), [undefined, undefined, "address"]);
  policy.left(peerOf("10.0.0.1:1"));
  assertEquals(join("10.0.0.1:3"), undefined);
  // loopback is one address for all who try something out on one machine
  assertEquals([1, 2, 3, 4, 5].map((port) => join(`127.0.0.1:${port}`)), [
    ...[undefined, undefined, undefined, undefined],
    "members",
  ]);
  policy.left(peerOf("127.0.0.1:1"));
  assertEquals([join("10.0.0.1:4"), join("10.0.0.2:1"), join("10.0.0.2:2")], ["address", undefined, "members"]);
});

Deno.test("classic policy: unless told otherwise 500 members with one address, 5,000 in all, and any number from here", () => {
  const count = (addressOf: (i: number) => string) => {
    const policy = new ClassicPolicy();
    let joined = 0;
    for (let i = 0; i < 6000; i++) {
      const peer = peerOf(addressOf(i));
      if (policy.classicRefusal(peer) !== undefined) continue;
      policy.joined(peer);
      joined++;
    }
    return joined;
  };
  assertEquals(count((i) => `10.0.0.1:${i + 1}`), 500);
  assertEquals(count((i) => `10.0.${i >> 8}.${i & 255}:1`), 5000);
  assertEquals(count((i) => `[fd00::${(i + 1).toString(16)}]:1`), 500, "an IPv6 network of 64 bits is one address");
  assertEquals(count((i) => `127.0.0.1:${i + 1}`), 5000);
});

Deno.test("room: a stranger's greeting, sign-in and message in classic get no answer, in version 1 they do", () => {
  const refused: string[] = [];
  const observer = { refused: ({ address }: { address: string }, why: string) => refused.push(`${address} ${why}`) };
  const room = new FakeRoom({ observer });
  const alice = room.join("10.0.0.7:1", "Alice");
  for (const text of ["GREETING", "SIGN-IN Eve", "MESSAGE hello", "LIST"]) room.datagram(FAR, text);
  assertEquals([room.room.size, refused], [1, [`${FAR} network`, `${FAR} network`]]);
  assertEquals(outline(room.say("10.0.0.7:1", alice.token, 1, "hello")), ["10.0.0.7:1 INCOMING"]);
  assertEquals(room.join(FAR, "Bob").name, "Bob");
});

Deno.test("room: classic members count until they leave, or turn out to speak version 1", () => {
  const room = new FakeRoom({ classic: { perAddress: 2 } });
  for (const port of [1, 2, 3]) room.datagram(`10.0.0.1:${port}`, "GREETING");
  assertEquals(room.room.size, 2);
  room.pass(6000);
  room.join("10.0.0.1:1", "Alice");
  room.datagram("10.0.0.1:3", "GREETING");
  assertEquals([room.room.size, room.room.users().names], [3, ["Alice"]]);
  room.datagram("10.0.0.1:4", "GREETING");
  assertEquals(room.room.size, 3);
});

const isMember = ({ delivery }: FakeRoom, key: string) => [...delivery.recipients].some((member) => member.key === key);

/** One of many forged addresses of the networks nearby, each with an IP address of its own. */
const forged = (i: number) => `10.1.${i >> 8}.${i & 255}:9`;

Deno.test("room: 5,000 forged greetings take all classic places for a minute, and a newcomer is in after that", () => {
  const left: string[] = [];
  const room = new FakeRoom({ observer: { left: ({ address }, how) => left.push(`${address} ${how}`) } });
  for (let i = 0; i < 5000; i++) room.datagram(forged(i), "GREETING");
  const isIn = () => {
    room.datagram(NEAR, "GREETING");
    return isMember(room, NEAR);
  };
  assertEquals(isIn(), false);
  room.pass(59_999);
  assertEquals([isIn(), left], [false, []]);
  room.pass(1);
  assertEquals([isIn(), left, room.room.size], [true, [`${forged(0)} silence`], 5000]);
  assertEquals(ignoredBy(room.room), { "refused-classic": 2 });
});

Deno.test("room: of one IP address the most silent of 500 makes room, and none of another one", () => {
  const left: string[] = [];
  const room = new FakeRoom({ observer: { left: ({ address }, how) => left.push(`${address} ${how}`) } });
  room.datagram("10.0.0.9:1", "GREETING");
  for (let port = 1; port <= 500; port++) room.datagram(`10.0.0.1:${port}`, "GREETING");
  room.pass(60_000);
  for (let port = 501; port <= 503; port++) room.datagram(`10.0.0.1:${port}`, "SIGN-IN Student");
  assertEquals(left, [1, 2, 3].map((port) => `10.0.0.1:${port} silence`));
  assertEquals([room.room.size, room.room.users().names], [501, ["Student"]]);
});

Deno.test("room: a classic member that sends anything keeps its place, and without a newcomer the silent do too", () => {
  const left: string[] = [];
  const observer = { left: ({ address }: { address: string }) => left.push(address) };
  const room = new FakeRoom({ classic: { perAddress: 5 }, observer });
  const WORDS = ["GREETING", "MESSAGE hello", "SIGN-IN Bob", "LIST"];
  const at = (port: number) => `10.0.0.1:${port}`;
  for (const port of [1, 2, 3, 4, 5]) room.datagram(at(port), "GREETING");
  room.pass(59_000);
  for (const [i, word] of WORDS.entries()) room.datagram(at(i + 2), word);
  room.pass(1000);
  assertEquals(left, []);
  room.datagram(at(6), "GREETING");
  // all others have been heard a second ago
  room.datagram(at(7), "GREETING");
  assertEquals([left, room.room.size], [[at(1)], 5]);
  room.pass(58_999);
  room.datagram(at(7), "GREETING");
  assertEquals(left, [at(1)]);
  room.pass(1);
  for (const port of [7, 8, 9, 10, 11]) room.datagram(at(port), "GREETING");
  assertEquals(left, [1, 2, 3, 4, 5].map(at), "in the order in which they were heard; the sixth came a second later");
  room.pass(10 * 60_000);
  assertEquals(room.room.size, 5);
});

Deno.test("room: when one address is full, the most silent member of another one does not go in vain", () => {
  const room = new FakeRoom({ classic: { perAddress: 1, members: 2 } });
  room.datagram("10.0.0.9:1", "GREETING");
  room.pass(60_000);
  room.datagram("10.0.0.1:1", "GREETING");
  room.datagram("10.0.0.1:2", "GREETING");
  assertEquals([isMember(room, "10.0.0.9:1"), room.room.size], [true, 2]);
  room.datagram("10.0.0.2:1", "GREETING");
  assertEquals([isMember(room, "10.0.0.9:1"), room.room.size], [false, 2]);
});

Deno.test("room: who makes room at an address is looked for once, however many greetings come while none does", () => {
  const left: string[] = [];
  const room = new FakeRoom({ classic: { perAddress: 2 }, observer: { left: ({ address }) => left.push(address) } });
  const looks = [];
  const { longestSilentClassic } = Members.prototype;
  Members.prototype.longestSilentClassic = function (ofAddress) {
    looks.push(ofAddress);
    return longestSilentClassic.call(this, ofAddress);
  };
  using _ = { [Symbol.dispose]: () => void (Members.prototype.longestSilentClassic = longestSilentClassic) };
  const AT = "[fd00::1]", SAME_NETWORK = "[fd00::2]";
  for (const address of [`${AT}:1`, `${AT}:2`, "10.0.0.1:1", "10.0.0.1:2"]) room.datagram(address, "GREETING");
  const flood = () => {
    for (let port = 3; port <= 1000; port++) {
      room.datagram(`${SAME_NETWORK}:${port}`, "GREETING");
      room.datagram(`10.0.0.1:${port}`, "GREETING");
    }
  };
  flood();
  assertEquals([looks.length, left], [2, []]);
  room.pass(59_000);
  room.datagram(`${AT}:1`, "GREETING");
  flood();
  assertEquals([looks.length, left], [2, []]);
  room.pass(1000);
  flood();
  // two make room of 10.0.0.1, one of the IPv6 network; and then each flood finds out once that nobody else does
  assertEquals(left.toSorted(), [`10.0.0.1:1`, `10.0.0.1:2`, `${AT}:2`]);
  assertEquals(looks.length, 7);
});

Deno.test("room: a kept classic member that may not join now is told of as gone, and leaves the state file", () => {
  using folder = openFolder();
  const keys = (members: KeptMember[]) => members.map(({ address }) => address).sort();
  const V1 = "127.0.0.1:40001";
  {
    using opened = openRoom(folder.file(), { classic: { from: "any" } });
    opened.room.join(V1, "Alice");
    opened.room.datagram(FAR, "SIGN-IN Bob");
    opened.room.datagram(NEAR, "GREETING");
    opened.room.datagram("192.168.1.7:4001", "GREETING");
  }
  {
    using opened = openRoom(folder.file(), { classic: { perAddress: 1 } });
    assertEquals(keys(opened.state.members), ["127.0.0.1:40001", NEAR, "192.168.1.7:4001", FAR].sort());
    assertEquals(opened.room.room.size, 2);
    const offline = all(opened.room.pass(10_000), "OFFLINE").flatMap(({ members }) => members);
    assertEquals(offline.map(({ address, name }) => [address, name]).sort(), [
      ["192.168.1.7:4001", undefined],
      [FAR, "Bob"],
    ]);
    // the name is free, and the address may be a version 1 member's
    assertEquals(opened.room.join(FAR, "Bob").name, "Bob");
  }
  using opened = openRoom(folder.file());
  assertEquals(keys(opened.state.members), [V1, NEAR, FAR].sort());
});
