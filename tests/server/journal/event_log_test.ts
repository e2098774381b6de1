/** The event log: sequence numbers without a gap, a bounded window, and heartbeats after the last event. */
import { assert, assertEquals, assertLess, assertNotEquals } from "@std/assert";
import { EventLog, type NewEvent } from "../../../server/journal/event_log.ts";

function said(text: string, at = 0): NewEvent {
  return { type: "INCOMING", from: "127.0.0.1:1", at, text };
}

/** The times at which heartbeats come, from 0 on. */
function beats(log: EventLog): number[] {
  const times: number[] = [];
  for (let at; (at = log.heartbeatAt) !== undefined;) {
    assertEquals(log.takeHeartbeat(at - 1), undefined, "not before its time");
    assert(log.takeHeartbeat(at));
    times.push(at);
  }
  return times;
}

Deno.test("events: seqs count from 1 without a gap, all in one epoch", () => {
  const log = new EventLog();
  assertEquals([log.seq, log.first], [0, 1]);
  const events = ["a", "b", "c"].map((text) => log.append(said(text), 0, 1));
  assertEquals(events.map(({ seq, epoch }) => [seq, epoch]), [1, 2, 3].map((seq) => [seq, log.epoch]));
  assertEquals([log.seq, log.first, log.get(2)], [3, 1, events[1]]);
  assertNotEquals(new EventLog().epoch, log.epoch);
});

Deno.test("events: the window keeps the last events, at most as many as it is told", () => {
  const log = new EventLog({ events: 3 });
  for (let i = 1; i <= 10; i++) log.append(said(`${i}`), 0, 1);
  assertEquals([log.first, log.seq], [8, 10]);
  assertEquals([7, 8, 10, 11].map((seq) => log.get(seq) !== undefined), [false, true, true, false]);
});

Deno.test("events: the window is bounded in bytes, and keeps the latest event whatever its size", () => {
  const log = new EventLog({ bytes: 10_000 });
  for (let i = 1; i <= 100; i++) log.append(said("x".repeat(880)), 0, 1);
  assertLess(log.seq - log.first, 10);
  const tiny = new EventLog({ bytes: 1 });
  for (let i = 1; i <= 5; i++) tiny.append(said("x"), 0, 1);
  assertEquals([tiny.first, tiny.get(5)?.seq], [5, 5]);
});

Deno.test("events: the default window is 10,000 events", () => {
  const log = new EventLog();
  for (let i = 1; i <= 10_001; i++) log.append(said("x"), 0, 1);
  assertEquals(log.first, 2);
});

Deno.test("events: heartbeats follow at 100 ms and then at pauses that double, for 25 s", () => {
  const log = new EventLog();
  log.append(said("x"), 0, 30);
  assertEquals(beats(log), [100, 300, 700, 1500, 3100, 6300, 12_700, 25_500]);
});

Deno.test("events: a large room gets fewer heartbeats, but never fewer than two", () => {
  const count = (listeners: number) => {
    const log = new EventLog();
    log.append(said("x"), 0, listeners);
    return beats(log).length;
  };
  assertEquals([0, 1, 100, 200, 300, 400, 10_000].map(count), [8, 8, 8, 4, 2, 2, 2]);
});

Deno.test("events: a heartbeat names the epoch and the latest seq, and a new event starts the heartbeats again", () => {
  const log = new EventLog();
  assertEquals(log.heartbeatAt, undefined);
  log.append(said("x"), 0, 1);
  log.append(said("y"), 80, 1);
  assertEquals(log.heartbeatAt, 180);
  assertEquals(log.takeHeartbeat(180), { dialect: "v1", type: "HEARTBEAT", epoch: log.epoch, seq: 2 });
  log.append(said("z"), 190, 1);
  assertEquals(log.heartbeatAt, 290);
});

Deno.test("events: a late wake gives one heartbeat, not all that were missed", () => {
  const log = new EventLog();
  log.append(said("x"), 0, 1);
  assert(log.takeHeartbeat(10_000));
  assertEquals(log.takeHeartbeat(10_000), undefined);
  assertEquals(log.heartbeatAt, 10_200);
});

Deno.test("events: a restored log continues after its last seq, within the new window", () => {
  const first = new EventLog();
  const events = ["a", "b", "c", "d"].map((text) => first.append(said(text), 0, 1));
  const second = new EventLog({ events: 3 }, { epoch: first.epoch, seq: 4, events });
  assertEquals([second.epoch, second.seq, second.first, second.get(4)], [first.epoch, 4, 2, events[3]]);
  assertEquals(second.append(said("e"), 0, 1).seq, 5);
  const empty = new EventLog({}, { epoch: first.epoch, seq: 4, events: [] });
  assertEquals([empty.first, empty.seq], [5, 4]);
});
