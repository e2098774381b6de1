/**
 * The digest of the line, which is seldom asked for and takes a good part of the work for a message.
 *
 * @module
 */
import { digestAfterText } from "../../protocol/reliable/line_digest.ts";
import { sha256Hex128 } from "../../runtime/sha256.ts";

/**
 * After so many events it is computed in any case, all at once, which takes half of the time that it takes one by one.
 * Whoever asks for it waits for no more of them, 0.1 ms.
 */
const MAX_WAITING = 64;

/** A digest that is computed when it is asked for. */
export class LazyDigest {
  #digest: string;
  /** The canonical texts of the events that are not in it yet. */
  readonly #waiting: string[] = [];

  constructor(digest: string) {
    this.#digest = digest;
  }

  /** Adds the next event, by its canonical text. */
  add(text: string): void {
    if (this.#waiting.push(text) >= MAX_WAITING) this.#compute();
  }

  /** The digest of all events up to the last one that was added. */
  get value(): string {
    this.#compute();
    return this.#digest;
  }

  #compute(): void {
    for (const text of this.#waiting) this.#digest = digestAfterText(this.#digest, text, sha256Hex128);
    this.#waiting.length = 0;
  }
}
