/** What a script has the client do with files. */
import { assertEquals } from "@std/assert";
import { Errand, type Task } from "../../client/errand.ts";
import type { Shown } from "../../client/session/shown.ts";
import type { SessionState } from "../../client/session/state.ts";
import { FakeTransfers, transferEnd, transferState } from "../support/fake_transfers.ts";

const SEND: Task = { send: { to: "Bob", path: "a.pdf", wait: 5000 } };
const RECEIVE: Task = { receive: { from: "Zoë", keep: false } };
const KEEP: Task = { receive: { from: "Zoë", keep: true } };

/** An errand, and the session in which it is done. */
function begin(task: Task, state: SessionState = "joined", isWatched?: boolean) {
  const transfers = new FakeTransfers(), notices: string[] = [];
  const session = { state, transfers, view: { notice: (text: string) => void notices.push(text) } };
  const errand = new Errand(task, session, 1000, isWatched);
  const act = (now = 1000) => {
    errand.act(now);
    return transfers.take();
  };
  return { errand, session, transfers, notices, act, outcome: () => [errand.isDone, errand.failure()] };
}

/** A session with a file that is offered to Bob. */
function sending() {
  const begun = begin(SEND);
  begun.transfers.offers = () => begun.transfers.states = [transferState({ direction: "out", state: "preparing" })];
  begun.act();
  return begun;
}

Deno.test("errand: a file is offered once, when the client has joined, and the member may still come", () => {
  const { errand, session, transfers, act, outcome } = begin(SEND, "joining");
  transfers.offers = () => transfers.states = [transferState({ direction: "out", state: "preparing" })];
  assertEquals([act(), errand.nextWake], [[], 11_000]);
  session.state = "joined";
  // it has 5 s since the beginning
  assertEquals([act(3000), act(3001), errand.nextWake], [["offer Bob a.pdf 3000 ms"], [], undefined]);
  assertEquals(outcome(), [false, undefined]);
  session.state = "joining";
  assertEquals(act(60_000), []);
  transfers.ended = [transferEnd({ direction: "out", peer: "Bob" })];
  act(60_001);
  assertEquals(outcome(), [true, undefined]);
});

Deno.test("errand: who is not there at once has no more time after a late joining", () => {
  const { session, transfers, act } = begin(SEND, "joining");
  transfers.offers = () => transfers.states = [transferState({ direction: "out" })];
  act(8000);
  session.state = "joined";
  assertEquals(act(9000), ["offer Bob a.pdf 0 ms"]);
});

Deno.test("errand: a file that does not arrive is a failure, in a sentence", () => {
  const { errand, transfers, act, outcome } = sending();
  transfers.ended = [transferEnd({ direction: "out", peer: "Bob", problem: "Bob has declined it" })];
  act();
  assertEquals(outcome(), [true, "a.pdf did not get to Bob: Bob has declined it"]);
  // which says more than what the session says of all its files
  assertEquals(errand.failure("1 file not handed over"), "a.pdf did not get to Bob: Bob has declined it");
});

Deno.test("errand: what can't even be offered is a failure, told by the session or by an end", () => {
  const silent = begin(SEND);
  silent.act();
  assertEquals(silent.outcome(), [true, "a.pdf was not offered to Bob"]);
  const told = begin(SEND);
  told.transfers.offers = () => told.transfers.ended = [transferEnd({ direction: "out", peer: "Bob", problem: "no" })];
  told.act();
  assertEquals(told.outcome(), [true, "a.pdf did not get to Bob: no"]);
});

Deno.test("errand: a server that does not let the client in, or knows no files, is a failure", () => {
  const { act, outcome } = begin(SEND, "joining");
  act(10_999);
  assertEquals(outcome(), [false, undefined]);
  act(11_000);
  assertEquals(outcome(), [true, "The server has not let this client in"]);
  for (const task of [SEND, RECEIVE, KEEP]) {
    const classic = begin(task, "classic");
    classic.act();
    assertEquals(classic.outcome(), [
      true,
      "This server knows only the classic dialect, in which no files are handed over",
    ]);
  }
  // the session knows more
  const silent = begin(SEND, "joining");
  assertEquals(silent.errand.failure("expelled"), "expelled");
  silent.act(11_000);
  assertEquals(silent.errand.failure("No answer from 127.0.0.1:9090"), "No answer from 127.0.0.1:9090");
  // who longs for a file has time
  const patient = begin(RECEIVE, "joining");
  patient.act(1e9);
  assertEquals([patient.errand.nextWake, ...patient.outcome()], [undefined, false, undefined]);
});

