/**
 * The lines that wait to be written to a server: a bounded queue, one write for each line, with a short pause between.
 *
 * @module
 */
import { MAX_LINE_BYTES } from "../../protocol/lines.ts";
import { splitText } from "../../protocol/text.ts";

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
  /** The answer to a question of this connection's server, while it is one of the lines. */
  #answer: Uint8Array | undefined;
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

  /** When the last line was written that is no answer, in milliseconds. */
  get writtenAt(): number {
    return this.#writtenAt;
  }

  /** When the next line can be written, in milliseconds; undefined while there is none, or one is being written. */
  get nextAt(): number | undefined {
    return this.#lines.length > 0 && !this.#writing ? this.#nextAt : undefined;
  }

  /** Adds a text at the end; one that is too long becomes several lines. */
  add(text: string): void {
    for (const piece of splitText(text, MAX_LINE_BYTES - 1)) {
      if (piece !== "") this.#lines.push(this.#encode(piece));
    }
  }

  /** Adds a short text that goes out before all others, and only on this connection. */
  answer(text: string): void {
    this.#answer = this.#encode(text);
    this.#lines.unshift(this.#answer);
  }

  /** Takes the next line to be written. It is one of those that wait until {@linkcode written}. */
  take(): Uint8Array {
    return this.#writing = this.#lines.shift()!;
  }

  /** Notes that the line has been taken by the system. */
  written(now: number): void {
    if (!this.#writing) return;
    this.#bytes -= this.#writing.length;
    if (this.#writing !== this.#answer) this.#writtenAt = now;
    this.#writing = undefined;
    this.#nextAt = now + PAUSE_MS;
  }

  /** Notes that the connection is gone: puts the line that was being written back, and drops the answer. */
  disconnected(): void {
    if (this.#writing) this.#lines.unshift(this.#writing);
    this.#writing = undefined;
    // the next server may ask again, or not at all, and then it would be said to everybody
    if (this.#answer && this.#lines[0] === this.#answer) this.#bytes -= this.#lines.shift()!.length;
    this.#answer = undefined;
  }

  #encode(text: string): Uint8Array {
    const line = encoder.encode(`${text}\n`);
    this.#bytes += line.length;
    return line;
  }
}
