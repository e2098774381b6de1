/**
 * The interface that the room asks for a name, and the names of one server alone.
 *
 * @module
 */

/** A wish to have a name. */
export interface NameClaim {
  readonly name: string;
  /** Who wants it: a member's token, or the key of a classic peer. */
  readonly holder: string;
  /** Another holder that is about to lose the name, because the wish comes from its address. */
  readonly replaces?: string;
}

/** Decides who has which name. Names are compared without case. */
export interface Names {
  /**
   * Asks for a name. A holder that has it already gets it again.
   *
   * @returns Whether the holder has the name from now on. Undefined when that is not known yet: then the names hand the
   * answer to `Host.claimed` later. If there is none, the room asks again when the client repeats its wish.
   */
  claim(claim: NameClaim): boolean | undefined;
  /** The holder does not have the name any more; nothing happens if it is another's by now. */
  release(name: string, holder: string): void;
}

/** The names of one server: a name is free when no member of the room has it. It answers at once. */
export class LocalNames implements Names {
  readonly #holderOf: (name: string) => string | undefined;

  /** @param holderOf Returns who has a name in the room. */
  constructor(holderOf: (name: string) => string | undefined) {
    this.#holderOf = holderOf;
  }

  claim({ name, holder, replaces }: NameClaim): boolean {
    const present = this.#holderOf(name);
    return present === undefined || present === holder || present === replaces;
  }

  /** Does nothing: the member that had the name has left the room, or has another name there. */
  release(): void {}
}
