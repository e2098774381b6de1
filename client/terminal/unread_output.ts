/**
 * Notices that standard output can't be written, and decides when a client whose output nobody reads leaves.
 *
 * @module
 */

/** How long a client whose output nobody reads any more waits for another line before it leaves, in milliseconds. */
const QUIET_MS = 1000;

/** What is known of standard output. */
export class UnreadOutput {
  #error: unknown;
  #lineAt: number;

  /** @param now The time at which the client begins to read lines, in milliseconds. */
  constructor(now: number) {
    this.#lineAt = now;
  }

  /**
   * When the client leaves, in milliseconds; undefined while somebody reads its output. It first sends the lines that
   * are already there.
   */
  get leavesAt(): number | undefined {
    return this.#error instanceof Deno.errors.BrokenPipe ? this.#lineAt + QUIET_MS : undefined;
  }

  /** Why it can't be written, in one line; undefined when it can. */
  get failure(): string | undefined {
    if (!(this.#error instanceof Error)) return undefined;
    return `Standard output can't be written: ${this.#error.message.replace(/ \(os error \d+\)$/, "")}`;
  }

  /** Notes that writing has failed. */
  failed(error: unknown): void {
    this.#error = error;
  }

  /** Notes that a line was read, or that none is read for now. */
  noteLine(now: number): void {
    this.#lineAt = now;
  }
}
