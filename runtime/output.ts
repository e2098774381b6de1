/**
 * Output that nobody has to read: a stopped terminal or a full pipe must not stop the program. Text goes to a queue of
 * bounded size, which one loop writes.
 *
 * `console.log` and `writeSync` wait until the system has taken the text. `Deno.stdout.write` waits too, but in a thread
 * of its own, for terminals, pipes and files alike. The program can exit while that thread waits.
 *
 * @module
 */
import { pluralize } from "../protocol/text.ts";

/** Where text is written to: the part of {@linkcode Deno.stdout} that an output needs. */
export interface ByteWriter {
  write(bytes: Uint8Array): Promise<number>;
}

/** Options of {@linkcode Output}. */
export interface OutputOptions {
  /** The number of lines that make the queue full. */
  maxLines?: number;
  /** The number of bytes that make the queue full. */
  maxBytes?: number;
  /** Whether what does not fit is dropped; otherwise the caller looks at {@linkcode Output.isFull}. */
  drops?: boolean;
  /**
   * Called when the queue was full and everything in it is written. Unless given, a line is printed that says how many
   * lines were dropped since the queue became full.
   */
  resumed?: (dropped: number) => void;
  /** Called when writing fails; from then on nothing is written. Unless given, what can't be written is left out. */
  failed?: (error: unknown) => void;
}

/**
 * The most bytes of several texts that are written at once: PIPE_BUF of POSIX. A pipe that does not block takes all of
 * such a write or nothing. Of a larger one it may take a part, which Deno's line buffer hides behind an error, so that
 * a repeat would write this part twice.
 */
const MAX_WRITE_BYTES = Deno.build.os === "linux" ? 4096 : 512;
/** The pause before the next attempt to write to a full pipe that does not block, in milliseconds. */
const FULL_PIPE_PAUSE_MS = 5;
/** How long a program that ends waits for its output, in milliseconds. */
export const FLUSH_MS = 1000;

/** A text in the queue. */
interface Queued {
  bytes: Uint8Array;
  lines: number;
}

/** One output of the program, behind a queue. */
export class Output {
  readonly #writer: ByteWriter;
  readonly #maxLines: number;
  readonly #maxBytes: number;
  readonly #drops: boolean;
  readonly #resumed: (dropped: number) => void;
  readonly #failed: ((error: unknown) => void) | undefined;
  readonly #encoder = new TextEncoder();
  #queue: Queued[] = [];
  /** How much is queued or being written. */
  #lines = 0;
  #bytes = 0;
  #wasFull = false;
  #hasFailed = false;
  #dropped = 0;
  #droppedSinceFull = 0;
  #writing: Promise<void> | undefined;

  constructor(writer: ByteWriter, options: OutputOptions = {}) {
    const { maxLines = 10_000, maxBytes = 1 << 20, drops = true, resumed, failed } = options;
    this.#writer = writer;
    this.#maxLines = maxLines;
    this.#maxBytes = maxBytes;
    this.#drops = drops;
    this.#resumed = resumed ?? ((dropped) => this.print(notShown(dropped)));
    this.#failed = failed;
  }

  /** How many lines were dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether the queue is as long as it may become. */
  get isFull(): boolean {
    return this.#lines >= this.#maxLines || this.#bytes >= this.#maxBytes;
  }

  /** Whether everything is written. */
  get isIdle(): boolean {
    return this.#writing === undefined;
  }

  /** Prints a text of one or more lines; adds the last line feed. Returns whether it was taken, and not dropped. */
  print(text: string): boolean {
    return this.write(`${text}\n`, countLines(text));
  }

  /** Prints the last line of a program; it is never dropped. */
  printLast(text: string): void {
    if (this.#droppedSinceFull > 0) this.#add(`${notShown(this.#droppedSinceFull)}\n`, 1);
    this.#droppedSinceFull = 0;
    this.#add(`${text}\n`, countLines(text));
  }

  /**
   * Writes a text as a whole, or drops it as a whole. After the first drop, everything is dropped until the queue is
   * empty: a reader that is too slow finds one gap, and not one behind each line.
   *
   * @param lines As how many lines the text is counted.
   * @returns Whether it was taken.
   */
  write(text: string, lines: number): boolean {
    if (this.#hasFailed) return false;
    if (this.#drops && (this.#wasFull || this.isFull)) {
      this.#wasFull = true;
      this.#dropped += lines;
      this.#droppedSinceFull += lines;
      return false;
    }
    this.#add(text, lines);
    return true;
  }

  /**
   * Waits until everything is written.
   *
   * @param deadline How long to wait at most, in milliseconds; for ever unless given.
   * @returns Whether everything is written.
   */
  async flush(deadline?: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      if (deadline !== undefined) timer = setTimeout(resolve, deadline);
    });
    await Promise.race([this.#allWritten(), late]);
    clearTimeout(timer);
    return this.isIdle;
  }

  async #allWritten(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  #add(text: string, lines: number): void {
    if (this.#hasFailed) return;
    const bytes = this.#encoder.encode(text);
    this.#queue.push({ bytes, lines });
    this.#lines += lines;
    this.#bytes += bytes.length;
    if (!this.#drops && this.isFull) this.#wasFull = true;
    this.#writing ??= this.#writeQueue();
  }

  async #writeQueue(): Promise<void> {
    while (this.#queue.length > 0) {
      const { bytes, lines } = this.#take();
      try {
        await writeAll(this.#writer, bytes);
      } catch (error) {
        if (this.#failed) return this.#fail(error);
      }
      this.#lines -= lines;
      this.#bytes -= bytes.length;
      if (this.#queue.length === 0 && this.#wasFull) this.#resume();
    }
    this.#writing = undefined;
  }

  /** Takes the oldest texts out of the queue, as many as are written at once. */
  #take(): Queued {
    let [{ bytes: { length }, lines }] = this.#queue, count = 1;
    for (; count < this.#queue.length; count++) {
      const next = this.#queue[count];
      if (length + next.bytes.length > MAX_WRITE_BYTES) break;
      length += next.bytes.length;
      lines += next.lines;
    }
    const bytes = new Uint8Array(length);
    let end = 0;
    for (const taken of this.#queue.splice(0, count)) {
      bytes.set(taken.bytes, end);
      end += taken.bytes.length;
    }
    return { bytes, lines };
  }

  #resume(): void {
    const dropped = this.#droppedSinceFull;
    this.#wasFull = false;
    this.#droppedSinceFull = 0;
    this.#resumed(dropped);
  }

  #fail(error: unknown): void {
    this.#hasFailed = true;
    this.#queue = [];
    this.#lines = this.#bytes = 0;
    this.#writing = undefined;
    this.#failed!(error);
  }
}

/** Standard output; the first line after a gap says how many lines are missing. */
export const stdout: Output = new Output({ write: (bytes) => Deno.stdout.write(bytes) });
/** Standard error, likewise. */
export const stderr: Output = new Output({ write: (bytes) => Deno.stderr.write(bytes) });

async function writeAll(writer: ByteWriter, bytes: Uint8Array): Promise<void> {
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(await writer.write(bytes));
    } catch (error) {
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      await new Promise((resume) => setTimeout(resume, FULL_PIPE_PAUSE_MS));
    }
  }
}

function countLines(text: string): number {
  return text.split("\n").length;
}

function notShown(lines: number): string {
  return `${pluralize(lines, "line")} not shown while the output was stopped`;
}
