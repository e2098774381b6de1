/** Who is here: asked of a real room, page by page, over a network that loses questions and answers. */
import { assert, assertEquals, assertGreater, assertLessOrEqual, assertMatch } from "@std/assert";
import { Directory } from "../../../client/session/directory.ts";
import type { Answer, Fact, Question } from "../../../client/session/facts.ts";
import type { Peers } from "../../../client/session/peers.ts";
import { People } from "../../../client/session/people.ts";
import type { Shown } from "../../../client/session/shown.ts";
import { Transactions } from "../../../client/session/transactions.ts";
import { nameOf } from "../../../client/session/who.ts";
import type { V1Packet } from "../../../protocol.ts";
import { encode, MAX_DATAGRAM_BYTES } from "../../../protocol.ts";
import { compareKeys, nameKey } from "../../../protocol/names.ts";
import { RoundTrip } from "../../../protocol/reliable/round_trip.ts";
import { seededRandom } from "../../../server/doors/network_emulator.ts";
import { FakeRoom } from "../../support/fake_room.ts";
import { peerOf } from "../../support/peer_of.ts";

const ME = "192.0.2.9:40000";

const PASS = "e04b7d19c5a2638f";

/** What is known of the ways: one member has no direct way, and the server's may be forbidden. */
function reached(noDirectWayTo?: string, isRelayAllowed = true): Pick<Peers, "isRelayed" | "isRelayAllowed"> {
  return { isRelayed: (who) => ("pass" in who ? who.pass : nameOf(who)) === noDirectWayTo, isRelayAllowed };
}

/** A directory, and the server that it asks; each question and each answer may get lost. */
class Asking {
  now = 0;
  readonly shown: Shown[] = [];
  readonly people = new People();
  /** How many questions were sent, repeats included. */
  asked = 0;
  unanswered = 0;
  readonly transactions: Transactions;
  readonly directory: Directory;
  #underWay: { answer: Answer; at: number }[] = [];

  constructor(
    serve: (packet: V1Packet) => Answer[],
    token = "",
    lost: () => boolean = () => false,
    peers: Pick<Peers, "isRelayed" | "isRelayAllowed"> = reached(),
  ) {
    this.transactions = new Transactions(new RoundTrip(), { token }, (packet) => {
      this.asked++;
      if (lost()) return;
      for (const answer of serve(packet)) if (!lost()) this.#underWay.push({ answer, at: this.now + 5 });
    });
    this.directory = new Directory(this.transactions, this.people, peers);
  }

