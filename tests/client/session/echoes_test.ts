/** Whoever only returns what a client sends does not pass for a peer that has read it. */
import { assertEquals } from "@std/assert";
import { Echoes } from "../../../client/session/echoes.ts";
import type { Packet, RelayedMessage, V1Packet } from "../../../protocol.ts";
import { ADDRESS, type FakeSession, joined, SERVER, type V1 } from "../../support/fake_session.ts";
import { messageIn } from "../../support/packets.ts";

const PASS = "e04b7d19c5a2638f", BOB = "192.168.1.22:40112";

/** How a network behaves at Bob's address. */
interface Place {
  address: string;
  /** What comes back for a datagram to there, or for what is in an envelope to it, if anything. */
  direct?: (packet: V1Packet) => V1Packet | undefined;
  relayed?: (packet: RelayedMessage) => RelayedMessage | undefined;
}

function echo<P>(packet: P): P {
  return packet;
}

/** Lets time pass with a server that says that Bob is there, and that the member at this address has the pass. */
function pass(fake: FakeSession, ms: number, { address, direct, relayed }: Place): void {
  // until nothing more comes back; an echo of an echo must end too
  const answer = () => {
    for (let i = 0; i < 20; i++) {
      for (const { packet, peer } of fake.take()) {
        if (packet.dialect !== "v1") continue;
        if (packet.type === "LOOKUP") {
          fake.receive({ dialect: "v1", type: "PUNCH", address, name: "Bob", pass: PASS });
          fake.receive({ dialect: "v1", type: "PEER", id: packet.id, address, name: "Bob", since: 0, pass: PASS });
        }
        if (packet.type === "RELAY") {
          const inner = relayed?.(messageIn(packet));
          if (inner) fake.receive({ dialect: "v1", type: "RELAY", address, name: "Bob", packet: inner });
        }
        const back = peer === address ? direct?.(packet) : undefined;
        if (back) fake.session.receiveFromPeer(back, peer!, fake.now);
      }
    }
  };
  answer();
  fake.pass(ms, answer);
}

/** What the user was told alone, and what it was told to be delivered. */
function told({ shown, notices }: FakeSession): { alone: string[]; delivered: string[] } {
  return {
    alone: shown.flatMap((shown) => shown.kind === "direct" ? [shown.text] : []),
    delivered: notices.filter((text) => text.startsWith("Delivered")),
  };
}

Deno.test("echoes: a port that returns each datagram is no peer that has read it, nor is a server that does", () => {
  const sent: V1<"RELAY">["packet"][] = [];
  const keep = <P extends V1Packet>(packet: P) => {
    if (packet.type === "MESSAGE") sent.push(packet as V1<"RELAY">["packet"]);
    return packet;
  };
  for (const place of [{ direct: keep }, { relayed: keep }, { direct: keep, relayed: keep }]) {
    const fake = joined({ name: "Alice" });
    sent.length = 0;
    fake.session.sayTo("Bob", "my answer", fake.now);
    pass(fake, 20_000, { address: BOB, ...place });
    assertEquals(told(fake), { alone: [], delivered: [] });
    // a late copy is still known when everything was given up
    assertEquals([fake.session.waiting, sent.length > 0], [0, true]);
    fake.receive({ dialect: "v1", type: "PUNCH", address: BOB, name: "Bob", pass: PASS });
    for (const packet of sent) {
      fake.session.receiveFromPeer(packet, BOB, fake.now);
      fake.receive({ dialect: "v1", type: "RELAY", address: BOB, name: "Bob", packet });
    }
    assertEquals(told(fake), { alone: [], delivered: [] });
  }
});

Deno.test("echoes: a check that comes back opens no direct way", () => {
  const fake = joined({ name: "Alice" });
  const ack = (packet: RelayedMessage): RelayedMessage =>
    packet.type === "ACK" ? packet : { dialect: "v1", type: "ACK", pass: PASS, stream: packet.stream, id: packet.id };
  let checks = 0;
  const direct = (packet: V1Packet) => {
    if (packet.type === "OPEN" && packet.id !== undefined) checks++;
    return packet;
  };
  for (const text of ["one", "two"]) {
    fake.session.sayTo("Bob", text, fake.now);
    pass(fake, 3000, { address: BOB, direct, relayed: ack });
  }
  const through = ["one", "two"].map((text) => `Delivered to Bob (through the server): ${text}`);
  assertEquals([told(fake), checks > 0], [{ alone: [], delivered: through }, true]);
});

Deno.test("echoes: a check of the peer is answered while this client checks too", () => {
  const fake = joined({ name: "Alice" });
  let own: number | undefined;
  const direct = (packet: V1Packet) => {
    if (packet.type === "OPEN") own ??= packet.id;
    return undefined;
  };
  for (const text of ["one", "two"]) {
    fake.session.sayTo("Bob", text, fake.now);
    pass(fake, 2000, { address: BOB, direct });
  }
  const answers = (id: number) => {
    fake.take();
    fake.session.receiveFromPeer({ dialect: "v1", type: "OPEN", pass: PASS, id }, BOB, fake.now);
    return fake.takeAll("ACK").map(({ id }) => id);
  };
  assertEquals([answers(own!), answers(own! ^ 1)], [[], [own! ^ 1]]);
});

Deno.test("echoes: what one writes to oneself arrives, directly and through the server", () => {
  for (const place of [{ direct: echo }, { relayed: echo }]) {
    const fake = joined({ name: "Bob" });
    fake.session.sayTo("Bob", "a note", fake.now);
    pass(fake, 5000, { address: ADDRESS, ...place });
    const how = "relayed" in place ? " (through the server)" : "";
    assertEquals(told(fake), { alone: ["a note"], delivered: [`Delivered to Bob${how}: a note`] });
  }
});

Deno.test("echoes: the last 1,000 streams are remembered, and what goes to oneself is not", () => {
  const self = { address: ADDRESS }, echoes = new Echoes(self), sent: [Packet, string?][] = [];
  const send = echoes.noting((packet, peer) => void sent.push([packet, peer]));
  const message = (n: number): V1<"MESSAGE"> & { pass: string } => {
    return { dialect: "v1", type: "MESSAGE", pass: PASS, stream: n.toString(16).padStart(16, "0"), id: 1, text: "x" };
  };
  for (let n = 0; n < 1000; n++) send(message(n), BOB);
  send(message(0), BOB);
  send({ dialect: "v1", type: "RELAY", token: PASS, address: BOB, packet: message(1000) as never }, SERVER);
  assertEquals([0, 1, 2, 1000, 1001].map((n) => echoes.has(message(n))), [true, false, true, true, false]);
  // this client has taken the name
  send(message(0), ADDRESS);
  assertEquals([echoes.has(message(0)), sent.length], [false, 1003]);
  const ack = { dialect: "v1", type: "ACK", pass: PASS, id: 7 } as const;
  for (const packet of [ack, { dialect: "v1", type: "OPEN" }] as const) {
    send(packet, BOB);
    assertEquals(echoes.has(packet), false);
  }
});
