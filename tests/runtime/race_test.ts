/** Async iterators raced against each other. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Channel, race } from "../../runtime/race.ts";

/** Lets every promise that can settle do so. */
async function settle(): Promise<void> {
  for (let i = 0; i < 200; i++) await Promise.resolve();
}

Deno.test("race: whatever comes first is heard first, to the end of all sources", async () => {
  const a = new Channel<number>(), b = new Channel<string>();
  const heard: unknown[] = [];
  const running = (async () => {
    for await (const next of race({ a, b })) {
      heard.push(next.done ? `${next.from} ends` : [next.from, next.value]);
    }
  })();
  a.push(1);
  await settle();
  b.push("x");
  await settle();
  b.push("y");
  a.push(2);
  await settle();
  b.close();
  await settle();
  a.push(3);
  a.close();
  await running;
  assertEquals(heard.slice(0, 2), [["a", 1], ["b", "x"]]);
  assertEquals(heard.slice(-3), ["b ends", ["a", 3], "a ends"]);
  assertEquals(heard.length, 7);
});

Deno.test("race: a busy source does not keep a quiet one from being heard", async () => {
  async function* busy() {
    for (let i = 0; i < 1000; i++) yield i;
  }
  const quiet = new Channel<string>();
  quiet.push("now");
  quiet.close();
  let before = 0;
  for await (const { from, done } of race({ busy: busy(), quiet })) {
    if (from === "quiet" && !done) break;
    before++;
  }
  assert(before < 10, `${before} values of the busy source came first`);
});

Deno.test("race: a source is not read while it is paused, and is read again after the next value", async () => {
  const line = new Channel<string>(), datagram = new Channel<number>();
  let paused = true;
  for (const text of ["a", "b"]) line.push(text);
  line.close();
  const heard: unknown[] = [];
  const running = (async () => {
    for await (const next of race({ line, datagram }, (source) => source === "line" && paused)) {
      heard.push(next.done ? `${next.from} ends` : next.value);
      if (!next.done && next.value === 2) paused = false;
    }
  })();
  datagram.push(1);
  await settle();
  assertEquals(heard, [1]);
  datagram.push(2);
  await settle();
  assertEquals(heard, [1, 2, "a", "b", "line ends"]);
  datagram.close();
  await running;
});

Deno.test("race: a source that fails makes the race fail, after what came before", async () => {
  async function* failing() {
    yield 1;
    await Promise.resolve();
    throw new TypeError("broken");
  }
  const heard: unknown[] = [];
  await assertRejects(
    async () => {
      for await (const next of race({ failing: failing() })) if (!next.done) heard.push(next.value);
    },
    TypeError,
    "broken",
  );
  assertEquals(heard, [1]);
});

Deno.test("race: without sources it is over at once", async () => {
  for await (const heard of race({})) throw new Error(`heard ${JSON.stringify(heard)}`);
});

Deno.test("channel: gives values pushed before and during the iteration, in order, and ends when closed", async () => {
  const channel = new Channel<number>();
  channel.push(1);
  const all: number[] = [];
  const running = (async () => {
    for await (const value of channel) all.push(value);
  })();
  await settle();
  channel.push(2);
  channel.push(3);
  channel.close();
  await running;
  assertEquals(all, [1, 2, 3]);
});
