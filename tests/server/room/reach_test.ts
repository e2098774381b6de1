/** Which members the server knows that datagrams do not go from one to the other, and whom it tells so. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { MAX_DATAGRAM_BYTES } from "../../../protocol.ts";
import { reachEachOther } from "../../../server/room/reach.ts";
import { FakeRoom, one, outline, to } from "../../support/fake_room.ts";
import { peerOf } from "../../support/peer_of.ts";

const LAN = "10.0.0.7:1", OTHER = "192.168.1.2:2", LOOPBACK = "127.0.0.1:3", OTHER_LOOPBACK = "127.0.0.2:4";
const IPV6 = "[2001:db8::7]:5", LINK = "[fe80::1%eth0]:6", LOOPBACK6 = "[::1]:7", TCP = "tcp 10.0.0.7:1";

Deno.test("reach: a connection, another family, and loopback against others leave no direct way", () => {
  const groups = [[LAN, OTHER], [LOOPBACK, OTHER_LOOPBACK], [IPV6, LINK], [LOOPBACK6], [TCP]];
  for (const [i, group] of groups.entries()) {
    for (const one of group) {
      for (const other of groups.flat()) {
        const reached = reachEachOther(peerOf(one), peerOf(other));
        assertEquals(reached, one !== TCP && groups[i].includes(other), `${one} ${other}`);
      }
    }
  }
});

/** A room with a member at each of these addresses, by its name, and Zoe at `classic`. */
function roomOf(members: Record<string, string>, classic = LOOPBACK, relay?: boolean) {
  const room = new FakeRoom({ relay });
  const tokens = new Map(Object.entries(members).map(([name, address]) => [name, room.join(address, name).token]));
  room.datagram(classic, "SIGN-IN Zoe");
  room.room.connected(peerOf("tcp 10.0.0.9:9"), room.now);
  room.room.receiveLine("/name Tim", peerOf("tcp 10.0.0.9:9"), room.now);
  room.settle();
  const from = (name: string) => [members[name], tokens.get(name)!] as const;
  return {
    room,
    /** What the server answers to a member that looks another one up. */
    lookUp(asker: string, name: string) {
      const [address, token] = from(asker);
      const sent = room.v1(address, "LOOKUP", { id: 1, token, name });
      return { sent, peer: one(sent, "PEER") };
    },
    list(asker: string, after?: string) {
      const [address, token] = from(asker);
      return one(room.v1(address, "LIST", { id: 1, token, after }), "USERS");
    },
  };
}

Deno.test("reach: who looks up somebody that it does not reach is told so, and that one gets no PUNCH", () => {
  const { lookUp } = roomOf({ Alice: LAN, Bob: OTHER, Carol: IPV6, Dora: LOOPBACK6 });
  for (const name of ["Carol", "Dora"]) {
    const { sent, peer } = lookUp("Alice", name);
    assertEquals(outline(sent), [`${LAN} PEER`]);
    assertEquals([peer.relay, peer.norelay, peer.transport, peer.pass?.length], [true, false, undefined, 16]);
    // the pass is that of the two, whoever asks
    assertEquals(lookUp(name, "Alice").peer.pass, peer.pass);
  }
  const { sent, peer } = lookUp("Alice", "Bob");
  assertEquals([outline(sent), peer.relay], [[`${OTHER} PUNCH`, `${LAN} PEER`], false]);
  assertEquals(lookUp("Alice", "Alice").peer.relay, false);
  assertEquals(lookUp("Alice", "Tim").peer.relay, true);
});

Deno.test("reach: to a classic member there is a pass wherever the server passes messages on, and no PUNCH", () => {
  const { lookUp } = roomOf({ Alice: LAN, Bob: OTHER_LOOPBACK });
  const { sent, peer } = lookUp("Alice", "Zoe");
  assertEquals(outline(sent), [`${LAN} PEER`]);
  assertEquals([peer.classic, peer.relay, peer.pass?.length], [true, true, 16]);
  const near = lookUp("Bob", "Zoe");
  assertEquals(outline(near.sent), [`${OTHER_LOOPBACK} PEER`]);
  assertEquals([near.peer.classic, near.peer.relay, near.peer.pass?.length], [true, false, 16]);
});

Deno.test("reach: a server that passes nothing on says so to all, and gives no pass where there is no direct way", () => {
  const { lookUp, list } = roomOf({ Alice: LAN, Bob: OTHER, Carol: IPV6 }, LOOPBACK, false);
  const told = (name: string) => {
    const { relay, norelay, pass, transport } = lookUp("Alice", name).peer;
    return [relay, norelay, pass?.length, transport];
  };
  assertEquals(told("Bob"), [false, true, 16, undefined]);
  assertEquals(told("Carol"), [true, true, undefined, undefined]);
  assertEquals(told("Zoe"), [true, true, undefined, undefined]);
  assertEquals(told("Tim"), [true, true, undefined, "tcp"]);
  assertEquals(list("Alice").onlyRelayed, undefined);
  // datagrams reach this one, but a pass would be for the server
  const { peer } = roomOf({ Alice: LAN }, OTHER, false).lookUp("Alice", "Zoe");
  assertEquals([peer.classic, peer.relay, peer.norelay, peer.pass], [true, false, true, undefined]);
});

Deno.test("reach: LIST marks whom the one who asks reaches through the server only; classic lists have no marks", () => {
  const { room, list } = roomOf({ Alice: LAN, Bob: OTHER, Carol: IPV6 });
  assertEquals(list("Alice").names, ["Alice", "Bob", "Carol", "Tim", "Zoe"]);
  assertEquals(list("Alice").onlyRelayed, ["Carol", "Tim", "Zoe"]);
  assertEquals(list("Carol").onlyRelayed, ["Alice", "Bob", "Tim", "Zoe"]);
  const [{ packet }] = to(room.datagram(LOOPBACK, "LIST"), LOOPBACK);
  assertEquals("line" in packet && packet.line, "Signed In Users: Alice, Bob, Carol, Tim, Zoe");
  const { list: ofAll } = roomOf({ Alice: LAN, Bob: OTHER }, "10.0.0.8:8");
  assertEquals(ofAll("Bob").onlyRelayed, ["Tim"]);
});

Deno.test("reach: the marks count for the bytes of a page, and no name is left out between two pages", () => {
  const members: Record<string, string> = { Alice: LAN };
  for (let i = 0; i < 300; i++) members[`Member${i}`] = `[2001:db8::${i}]:9`;
  const { list } = roomOf(members);
  const listed: string[] = [], marked: string[] = [];
  let pages = 0;
  for (let isLast = false; !isLast; pages++) {
    const { names, onlyRelayed = [], more } = list("Alice", listed.at(-1));
    listed.push(...names);
    marked.push(...onlyRelayed);
    isLast = !more;
  }
  assertEquals(new Set(listed), new Set([...Object.keys(members), "Zoe", "Tim"]));
  assertEquals(listed.length - 1, marked.length);
  assert(!marked.includes("Alice"));
  assertLessOrEqual(Math.ceil(301 * 16 / MAX_DATAGRAM_BYTES), pages);
});
