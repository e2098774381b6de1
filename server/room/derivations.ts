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

/** How many may wait or be under way in all, and for one who asks. */
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
    const { length } = this.#wishes.filter((wish) => wish.by === by);
    return this.#wishes.length < MAX_WISHES && length < MAX_WISHES_OF_ONE;
  }

  /** Has a password hashed. The caller knows that there is room for it. */
  ask(derivation: Derivation, by: string, then: Then): void {
    this.#wishes.push({ derivation, by, then });
    if (this.#wishes.length === 1) this.#begin(derivation);
  }

  /** Handles a SaltedPassword, or that it could not be made. */
  derived(saltedPassword: Uint8Array | undefined, now: number): void {
    const wish = this.#wishes.shift(), [next] = this.#wishes;
    if (next) this.#begin(next.derivation);
    wish?.then(saltedPassword, now);
  }
}
