/** Output behind a queue: the order of lines, what does not fit, errors, and the end. */
import { assert, assertEquals } from "@std/assert";
import { type ByteWriter, Output, type OutputOptions } from "../../runtime/output.ts";
import { DEADLINE_MS } from "../../scripts/support/waiting.ts";

/** An output that takes text when it is told to. */
class FakeWriter implements ByteWriter {
  text = "";
  /** How many bytes each write had. */
  readonly sizes: number[] = [];
  /** The most bytes that one write takes. */
  atOnce = Infinity;
  /** What the next writes fail with. */
  readonly errors: Error[] = [];
  readonly #decoder = new TextDecoder();
  #gate: PromiseWithResolvers<void> | undefined;

  stop(): void {
    this.#gate = Promise.withResolvers();
  }

  goOn(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  async write(bytes: Uint8Array): Promise<number> {
    this.sizes.push(bytes.length);
    await this.#gate?.promise;
    const error = this.errors.shift();
    if (error) throw error;
    const taken = bytes.subarray(0, this.atOnce);
    this.text += this.#decoder.decode(taken, { stream: true });
    return taken.length;
  }
}

function fakeOutput(options?: OutputOptions) {
  const writer = new FakeWriter();
  return { writer, output: new Output(writer, options) };
}

Deno.test("output: a line is written at once, and the order of lines stays", async () => {
  const { writer, output } = fakeOutput();
  output.print("first");
  assertEquals(writer.sizes, [6]);
  for (let i = 0; i < 2000; i++) output.print(`line ${i}`);
  assert(!output.isIdle);
  assert(await output.flush());
  assertEquals(writer.text, `first\n${Array.from({ length: 2000 }, (_, i) => `line ${i}\n`).join("")}`);
  // many lines at once, but never more than a pipe takes as a whole
  assert(writer.sizes.length < 100 && Math.max(...writer.sizes) <= 4096, String(writer.sizes));
});

Deno.test("output: what is written in parts comes out whole", async () => {
  const { writer, output } = fakeOutput();
  writer.atOnce = 3;
  output.print("Zoë says hello");
  output.print("x".repeat(5000));
  assert(await output.flush());
  assertEquals(writer.text, `Zoë says hello\n${"x".repeat(5000)}\n`);
});

Deno.test("output: what does not fit is dropped and counted, and one line says so when it goes on", async () => {
  const { writer, output } = fakeOutput({ maxLines: 3 });
  writer.stop();
  const taken = ["a", "b", "c", "d", "e\nf"].map((text) => output.print(text));
  assertEquals(taken, [true, true, true, false, false]);
  assertEquals([output.dropped, output.isFull], [3, true]);
  writer.goOn();
  assert(await output.flush());
  output.print("g");
  assert(await output.flush());
  assertEquals(writer.text, "a\nb\nc\n3 lines not shown while the output was stopped\ng\n");
  assertEquals([output.dropped, output.isFull], [3, false]);
});

Deno.test("output: behind the first dropped line nothing is shown until the queue is empty", async () => {
  const { writer, output } = fakeOutput({ maxLines: 2 });
  const goesOn = Promise.withResolvers<void>();
  writer.stop();
  for (const text of ["x".repeat(4000), "y".repeat(4000), "dropped"]) output.print(text);
  // the first one is written, the second one is not
  const write = writer.write.bind(writer);
  writer.write = async (bytes) => {
    await goesOn.promise;
    return write(bytes);
  };
  writer.goOn();
  while (writer.text === "") await new Promise((resolve) => setTimeout(resolve));
  assert(!output.isFull);
  assert(!output.print("there is room, but it would stand behind a gap"));
  goesOn.resolve();
  assert(await output.flush());
  assertEquals(writer.text.split("\n").slice(2), ["2 lines not shown while the output was stopped", ""]);
});

Deno.test("output: bytes fill it as well as lines", async () => {
  const { writer, output } = fakeOutput({ maxBytes: 10 });
  writer.stop();
  assertEquals(["ëëë", "ëë", "no"].map((text) => output.print(text)), [true, true, false]);
  writer.goOn();
  assert(await output.flush());
});

Deno.test("output: the last line is never dropped, and stands behind the number of those that were", async () => {
  const { writer, output } = fakeOutput({ maxLines: 1 });
  writer.stop();
  output.print("a");
  output.print("b");
  output.printLast("Closed");
  writer.goOn();
  assert(await output.flush());
  assertEquals(writer.text.split("\n").slice(0, 3), ["a", "1 line not shown while the output was stopped", "Closed"]);
});

Deno.test("output: a flush gives up in time", async () => {
  const { writer, output } = fakeOutput();
  writer.stop();
  output.print("a");
  assertEquals(await output.flush(20), false);
  writer.goOn();
  assertEquals(await output.flush(DEADLINE_MS), true);
});

Deno.test("output: without drops it takes everything, and says when it is full and when it goes on", async () => {
  const resumed: number[] = [];
  const { writer, output } = fakeOutput({ maxBytes: 10, drops: false, resumed: (dropped) => resumed.push(dropped) });
  writer.stop();
  for (let i = 0; i < 9; i++) assert(output.print(`line ${i}`));
  assertEquals([output.isFull, output.dropped, resumed], [true, 0, []]);
  writer.goOn();
  assert(await output.flush());
  assertEquals(writer.text, Array.from({ length: 9 }, (_, i) => `line ${i}\n`).join(""));
  assertEquals([output.isFull, resumed], [false, [0]]);
});

Deno.test("output: a full pipe that does not block is tried again", async () => {
  const { writer, output } = fakeOutput();
  writer.errors.push(...Array.from({ length: 3 }, () => new Deno.errors.WouldBlock()));
  output.print("a");
  assert(await output.flush(DEADLINE_MS));
  assertEquals([writer.text, writer.sizes.length], ["a\n", 4]);
});

Deno.test("output: an error loses what was being written; the rest is tried", async () => {
  const { writer, output } = fakeOutput();
  writer.errors.push(new Error("No space left on device"));
  output.print("a");
  output.print("b");
  assert(await output.flush());
  assertEquals([writer.text, output.dropped], ["b\n", 0]);
});

Deno.test("output: whoever wants to know of an error is told once, and nothing is written any more", async () => {
  const errors: unknown[] = [];
  const { writer, output } = fakeOutput({ maxLines: 2, drops: false, failed: (error) => errors.push(error) });
  const broken = new Deno.errors.BrokenPipe();
  writer.errors.push(broken);
  for (const text of ["a", "b", "c"]) output.print(text);
  assert(output.isFull);
  assert(await output.flush());
  assert(!output.print("d"));
  assert(await output.flush());
  assertEquals([writer.text, errors, output.isFull, writer.sizes.length], ["", [broken], false, 1]);
});
