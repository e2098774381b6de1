/** The goodbye: how often it is said, and when it is over. */
import { assertEquals } from "@std/assert";
import { type SessionProgress, Shutdown } from "../../../client/session/shutdown.ts";
import type { Packet } from "../../../protocol.ts";

/** A shutdown with nothing left to do, and the ids of the goodbyes that it has sent. */
function idle({ isKnown = true }: Partial<SessionProgress> = {}) {
  const ids: number[] = [];
  let stops = 0;
  const progress: SessionProgress = {
    server: "127.0.0.1:9090",
    state: "joined",
    refusal: "",
    waiting: 0,
    unconfirmed: 0,
    asked: 0,
    isExpecting: false,
    isKnown,
    progressAt: 0,
  };
  const shutdown = new Shutdown({
    progress: () => progress,
    stop: () => stops++,
    goodbye: (id) => ids.push(id),
  });
  return { shutdown, ids, stops: () => stops };
}

Deno.test("shutdown: says goodbye four times, 100 ms apart, each with an id of its own, and is closed then", () => {
  const { shutdown, ids, stops } = idle();
  assertEquals([shutdown.closing, shutdown.closed, shutdown.nextWake], [false, false, undefined]);
  shutdown.close(1000);
  shutdown.close(1000);
  const times = [1000];
  while (!shutdown.closed) {
    shutdown.wake(shutdown.nextWake! - 1);
    times.push(shutdown.nextWake!);
    shutdown.wake(shutdown.nextWake!);
  }
  assertEquals([times, ids.length, new Set(ids).size], [[1000, 1100, 1200, 1300, 1400], 4, 4]);
  assertEquals([shutdown.closing, shutdown.nextWake, stops()], [true, undefined, 1]);
});

Deno.test("shutdown: a goodbye that was heard, or of one whom nobody knows, is the last", () => {
  const answers: Packet[] = [
    { dialect: "v1", type: "ACK", id: 4 },
    { dialect: "v1", type: "ERROR", code: "not-joined", text: "Greet first" },
  ];
  for (const answer of answers) {
    const { shutdown, ids } = idle();
    shutdown.close(0);
    // the acknowledgement of a message says nothing about the goodbye
    shutdown.receive({ dialect: "v1", type: "ACK", stream: "0123456789abcdef", id: 4 });
    assertEquals(shutdown.closed, false);
    shutdown.receive(answer);
    shutdown.wake(10_000);
    assertEquals([shutdown.closed, ids.length, shutdown.nextWake], [true, 1, undefined]);
  }
});

Deno.test("shutdown: where nobody is there to hear it, no goodbye is said", () => {
  const { shutdown, ids } = idle({ isKnown: false });
  shutdown.close(0);
  assertEquals([shutdown.closing, shutdown.closed, ids], [true, true, []]);
});
