/**
 * The lines that wait to be written to a server: a bounded queue, one write for each line, with a short pause between.
 *
 * @module
 */
import { splitText } from "../../protocol/text.ts";

/** The most bytes of a line with its line feed: many servers read 1,024 at once, and C programs keep one for a NUL. */
const MAX_LINE_BYTES = 1023;
/**
 * The pause between two writes, in milliseconds. A server that reads whatever is there and takes it for one message
 * has read the first line before the second comes.
 */
const PAUSE_MS = 5;
/** How many lines and bytes make it full. */
const MAX_LINES = 10_000;
const MAX_BYTES = 1 << 20;

const encoder = new TextEncoder();

/** The lines for one server. */
export class Outbox {
  #lines: Uint8Array[] = [];
  #bytes = 0;
  #writing: Uint8Array | undefined;
  #nextAt = -Infinity;
  #writtenAt = -Infinity;

  /** How many lines are not written. */
  get waiting(): number {
    return this.#lines.length + (this.#writing ? 1 : 0);
  }

  /** Whether it takes nothing more for now. */
  get isFull(): boolean {
    return this.#lines.length >= MAX_LINES || this.#bytes >= MAX_BYTES;
  }

  /** When the last line was written, in milliseconds. */
  get writtenAt(): number {
    return this.#writtenAt;
  }

  /** When the next line can be written, in milliseconds; undefined while there is none, or one is being written. */
  get nextAt(): number | undefined {
    return this.#lines.length > 0 && !this.#writing ? this.#nextAt : undefined;
  }

  /** Adds a text at the end; one that is too long becomes several lines. */
  add(text: string): void {
    this.#lines.push(...this.#encode(text));
  }

  /** Adds a text that goes out before all others. */
  addFirst(text: string): void {
    this.#lines.unshift(...this.#encode(text));
  }

  /** Takes the next line to be written. It is one of those that wait until {@linkcode written}. */
  take(): Uint8Array {
    return this.#writing = this.#lines.shift()!;
  }

  /** Notes that the line has been taken by the system. */
  written(now: number): void {
    if (!this.#writing) return;
    this.#bytes -= this.#writing.length;
    this.#writing = undefined;
    this.#writtenAt = now;
    this.#nextAt = now + PAUSE_MS;
  }

  /** Puts the line that was being written back, because the connection is gone. */
  putBack(): void {
    if (this.#writing) this.#lines.unshift(this.#writing);
    this.#writing = undefined;
  }

  #encode(text: string): Uint8Array[] {
    const pieces = splitText(text, MAX_LINE_BYTES - 1).filter((piece) => piece !== "");
    const lines = pieces.map((piece) => encoder.encode(`${piece}\n`));
    for (const { length } of lines) this.#bytes += length;
    return lines;
  }
}
