/** What is said at the end about what was not done: the most important thing, in one line. */
import { assertEquals } from "@std/assert";
import { type Remainder, Tally } from "../../../client/session/tally.ts";

const DONE: Remainder = {
  state: "joined",
  problem: "No answer from S",
  waiting: 0,
  onTrial: 0,
  unconfirmed: 0,
  confirmed: 0,
  asked: 0,
};

Deno.test("tally: nothing is said when all was done", () => {
  assertEquals(new Tally().describe(DONE), undefined);
});

Deno.test("tally: of several shortfalls the one that counts most is said", () => {
  const tally = new Tally();
  const said = (remainder: Partial<Remainder> = {}) => tally.describe({ ...DONE, ...remainder });
  assertEquals(
    said({ unconfirmed: 2 }),
    "2 messages sent, but this classic server does not say whether they arrived",
  );
  assertEquals(said({ unconfirmed: 1 }), "1 message sent, but this classic server does not say whether it arrived");
  assertEquals(
    said({ unconfirmed: 11, confirmed: 9 }),
    "11 of 20 messages have not come back from the server, and may be lost",
  );
  assertEquals(
    said({ unconfirmed: 1, confirmed: 1 }),
    "1 of 2 messages has not come back from the server, and may be lost",
  );
  assertEquals(said({ confirmed: 9 }), undefined);
  assertEquals(said({ asked: 1 }), "1 question not answered");
  tally.add("unanswered");
  assertEquals(said({ asked: 1 }), "2 questions not answered");
  tally.add("misunderstood");
  assertEquals(said(), "1 line not understood, and not sent");
  tally.add("undelivered", 3);
  assertEquals(said(), "3 messages not delivered");
  assertEquals(said({ waiting: 1 }), "1 message not delivered: the server has not confirmed in time");
});

Deno.test("tally: who has not got in is told why, and what is lost", () => {
  const tally = new Tally();
  const said = (remainder: Partial<Remainder>) => tally.describe({ ...DONE, ...remainder });
  assertEquals(said({ state: "refused", problem: "The name Bob is taken" }), "The name Bob is taken");
  assertEquals(
    said({ state: "refused", problem: "The name Bob is taken", waiting: 2 }),
    "The name Bob is taken; 2 messages not delivered",
  );
  assertEquals(said({ state: "joining" }), "No answer from S");
  assertEquals(
    said({ state: "joining", problem: "The room is full", waiting: 2 }),
    "The room is full; 2 messages not delivered",
  );
  assertEquals(
    said({ state: "joining", waiting: 5, onTrial: 3 }),
    "No answer from S; 3 messages sent, but nobody knows whether they arrived; 2 messages not delivered",
  );
  assertEquals(
    said({ state: "joining", waiting: 1, onTrial: 1 }),
    "No answer from S; 1 message sent, but nobody knows whether it arrived",
  );
  tally.add("undelivered");
  for (const state of ["joining", "refused"] as const) {
    assertEquals(said({ state, problem: "No", waiting: 2 }), "No; 3 messages not delivered", "one was given up before");
  }
});
