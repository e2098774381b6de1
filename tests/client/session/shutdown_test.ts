/** The goodbye: how often it is said, and when it is over; and when a draining session is done. */
import { assertEquals } from "@std/assert";
import { type Progress, Shutdown } from "../../../client/session/shutdown.ts";
import type { Packet } from "../../../protocol.ts";

const TOKEN = "5f1c0d9a7be2e604";

/** A shutdown that has begun to say goodbye at a time. */
function closing(now: number, isKnown = true): Shutdown {
  const shutdown = new Shutdown();
  shutdown.close({ failure: undefined, isKnown }, now);
  return shutdown;
}

Deno.test("shutdown: says goodbye four times, 100 ms apart, each with an id of its own, and is closed then", () => {
  const open = new Shutdown();
  assertEquals([open.closing, open.closed, open.nextWake], [false, false, undefined]);
  const shutdown = closing(1000);
  shutdown.close({ failure: "another", isKnown: true }, 1000);
  const times: number[] = [], ids: number[] = [];
  while (!shutdown.closed) {
    const at = shutdown.nextWake!;
    assertEquals(shutdown.wake(at - 1), undefined);
    times.push(at);
    const id = shutdown.wake(at);
    if (id !== undefined) ids.push(id);
  }
  assertEquals([times, ids], [[1000, 1100, 1200, 1300, 1400], [4, 3, 2, 1]]);
  assertEquals([shutdown.closing, shutdown.nextWake, shutdown.failure], [true, undefined, undefined]);
});

Deno.test("shutdown: a goodbye that was heard, or of one whom nobody knows, is the last", () => {
  const answers: Packet[] = [
    { dialect: "v1", type: "ACK", token: TOKEN, id: 4 },
    { dialect: "v1", type: "ERROR", token: TOKEN, code: "not-joined", text: "Greet first" },
  ];
  for (const answer of answers) {
    const shutdown = closing(0);
    shutdown.wake(0);
    // the acknowledgement of a message says nothing about the goodbye
    shutdown.receive({ dialect: "v1", type: "ACK", token: TOKEN, stream: "0123456789abcdef", id: 4 }, TOKEN);
    // what has another token, or none, does not come from the server
    shutdown.receive({ ...answer, token: "0123456789abcdef" } as Packet, TOKEN);
    shutdown.receive({ dialect: "v1", type: "ACK", id: 4 }, TOKEN);
    assertEquals(shutdown.closed, false);
    shutdown.receive(answer, TOKEN);
    assertEquals([shutdown.closed, shutdown.wake(10_000), shutdown.nextWake], [true, undefined, undefined]);
  }
});

Deno.test("shutdown: where nobody is there to hear it, no goodbye is said", () => {
  const shutdown = closing(0, false);
  assertEquals([shutdown.closing, shutdown.closed, shutdown.wake(0)], [true, true, undefined]);
});

Deno.test("shutdown: a draining session is done when nothing is left, when it is refused, or 10 s after progress", () => {
  const shutdown = new Shutdown();
  const isDrained = (progress: Partial<Progress>, now: number) =>
    shutdown.isDrained({ state: "joined", left: 0, isExpecting: false, ...progress }, now);
  assertEquals(isDrained({}, 0), false, "it does not drain yet");
  shutdown.drain(1000);
  assertEquals([isDrained({ left: 3 }, 1000), shutdown.nextWake], [false, 11_000]);
  assertEquals([isDrained({ left: 2 }, 5000), shutdown.nextWake], [false, 15_000]);
  shutdown.noteProgress(6000);
  shutdown.noteProgress(2000);
  assertEquals([isDrained({ left: 2 }, 15_999), isDrained({ left: 2 }, 16_000)], [false, true]);
  assertEquals([isDrained({ isExpecting: true }, 12_000), isDrained({ state: "joining" }, 12_000)], [false, false]);
  assertEquals([isDrained({}, 12_000), isDrained({ state: "classic" }, 12_000)], [true, true]);
  assertEquals(isDrained({ state: "refused", left: 2 }, 12_000), true);
});
