/**
 * Has passwords hashed, one after the other: each takes a processor a good part of a second.
 *
 * @module
 */
import type { Derivation } from "../../protocol/crypto_functions.ts";

/** Begins to hash a password. The SaltedPassword is handed to {@linkcode Derivations.derived}. */
export type BeginDerivation = (derivation: Derivation) => void;

/** What is done with a SaltedPassword; undefined if it could not be made. */
type Then = (saltedPassword: Uint8Array | undefined, now: number) => void;

interface Wish {
  derivation: Derivation;
  by: string;
  then: Then;
}

/** Who asks at the server's terminal: it comes first, and has room however many others ask. */
export const TERMINAL = "terminal";

/** How many of the others may wait or be under way in all, and how many of one who asks. */
const MAX_WISHES = 16, MAX_WISHES_OF_ONE = 2;

/** The passwords that wait to be hashed. */
export class Derivations {
  readonly #begin: BeginDerivation;
  /** The first one is under way. */
  readonly #wishes: Wish[] = [];

  constructor(begin: BeginDerivation) {
    this.#begin = begin;
  }

  /** Whether there is room for a password of somebody. */
  hasRoomFor(by: string): boolean {
    const own = this.#wishes.filter((wish) => wish.by === by), others = this.#wishes.filter((it) => it.by !== TERMINAL);
    return own.length < MAX_WISHES_OF_ONE && (by === TERMINAL || others.length < MAX_WISHES);
  }

  /** Has a password hashed. The caller knows that there is room for it. */
  ask(derivation: Derivation, by: string, then: Then): void {
    // behind the one that is under way, and those of the terminal
    const firstOther = this.#wishes.findIndex((wish, i) => i > 0 && wish.by !== TERMINAL);
    const place = by === TERMINAL && firstOther > 0 ? firstOther : this.#wishes.length;
    this.#wishes.splice(place, 0, { derivation, by, then });
    if (this.#wishes.length === 1) this.#begin(derivation);
  }

  /** Handles a SaltedPassword, or that it could not be made. */
  derived(saltedPassword: Uint8Array | undefined, now: number): void {
    const wish = this.#wishes.shift(), [next] = this.#wishes;
    if (next) this.#begin(next.derivation);
    wish?.then(saltedPassword, now);
  }
}
