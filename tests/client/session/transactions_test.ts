/** Transactions with the server: repeated until answered, given up in time, answered once. */
import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import type { Answer, Question } from "../../../client/session/facts.ts";
import { RequestIds } from "../../../client/session/request_ids.ts";
import { ANSWER_DEADLINE_MS, Transactions } from "../../../client/session/transactions.ts";
import type { V1Packet } from "../../../protocol.ts";
import { RoundTrip } from "../../../protocol/reliable/round_trip.ts";

const TOKEN = "5f1c0d9a7be2e604";

class Asker {
  now = 0;
  readonly self = { token: TOKEN };
  readonly sent: { id: number; at: number; packet: V1Packet }[] = [];
  /** What was given up, and when. */
  readonly failed: { question: Question; at: number }[] = [];
  readonly transactions = new Transactions(
    new RoundTrip(),
    this.self,
    (packet) => this.sent.push({ id: (packet as { id: number }).id, at: this.now, packet }),
    new RequestIds(100),
  );

  ask(name: string): Question {
    const question: Question = { ask: "where", who: { name } };
    this.transactions.begin(question, this.now);
    return question;
  }

  /** Moves the clock on, and wakes the questions when they want it. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (let at; (at = this.transactions.nextWake) !== undefined && at <= end;) {
      assert(Math.ceil(at) > this.now, `wants to be woken at ${at} when it is ${this.now}`);
      this.now = Math.ceil(at);
      for (const fact of this.transactions.wake(this.now)) {
        if (fact.type === "unanswered") this.failed.push({ question: fact.question, at: this.now });
      }
    }
    this.now = end;
  }
}

function users(id: number): Answer {
  return { dialect: "v1", type: "USERS", id, token: TOKEN, total: 0, unnamed: 0, names: [] };
}

Deno.test("transactions: sent at once, again at growing pauses, and given up after 5 s, once", () => {
  const asker = new Asker();
  const question = asker.ask("Bob");
  assertEquals(asker.sent.map(({ id, at }) => [id, at]), [[101, 0]]);
  asker.pass(20_000);
  assertEquals(asker.failed, [{ question, at: ANSWER_DEADLINE_MS }]);
  assertEquals([asker.transactions.size, asker.transactions.nextWake], [0, undefined]);
  const pauses = asker.sent.slice(1).map(({ at }, i) => at - asker.sent[i].at);
  for (const [i, pause] of pauses.slice(1).entries()) assert(pause >= pauses[i], `${pauses}`);
  assertGreater(pauses.length, 4);
  assertLessOrEqual(pauses.length, 12);
  assert(asker.sent.every(({ id }) => id === 101), "a repeat has another id");
});

Deno.test("transactions: answered once; repeats of the answer, late ones and answers to nothing are passed over", () => {
  const asker = new Asker(), { transactions } = asker;
  const [a, b] = [asker.ask("a"), asker.ask("b")];
  assert(transactions.answer(users(102)) === b, "the very question that was asked");
  assertEquals([transactions.answer(users(102)), transactions.answer(users(103))], [undefined, undefined]);
  assertEquals(transactions.answer({ dialect: "v1", type: "ERROR", token: TOKEN, code: "x", text: "x" }), undefined);
  assert(transactions.answer({ dialect: "v1", type: "ERROR", token: TOKEN, code: "x", id: 101, text: "x" }) === a);
  const sent = asker.sent.length;
  asker.pass(20_000);
  assertEquals([asker.failed, asker.sent.length, transactions.size], [[], sent, 0]);
  assertEquals(transactions.answer(users(101)), undefined);
});

Deno.test("transactions: each question has its packet, which carries the token of the moment", () => {
  const asker = new Asker();
  const questions: [Question, Record<string, unknown>][] = [
    [{ ask: "names", after: "Alice", listed: new Set(), onlyRelayed: new Set(), before: [] }, {
      type: "LIST",
      after: "Alice",
    }],
    [{ ask: "whois", who: { address: "10.0.0.1:1" } }, { type: "LOOKUP", address: "10.0.0.1:1" }],
    [{ ask: "whois", who: { name: "Bob" } }, { type: "LOOKUP", name: "Bob" }],
    [{ ask: "where", who: { name: "Bob" } }, { type: "LOOKUP", name: "Bob" }],
  ];
  for (const [question, packet] of questions) {
    asker.transactions.begin(question, 0);
    const sent = asker.sent.at(-1)!;
    assertEquals(sent.packet, { dialect: "v1", id: sent.id, token: TOKEN, ...packet } as V1Packet);
  }
  asker.self.token = "0123456789abcdef";
  asker.pass(400);
  assertEquals((asker.sent.at(-1)!.packet as { token: string }).token, asker.self.token);
});

Deno.test("transactions: the ids begin at random, so that an answer can't be forged by counting", () => {
  const ids = Array.from({ length: 8 }, () => {
    let first = 0;
    const send = (packet: V1Packet) => first = (packet as { id: number }).id;
    new Transactions(new RoundTrip(), { token: TOKEN }, send).begin({ ask: "where", who: { name: "Bob" } }, 0);
    return first;
  });
  assertEquals(new Set(ids).size, 8);
});