Deno.test("errand: a file is taken from the right member, whatever its case, and from no other", () => {
  const { transfers, act, outcome } = begin(RECEIVE);
  // whatever others offer is declined before it is seen here
  assertEquals(act(), ["only from Zoë"]);
  transfers.states = [
    transferState({ number: 2, peer: "zoe\u0308" }),
    transferState({ number: 3, peer: "Zoë" }),
  ];
  // only one is wanted
  assertEquals(act(), ["accept 2"]);
  transfers.states = [transferState({ number: 2, state: "running" }), transferState({ number: 3, peer: "Zoë" })];
  transfers.ended = [transferEnd({ peer: "Mallory", problem: "declined" })];
  assertEquals([act(), ...outcome()], [[], false, undefined]);
  transfers.ended = [transferEnd({ number: 2, peer: "Zoë" })];
  act();
  assertEquals(outcome(), [true, undefined]);
  // a million more of them change nothing
  transfers.states = [transferState({ number: 9, peer: "Zoë" })];
  assertEquals(act(), []);
});

Deno.test("errand: a file that fails is a failure, unless further ones are waited for", () => {
  const one = begin(RECEIVE), all = begin(KEEP);
  for (const { transfers, act } of [one, all]) {
    act();
    transfers.ended = [transferEnd({ peer: "Zoë", problem: "the disk is full" })];
    act();
  }
  assertEquals(one.outcome(), [true, "a.pdf from Zoë did not get here: the disk is full"]);
  assertEquals(all.outcome(), [false, undefined]);
  all.transfers.states = [transferState({ number: 4, peer: "Zoë" }), transferState({ number: 5, peer: "ZOË" })];
  assertEquals(all.act(), ["accept 4", "accept 5"]);
  all.transfers.ended = [transferEnd({ peer: "Zoë" })];
  all.act();
  assertEquals(all.outcome(), [false, undefined]);
});

Deno.test("errand: who ends it too early is told what is missing", () => {
  const interrupted = (task: Task, state?: "running" | "asked") => {
    const { errand, transfers } = begin(task);
    if (state) transfers.states = [transferState({ peer: "Zoë", state })];
    errand.interrupt();
    return errand.failure();
  };
  assertEquals(interrupted(SEND), "a.pdf was not sent: interrupted");
  assertEquals(interrupted(RECEIVE), "No file came from Zoë: interrupted");
  assertEquals(interrupted(RECEIVE, "running"), "What Zoë was sending is not all here: interrupted");
  assertEquals(interrupted(KEEP, "running"), "What Zoë was sending is not all here: interrupted");
  // that is how it ends
  assertEquals([interrupted(KEEP), interrupted(KEEP, "asked")], [undefined, undefined]);
  const { transfers, act, errand } = sending();
  transfers.ended = [transferEnd({ direction: "out", peer: "Bob" })];
  act();
  errand.interrupt();
  assertEquals(errand.failure(), undefined);
});

Deno.test("errand: of the chat nothing is shown, of the file its end, and what is wrong", () => {
  const shown = (task: Task, state: SessionState = "joined", isWatched?: boolean) => {
    const { errand } = begin(task, state, isWatched), at = 0, text = "x";
    const ends = [
      transferEnd({ direction: "out", peer: "Bob" }),
      transferEnd({ peer: "zoë" }),
      transferEnd({ peer: "Zoë", problem: "no" }),
      transferEnd({ peer: "Mallory", problem: "declined" }),
    ];
    const rest: Shown[] = [
      { kind: "message", from: "1.2.3.4:5", text, at },
      { kind: "direct", from: "1.2.3.4:5", text, at },
      { kind: "announcement", text, at },
      { kind: "presence", online: true, members: [], at },
      { kind: "transfers", transfers: [] },
      { kind: "notice", text },
      { kind: "problem", text },
    ];
    const all: Shown[] = [...ends.map((end) => ({ ...end, kind: "transferred" }) as const), ...rest];
    return all.filter((one) => errand.isTold(one)).map((one) => "peer" in one ? one.peer : one.kind);
  };
  // that it has failed is told as the reason of the exit code
  assertEquals(shown(SEND), ["Bob", "zoë", "problem"]);
  assertEquals(shown(RECEIVE), ["zoë", "problem"]);
  assertEquals(shown(KEEP), ["zoë", "Zoë", "problem"]);
  assertEquals(shown(RECEIVE, "joining"), ["zoë", "notice", "problem"]);
  // whoever looks at a terminal wants to know what it waits for
  assertEquals(shown(SEND, "joined", true), ["Bob", "zoë", "notice", "problem"]);
});

Deno.test("errand: who waits for a file is told so once, when the client has joined", () => {
  const { session, act, notices } = begin(RECEIVE, "joining", true), all = begin(KEEP, "joined", true);
  act();
  assertEquals(notices, []);
  session.state = "joined";
  for (let i = 0; i < 2; i++) act();
  all.act();
  assertEquals([...notices, ...all.notices], [
    "Waiting for a file from Zoë; Ctrl-C ends",
    "Waiting for files from Zoë; Ctrl-C ends",
  ]);
});
