/** The queue in which all wait equally long. */
import { assertEquals } from "@std/assert";
import { DelayQueue } from "../../../server/doors/delay_queue.ts";
import { withFakeTime } from "../../support/fake_time.ts";

Deno.test("delay queue: each thing has its turn after the delay, with one timer for all", () =>
  withFakeTime(async ({ advance, delays }) => {
    const rung: string[] = [];
    const queue = new DelayQueue<string>(20, (item) => rung.push(item));
    queue.add("a");
    queue.add("b");
    await advance(5);
    queue.add("c");
    await advance(14);
    assertEquals([rung, delays()], [[], [1]]);
    await advance(1);
    assertEquals([rung, delays()], [["a", "b"], [5]]);
    await advance(4);
    assertEquals(rung.length, 2);
    await advance(1);
    assertEquals([rung, delays()], [["a", "b", "c"], []]);
    queue.add("d");
    await advance(20);
    assertEquals(rung.at(-1), "d");
  }));

Deno.test("delay queue: what is added while it rings waits too, and nothing rings after the end", () =>
  withFakeTime(async ({ advance, delays }) => {
    let rings = 0;
    const queue = new DelayQueue<number>(10, (item) => {
      rings++;
      queue.add(item);
    });
    queue.add(1);
    await advance(35);
    assertEquals([rings, delays()], [3, [5]]);
    queue.close();
    await advance(100);
    assertEquals([rings, delays()], [3, []]);
  }));
