/**
 * The terminal as node:readline writes to it, behind a queue: a terminal that is stopped must not stop the client.
 *
 * @module
 */
import { Writable } from "node:stream";
import { FLUSH_MS, Output, type OutputOptions } from "../../runtime/output.ts";

/** How much is kept for a stopped terminal: more than anybody reads there when it goes on. */
const MAX_LINES = 1000;
const MAX_BYTES = 256 << 10;

/** A stream that does not block. What does not fit into its queue is dropped. */
export class TerminalOutput extends Writable {
  readonly #output: Output;
  /** What is being drawn; undefined while nothing is. */
  #drawn: string[] | undefined;
  #rawMode = false;
  /** Whether nothing is shown but what {@linkcode draw} draws. */
  isHushed = false;
  /** Returns what is to be written before something that {@linkcode draw} does not draw. */
  before: (chunk: string) => string = () => "";

  /** @param resumed Called when lines or keystrokes were dropped and the terminal goes on, with the number of lines. */
  constructor(resumed: OutputOptions["resumed"]) {
    super({ decodeStrings: false });
    const writer = { write: (bytes: Uint8Array) => Deno.stdout.write(bytes) };
    this.#output = new Output(writer, { maxLines: MAX_LINES, maxBytes: MAX_BYTES, resumed });
  }

  /** The width, in characters; 0 if the terminal does not tell. Standard output of node:process may still have the last one. */
  get columns(): number {
    return size().columns;
  }

  /** The height, in rows. */
  get rows(): number {
    return size().rows;
  }

  /**
   * Writes all that a function writes at once, or drops it as a whole: half of it would leave the cursor elsewhere than
   * readline expects it.
   *
   * @param lines How many lines of text it has.
   * @returns Whether it is written, and not dropped.
   */
  draw(lines: number, body: () => void): boolean {
    const drawn: string[] = this.#drawn = [];
    body();
    this.#drawn = undefined;
    return this.#output.write(drawn.join(""), lines);
  }

  /** Whether all is written. */
  get isIdle(): boolean {
    return this.#output.isIdle;
  }

  /** Waits until all is written, however long that takes. */
  async idle(): Promise<void> {
    await this.#output.flush();
  }

  /** Waits until all is written, for 1 s at most. Returns whether it is. */
  flush(): Promise<boolean> {
    return this.#output.flush(FLUSH_MS);
  }

  /**
   * Makes the terminal report each key, or whole lines. The system does not change this while a write waits, and Deno
   * would wait for that. So the change comes when everything is written.
   */
  setRawMode(raw: boolean, set: (raw: boolean) => void): void {
    this.#rawMode = raw;
    if (this.#output.isIdle) set(raw);
    else this.#output.flush().then(() => set(this.#rawMode));
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    if (this.#drawn) this.#drawn.push(chunk);
    else if (!this.isHushed) this.#output.write(this.before(chunk) + chunk, 0);
    done();
  }
}

function size(): { columns: number; rows: number } {
  try {
    return Deno.consoleSize();
  } catch {
    // it was closed
    return { columns: 0, rows: 0 };
  }
}