  #answer(question: Question | undefined, answer?: Answer): void {
    if (question?.ask === "names" || question?.ask === "whois") {
      this.#act(this.directory.answered(question, answer, this.now));
    }
  }

  #act(facts: Fact[]): void {
    for (const fact of facts) {
      if (fact.type === "show") this.shown.push(fact.shown);
      if (fact.type === "problem") this.shown.push({ kind: "problem", text: fact.text });
      if (fact.type === "shortfall" && fact.what === "unanswered") this.unanswered += fact.count;
      if (fact.type === "unanswered") this.#answer(fact.question);
    }
  }

  /** Lets time pass until nothing is open any more. */
  settle(): void {
    for (let steps = 0; this.transactions.size > 0; steps++) {
      if (steps > 20_000) throw new Error("It asks without end");
      this.now = Math.ceil(Math.min(this.transactions.nextWake!, ...this.#underWay.map(({ at }) => at)));
      const due = this.#underWay.filter(({ at }) => at <= this.now);
      this.#underWay = this.#underWay.filter(({ at }) => at > this.now);
      for (const { answer } of due) this.#answer(this.transactions.answer(answer), answer);
      this.#act(this.transactions.wake(this.now));
    }
  }
}

/** Asks a room with the given names in it; the asker is there too, unnamed. */
function askRoom(names: string[], lost?: () => boolean): { asking: Asking; longest: () => number } {
  const room = new FakeRoom();
  const { token } = room.join(ME);
  for (const [i, name] of names.entries()) room.join(`10.1.${i >> 8}.${i & 0xff}:5000`, name);
  let longest = 0;
  const asking: Asking = new Asking(
    (packet) => {
      // the answers are paid for by time
      room.room.receive(packet, peerOf(ME), room.now + asking.now, encode(packet).length);
      return room.delivery.take().filter(({ to }) => to === ME).map(({ packet, bytes }) => {
        longest = Math.max(longest, bytes.length);
        return packet as Answer;
      });
    },
    token,
    lost,
  );
  return { asking, longest: () => longest };
}

type Users = Extract<V1Packet, { type: "USERS" }>;

/** A page that answers a LIST. */
function users(
  { id, token }: V1Packet & { type: "LIST" },
  page: Pick<Users, "total" | "names" | "onlyRelayed"> & { more?: boolean },
): Users {
  return { dialect: "v1", type: "USERS", id, token, unnamed: 0, ...page };
}

Deno.test("directory: 5,000 names arrive whole and sorted, with 30 % of questions and of answers lost", () => {
  // long and short, one byte and four a character, with capitals that must not sort before the rest
  const names = Array.from({ length: 5000 }, (_, i) => {
    if (i % 3 === 0) return `User${i}`;
    return i % 3 === 1 ? `zoë_${i}.${"ü".repeat(20)}` : `𝒜${"𝓍".repeat(i % 27)}${i}`;
  });
  const random = seededRandom(3);
  const { asking, longest } = askRoom(names, () => random() < 0.3);
  asking.directory.list(0);
  asking.settle();
  assertEquals(asking.shown.length, 1);
  const [users] = asking.shown;
  assert(users.kind === "users");
  assertEquals(users.unnamed, 1);
  assertEquals(new Set(users.names).size, 5000);
  assertEquals(users.names.toSorted(), names.toSorted());
  const keys = users.names.map(nameKey);
  assertEquals(keys, keys.toSorted(compareKeys));
  assertLessOrEqual(longest(), MAX_DATAGRAM_BYTES);
  assertGreater(asking.asked, 100, "so many pages need more questions");
  assertEquals(asking.people.names.length, 5000);
});

Deno.test("directory: an empty room, and one where nobody else has a name", () => {
  const { asking } = askRoom([]);
  asking.directory.list(0);
  asking.settle();
  assertEquals(asking.shown, [{ kind: "users", names: [], unnamed: 1 }]);
});

Deno.test("directory: names that were listed are there for completion", () => {
  const { asking } = askRoom(["Carole", "bob"]);
  asking.directory.list(0);
  asking.settle();
  assertEquals(asking.people.names, ["bob", "Carole"]);
});

Deno.test("directory: who is not on a whole list is not completed any more; half a list takes nobody away", () => {
  const { asking } = askRoom(["Carole", "bob"]);
  for (const name of ["Carole", "Gone"]) asking.people.remember(name);
  asking.directory.list(0);
  // whoever comes meanwhile may not be on the list
  asking.people.remember("Newcomer");
  asking.settle();
  assertEquals(asking.people.names, ["bob", "Carole", "Newcomer"]);
  assertEquals(asking.people.namesBut("BOB"), ["Carole", "Newcomer"], "one's own is not completed either");

  const endless = new Asking((packet) => {
    return packet.type === "LIST" ? [users(packet, { total: 9, more: true, names: ["Alice"] })] : [];
  });
  endless.people.remember("Carole");
  endless.directory.list(0);
  endless.settle();
  assertEquals(endless.people.names, ["Alice", "Carole"]);
});

Deno.test("directory: a list in an order that is not this client's, as with another Unicode, is shown whole", () => {
  const pages = [["Bob", "Zoë"], ["Alice", "Carole"]];
  const asking = new Asking((packet) => {
    if (packet.type !== "LIST") return [];
    const names = pages.shift()!;
    return [users(packet, { total: 4, more: pages.length > 0, names })];
  });
  asking.directory.list(0);
  asking.settle();
  assertEquals(asking.shown, [{ kind: "users", names: ["Bob", "Zoë", "Alice", "Carole"], unnamed: 0 }]);
});

Deno.test("directory: the server is silent: said once, after 5 s", () => {
  const asking = new Asking(() => []);
  asking.directory.list(0);
  asking.settle();
  assertEquals(asking.shown.map(({ kind }) => kind), ["problem"]);
  assertEquals([asking.now, asking.unanswered, asking.directory.openCount], [5000, 1, 0]);
});

Deno.test("directory: the server falls silent half way: no half list is shown", () => {
  let left = 2;
  const asking = new Asking((packet) => {
    if (left-- <= 0 || packet.type !== "LIST") return [];
    const names = packet.after === undefined ? ["Alice"] : ["Bob"];
    return [users(packet, { total: 3, more: true, names })];
  });
  asking.directory.list(0);
  asking.settle();
  assertEquals(asking.shown.map(({ kind }) => kind), ["problem"]);
});

Deno.test("directory: a server that promises more and brings nothing, or the same again, is not asked for ever", () => {
  const pagesOf: ((asked: number) => string[])[] = [
    () => [],
    () => ["Alice"],
    (asked) => asked === 1 ? ["Alice"] : [],
    (asked) => [asked % 2 ? "Alice" : "Bob"],
    (asked) => [asked % 2 ? "Alice" : "ALICE"],
  ];
  for (const [i, names] of pagesOf.entries()) {
    const asking: Asking = new Asking((packet) => {
      if (packet.type !== "LIST") return [];
      return [users(packet, { total: 9, more: true, names: names(asking.asked) })];
    });
    asking.directory.list(0);
    asking.settle();
    assertLessOrEqual(asking.asked, 3, `server ${i}`);
    assertEquals(asking.shown.length, 1);
  }
});

Deno.test("directory: who is on two pages is shown once", () => {
  const pages = [["Alice", "Bob"], ["Bob", "Carole"]];
  const after: (string | undefined)[] = [];
  const asking = new Asking((packet) => {
    if (packet.type !== "LIST") return [];
    const names = pages.shift()!;
    after.push(packet.after);
    return [users(packet, { total: 3, more: pages.length > 0, names })];
  });
  asking.directory.list(0);
  asking.settle();
  assertEquals(asking.shown, [{ kind: "users", names: ["Alice", "Bob", "Carole"], unnamed: 0 }]);
  assertEquals(after, [undefined, "Bob"]);
});

Deno.test("directory: a page may begin beyond U+FFFF behind one that ends with a full-width letter", () => {
  const page = (after?: string) => {
    if (after === undefined) return { names: ["Ａlice"], more: true };
    return after === "Ａlice" ? { names: ["𝒜lice"], more: true } : { names: ["𝒜lice.2"] };
  };
  const asking = new Asking((packet) => {
    if (packet.type !== "LIST") return [];
    return [users(packet, { total: 3, ...page(packet.after) })];
  });
  asking.directory.list(0);
  asking.settle();
  assertEquals(asking.shown, [{ kind: "users", names: ["Ａlice", "𝒜lice", "𝒜lice.2"], unnamed: 0 }]);
});

Deno.test("directory: whois shows address, name in its own spelling and arrival, or that there is nobody", () => {
  const { asking } = askRoom(["Alice"]);
  asking.directory.whois({ name: "ALICE" }, 0);
  asking.settle();
  asking.directory.whois({ name: "Nobody" }, asking.now);
  asking.settle();
  for (const address of ["10.1.0.0:5000", "10.9.9.9:9"]) {
    asking.directory.whois({ address }, asking.now);
    asking.settle();
  }
  const [byAddress, nobody] = asking.shown.splice(2);
  assert(byAddress.kind === "whois" && nobody.kind === "problem");
  assertEquals([byAddress.name, nobody.text], ["Alice", "Nobody is at 10.9.9.9:9"]);
  const [found, none] = asking.shown;
  assert(found.kind === "whois" && none.kind === "problem");
  assertEquals([found.name, found.address, found.classic], ["Alice", "10.1.0.0:5000", false]);
  assertGreater(found.since, 0);
  assertMatch(none.text, /Nobody here is called Nobody/);
});

Deno.test("directory: who is reached through the server only, as the server says on any page or this client has found", () => {
  for (const isAllowed of [true, false]) {
    const pages = [{ names: ["Alice", "Bob"], onlyRelayed: ["Bob"] }, {
      names: ["Carole", "Tim"],
      onlyRelayed: ["Tim"],
    }];
    const serve = (packet: V1Packet): Answer[] => {
      if (packet.type !== "LIST") return [];
      const page = pages.shift()!;
      return [users(packet, { total: 4, more: pages.length > 0, ...page })];
    };
    const asking = new Asking(serve, "", undefined, reached("Alice", isAllowed));
    asking.directory.list(0);
    asking.settle();
    const names = ["Alice", "Bob", "Carole", "Tim"], forbidden = isAllowed ? {} : { forbidden: true };
    assertEquals(asking.shown, [
      { kind: "users", names, onlyRelayed: ["Alice", "Bob", "Tim"], ...forbidden, unnamed: 0 },
    ]);
  }
});

Deno.test("directory: whois tells the way: as the server says, or as this client has found of who has the pass", () => {
  const address = "10.0.0.7:7";
  const ways = (says: { relay?: boolean; norelay?: boolean; pass?: string }, found?: string, isAllowed?: boolean) => {
    const serve = ({ type, id, token }: V1Packet & { type: "LOOKUP" }): Answer[] =>
      type === "LOOKUP"
        ? [{ dialect: "v1", type: "PEER", id, token, address, name: "Bob", since: 0, pass: PASS, ...says }]
        : [];
    const asking = new Asking(serve as (packet: V1Packet) => Answer[], "", undefined, reached(found, isAllowed));
    asking.directory.whois({ name: "bob" }, 0);
    asking.settle();
    return asking.shown.map((it) => it.kind === "whois" && [it.relay, it.norelay, it.forbidden]);
  };
  const none = undefined;
  for (const isAllowed of [true, false]) assertEquals(ways({}, none, isAllowed), [[none, none, none]]);
  assertEquals(ways({}, PASS), [[true, none, none]]);
  // who had the name or the address before may have been another one
  for (const found of ["Bob", address, ""]) assertEquals(ways({ pass: undefined }, found), [[none, none, none]]);
  assertEquals(ways({ relay: true, norelay: true }), [[true, true, none]]);
  assertEquals(ways({ relay: true }, none, false), [[true, none, true]]);
});
