/** The lasting contacts with peers, against whoever knows a pass, forges addresses or sends packets back. */
import { assert, assertEquals } from "@std/assert";
import type { ReachQuestion } from "../../../client/session/facts.ts";
import type { PeerLink } from "../../../client/session/peer_link.ts";
import { Peers, type PeersOptions } from "../../../client/session/peers.ts";
import type { Send } from "../../../client/session/self.ts";
import type { EventPacket } from "../../../protocol.ts";
import { ADDRESS, EPOCH, type SentPacket, TOKEN, type V1 } from "../../support/fake_session.ts";

const BOB = "192.168.1.22:40112", PASS = "e04b7d19c5a2638f", OTHER = "0123456789abcdef", START = 1_000_000;

/** A link to Bob, of whom the server says what the test says. */
class Held {
  now = START;
  readonly peers: Peers;
  readonly link: PeerLink;
  /** What the server was asked. */
  readonly asked: ReachQuestion[] = [];
  #sent: SentPacket[] = [];

  constructor() {
    this.peers = new Peers({
      transactions: { begin: (question: ReachQuestion) => void this.asked.push(question) },
      self: { token: TOKEN, name: "Alice", address: ADDRESS, isOperator: false },
      people: { isIgnored: () => false },
      send: (...[packet, peer]: Parameters<Send>) => void this.#sent.push({ packet, peer, at: this.now }),
      relay: true,
    } as unknown as PeersOptions);
    this.link = this.peers.links.hold({ who: { name: "Bob" } }, this.now);
  }

  /** Lets the server answer the last question. */
  found(fields: Partial<V1<"PEER">> = {}): void {
    const peer = { dialect: "v1", type: "PEER", id: 1, token: TOKEN, since: 0 } as const;
    const answer = { ...peer, address: BOB, name: "Bob", pass: PASS, ...fields };
    this.peers.links.located(this.asked.at(-1)!, answer, this.now);
  }

  pass(ms: number): void {
    this.now += ms;
    this.peers.wake(this.now);
  }

  event(type: "OFFLINE" | "RENAMED", member: { address: string; name?: string; before?: string }): void {
    const event = { dialect: "v1", type, epoch: EPOCH, seq: 1, at: 1, members: [member] };
    this.peers.noteMembers(event as Extract<EventPacket, { members: unknown }>, this.now);
  }

  /** The v1 packets of one type that were sent since the last call; all others are forgotten. */
  take<T extends "ACK" | "OPEN">(type: T): { packet: V1<T>; peer?: string }[] {
    return this.#sent.splice(0).flatMap(({ packet, peer }) =>
      packet.dialect === "v1" && packet.type === type ? [{ packet: packet as V1<T>, peer }] : []
    );
  }

  /** How many of so many checks are answered. */
  answered(count: number, from: (i: number) => string): number {
    this.take("ACK");
    for (let id = 1; id <= count; id++) {
      this.peers.receive({ dialect: "v1", type: "OPEN", pass: PASS, id }, from(id), this.now);
    }
    return this.take("ACK").length;
  }
}

const forged = (i: number) => `10.9.${i >> 8}.${i & 255}:7`;

Deno.test("peer links: checks from addresses that the server has not named have at most a few answers", () => {
  const held = new Held();
  held.found();
  const count = held.answered(1000, forged);
  assert(count <= 5, `${count} answers`);
  assert(held.answered(1000, () => forged(1)) <= 5);
  // Bob's own are answered all the same
  assertEquals(held.answered(1, () => BOB), 1);
});

Deno.test("peer links: checks from the peer's address are answered 20 at once and 10 a second without a word of the server", () => {
  const held = new Held();
  held.found();
  held.pass(11_000);
  assertEquals(held.answered(1000, () => BOB), 20);
  held.pass(1000);
  assertEquals(held.answered(1000, () => BOB), 10);
  assertEquals(held.answered(1000, forged), 0);
});

Deno.test("peer links: packets of the peer from a thousand forged addresses cause few checks there", () => {
  const held = new Held();
  held.found();
  let count = 0;
  for (let i = 0; i < 1000; i++) {
    held.link.heard(forged(i), held.now);
    held.pass(0);
    count += held.take("OPEN").filter(({ peer }) => peer !== BOB).length;
  }
  assert(count >= 1 && count <= 5, `${count} checks`);
});

Deno.test("peer links: whoever has another pass now is another one, but not once the server has begun anew", () => {
  const held = new Held();
  held.found();
  held.pass(4000);
  held.found({ pass: OTHER });
  assertEquals([held.link.lost, held.link.isOpen], ["Bob has left", false]);
  const anew = new Held();
  anew.found();
  anew.peers.beginAnew(anew.now);
  anew.pass(4000);
  anew.found({ pass: OTHER });
  assertEquals([anew.link.lost, anew.link.isOpen, anew.link.pass], [undefined, true, PASS]);
  // the server would refuse the old pass
  anew.pass(3000);
  assertEquals(anew.link.isRelayed(anew.now), false);
});

Deno.test("peer links: that the peer's address has left leads to a look-up at once, that another one has to none", () => {
  const held = new Held();
  held.found();
  held.pass(100);
  held.event("OFFLINE", { address: "192.168.1.30:1000", name: "Carol" });
  assertEquals(held.asked.length, 1);
  held.event("OFFLINE", { address: BOB, name: "Bob" });
  assertEquals([held.asked.length, held.link.lost], [2, undefined]);
});

Deno.test("peer links: the next look-up asks for the name that the peer has then", () => {
  const held = new Held();
  held.found();
  held.event("RENAMED", { address: BOB, before: "Bob", name: "Bert" });
  held.event("RENAMED", { address: "192.168.1.30:1000", before: "Carol", name: "Cora" });
  held.pass(4000);
  assertEquals(held.asked.map(({ who }) => who), [{ name: "Bob" }, { name: "Bert" }]);
  assertEquals(held.link.name, "Bert");
});

Deno.test("peer links: the own checks that come back are not answered, and prove nothing", () => {
  const held = new Held();
  held.found();
  let count = 0;
  for (let ms = 0; ms < 1000; ms += 100) {
    held.pass(100);
    for (const { packet } of held.take("OPEN")) {
      held.peers.receive(packet, BOB, held.now);
      held.peers.receive(packet, forged(1), held.now);
      count++;
    }
    assertEquals(held.take("ACK"), []);
  }
  assert(count >= 3, `${count} checks`);
  assertEquals(held.link.isRelayed(held.now), true);
});
