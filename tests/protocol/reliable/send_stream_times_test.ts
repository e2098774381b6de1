/** When the messages to one destination are sent again: where much is lost, and when the destination holds them. */
import { assert, assertEquals, assertGreater, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { COPY_DELAYS_MS, copyCount } from "../../../protocol/reliable/copies.ts";
import { RoundTrip } from "../../../protocol/reliable/round_trip.ts";
import { SendStream } from "../../../protocol/reliable/send_stream.ts";

/** The pauses between the copies of one message that nobody answers, in milliseconds, within so many seconds. */
function pausesOf(curable: number, roundTripMs: number, seconds = 5): number[] {
  const roundTrip = new RoundTrip(), stream = new SendStream(roundTrip, { curable });
  for (let i = 0; i < 50; i++) roundTrip.sample(roundTripMs);
  stream.open(0);
  stream.add({ text: "a" }, 0);
  const at: number[] = [];
  for (let next; (next = stream.nextWake!) <= 1000 * seconds;) for (const _ of stream.wake(next)) at.push(next);
  return at.slice(1).map((time, i) => time - at[i]);
}

Deno.test("send stream: where much is lost, further copies of the oldest do not wait for a long round trip", () => {
  for (const curable of [0.02, 0.1, 0.3]) {
    const count = copyCount(curable), pauses = pausesOf(curable, 200), others = pausesOf(0, 200);
    const sentAt = pauses.slice(0, count).reduce<number[]>((at, pause) => [...at, (at.at(-1) ?? 0) + pause], []);
    assertEquals(sentAt, COPY_DELAYS_MS.slice(0, count), `${curable}`);
    assertGreater(others[0], 200, "else nothing is sent again that may still be answered");
    for (const pause of pauses.slice(count)) assertGreater(pause, 200, `${curable}: only so many`);
  }
});

Deno.test("send stream: what follows further copies comes a timeout after them, and not after longer ones", () => {
  for (const curable of [0.02, 0.1, 0.3]) {
    const pauses = pausesOf(curable, 150), plain = pausesOf(0, 150), count = copyCount(curable);
    assertEquals(pauses.slice(count, count + 3), plain.slice(0, 3), `${curable}`);
  }
});

Deno.test("send stream: further copies make no pause longer, and where nothing is lost there are none", () => {
  for (const roundTripMs of [0.2, 2, 10, 400]) {
    const plain = pausesOf(0, roundTripMs);
    for (const [i, pause] of pausesOf(0.5, roundTripMs).slice(0, plain.length).entries()) {
      assertLessOrEqual(pause, plain[i] + 1e-6, `${roundTripMs} ms`);
    }
    assertEquals(pausesOf(0.01, roundTripMs), plain);
  }
  assertLessOrEqual(pausesOf(1, 0.2, 60).length, 140, "even if all is lost, about two a second");
});

Deno.test("send stream: a timeout of less than 32 ms comes before any further copy, a longer one behind them", () => {
  for (const [roundTripMs, isLong] of [[2, false], [23, false], [25, true], [100, true]] as const) {
    const [first] = pausesOf(0.3, roundTripMs), [timeout] = pausesOf(0, roundTripMs);
    assertEquals(first, isLong ? COPY_DELAYS_MS[0] : timeout, `${roundTripMs} ms`);
  }
});

Deno.test("send stream: behind the oldest nothing is sent in further copies, as it has to wait for that one anyhow", () => {
  const roundTrip = new RoundTrip(), stream = new SendStream(roundTrip, { curable: 0.3 });
  for (let i = 0; i < 50; i++) roundTrip.sample(200);
  stream.open(0);
  for (const text of ["a", "b", "c"]) stream.add({ text }, 0);
  const sent: string[] = [];
  for (let next; (next = stream.nextWake!) <= 200;) for (const { text } of stream.wake(next)) sent.push(text);
  assertEquals(sent, ["a", "b", "c", "a", "a", "a"]);
});

/** A stream with three messages that were sent at 0 ms; the round trip is 10 ms. */
function sentThree() {
  const roundTrip = new RoundTrip(), stream = new SendStream(roundTrip);
  for (let i = 0; i < 50; i++) roundTrip.sample(10);
  stream.open(0);
  for (const text of ["a", "b", "c"]) stream.add({ text }, 0);
  stream.wake(0);
  /** When a message is sent from a time on until another, in milliseconds. */
  const sentAt = (id: number, until: number): number[] => {
    const at: number[] = [];
    for (let next; (next = stream.nextWake) !== undefined && next <= until;) {
      for (const message of stream.wake(next)) if (message.id === id) at.push(next);
    }
    return at;
  };
  return { stream, sentAt };
}

Deno.test("send stream: what is held is not sent again until its turn has come and an answer could be here", () => {
  const { stream, sentAt } = sentThree();
  stream.held(stream.name, 2, 700, 15);
  const [again] = sentAt(2, 3000);
  assertGreater(again, 715 + 10);
  assertLessOrEqual(again, 715 + 10 + 100);
  assertEquals(stream.size, 3, "it is not settled by that");
});

Deno.test("send stream: it is not sent while it is held, although one before it is settled", () => {
  const { stream, sentAt } = sentThree();
  for (const id of [2, 3]) stream.held(stream.name, id, 700, 15);
  stream.settle(1, 20);
  assertGreater(sentAt(2, 3000)[0], 715);
  // what is not held, or not any more, follows at once
  const other = sentThree();
  other.stream.held(other.stream.name, 2, 100, 15);
  other.sentAt(1, 500);
  other.stream.settle(1, 500);
  assertLessOrEqual(other.sentAt(2, 3000).find((at) => at > 500)!, 530);
});

Deno.test("send stream: nothing is sent earlier because it is held", () => {
  for (const wait of [0, 1, 50, 2000]) {
    const plain = sentThree(), other = sentThree();
    // when the pauses are long
    for (const { sentAt } of [plain, other]) sentAt(1, 3000);
    const before = other.stream.nextWake!;
    for (const id of [1, 2, 3]) other.stream.held(other.stream.name, id, wait, 3000);
    assert(other.stream.nextWake! >= before, `${wait} ms`);
    assertEquals(plain.stream.nextWake, before);
  }
});

Deno.test("send stream: whatever a hostile server says is held, each message is sent again in some ten seconds", () => {
  for (const wait of [2 ** 53 - 1, Infinity]) {
    const { stream, sentAt } = sentThree();
    for (const id of [1, 2, 3]) stream.held(stream.name, id, wait, 10);
    const at = sentAt(1, 30_000);
    assertGreater(at.length, 3);
    assertLessOrEqual(at[0], 10_600);
  }
});

Deno.test("send stream: of another stream, and of what was not sent or does not wait, nothing is held", () => {
  const { stream } = sentThree();
  const before = stream.nextWake;
  stream.settle(3, 5);
  stream.held("0000000000000000", 1, 5000, 5);
  for (const id of [0, 3, 4, 2 ** 53 - 1]) stream.held(stream.name, id, 5000, 5);
  assertEquals(stream.nextWake, before);
  stream.add({ text: "d" }, 6);
  stream.held(stream.name, 4, 5000, 6);
  assertEquals(stream.wake(6).map(({ id }) => id), [4], "it has to be sent to be there");
});

Deno.test("send stream: a destination that is there anew, or knows the stream by another name, holds nothing", () => {
  for (const isRestart of [false, true]) {
    const { stream, sentAt } = sentThree();
    for (const id of [1, 2, 3]) stream.held(stream.name, id, 9000, 10);
    if (isRestart) stream.restart(2000);
    else stream.open(2000);
    assertEquals(stream.wake(2000).map(({ text }) => text), ["a", "b", "c"]);
    // when the pauses are long, an answer to the oldest makes the next one due
    sentAt(1, 6000);
    stream.settle(1, 6000);
    assertLessOrEqual(sentAt(2, 9000)[0], 6030);
  }
});

Deno.test("send stream: a paste is sent once where the destination takes 3 ms for each message", () => {
  const roundTrip = new RoundTrip();
  roundTrip.sample(1);
  const stream = new SendStream(roundTrip);
  stream.open(0);
  for (let i = 0; i < 100; i++) stream.add({ text: `${i}` }, 0);
  let times = 0, busyUntil = 0;
  const answers: { id: number; at: number }[] = [];
  for (let now = 0; stream.size > 0; now++) {
    for (const { id } of stream.wake(now)) {
      times++;
      busyUntil = Math.max(busyUntil, now) + 3;
      answers.push({ id, at: busyUntil + 1 });
    }
    while (answers[0]?.at <= now) stream.settle(answers.shift()!.id, now);
    assertLessOrEqual(now, 1000);
  }
  assertEquals([times, stream.repeated], [100, 0]);
});

Deno.test("send stream: what waits for one before it is sent again soon when that is settled", () => {
  const roundTrip = new RoundTrip();
  roundTrip.sample(10);
  const stream = new SendStream(roundTrip);
  stream.open(0);
  for (const text of ["1", "2"]) stream.add({ text }, 0);
  stream.wake(0);
  stream.held(stream.name, 2, undefined, 12);
  assertGreaterOrEqual(stream.nextWake!, 20);
  stream.settle(1, 40);
  // its own answer was lost
  assertLessOrEqual(stream.nextWake!, 100);
  assertEquals(stream.wake(stream.nextWake!).map(({ id }) => id), [2]);
});
