/**
 * Names for tests: they can answer late, and belong to several servers.
 *
 * @module
 */
import { nameKey } from "../../protocol/names.ts";
import type { NameClaim, Names } from "../../server/room/names.ts";

/** Gives each name to one holder. */
export class FakeNames implements Names {
  /** Who holds which name, by the name's key. */
  readonly holders = new Map<string, string>();
  /** The claims that wait for their answer. */
  readonly waiting: NameClaim[] = [];
  /** Whether claims are answered only when the test calls {@linkcode FakeNames.answer}. */
  isLate: boolean;

  constructor({ isLate = false }: { isLate?: boolean } = {}) {
    this.isLate = isLate;
  }

  claim(claim: NameClaim): boolean | undefined {
    if (!this.isLate) return this.#decide(claim);
    this.waiting.push(claim);
    return undefined;
  }

  release(name: string, holder: string): void {
    if (this.holders.get(nameKey(name)) === holder) this.holders.delete(nameKey(name));
  }

  /** Answers the oldest claim; returns what `Room.claimed` is to be called with. */
  answer(): [NameClaim, boolean] | undefined {
    const claim = this.waiting.shift();
    return claim && [claim, this.#decide(claim)];
  }

  #decide({ name, holder, replaces }: NameClaim): boolean {
    const present = this.holders.get(nameKey(name));
    if (present !== undefined && present !== holder && present !== replaces) return false;
    this.holders.set(nameKey(name), holder);
    return true;
  }
}
