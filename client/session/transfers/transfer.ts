/**
 * What a user sees of the files that are handed over, and what can be done with them.
 *
 * @module
 */

/** A file that is offered, or under way. */
export interface TransferState {
  /** By this the user says which one is meant: `/accept 2`. */
  number: number;
  /** Whether this client sends it, or gets it. */
  direction: "out" | "in";
  /** What the other member is called. */
  peer: string;
  /** The name of the file, safe to print. */
  file: string;
  /** In bytes. */
  size: number;
  /**
   * `preparing`: this client reads and hashes it; `calling`: the other member's program has not answered; `offered`: the other member has not
   * said yes or no; `asked`: this user has not; `running`: it is under way; `finishing`: all of it is there, and is checked.
   */
  state: "preparing" | "calling" | "offered" | "asked" | "running" | "finishing";
  /** How many bytes of it are at the receiver, in order. */
  done: number;
  /** Bytes a second, as far as that is known. */
  rate?: number;
  /** Whether it goes through the server now. */
  isRelayed: boolean;
}

/** How a transfer has ended. */
export interface TransferEnd extends Pick<TransferState, "number" | "direction" | "peer" | "file" | "size"> {
  /** Why it is not whole, in a sentence for people; undefined if it is. */
  problem?: string;
  /** Under which path it is here, if this client got it and it is whole. */
  path?: string;
  /** How long it was under way, in milliseconds, and how many bytes of it were there before. */
  took: number;
  had: number;
  /** Whether it was not even offered: this client could not read it, or had not yet. */
  unread?: boolean;
  /** Whether any of it went through the server. */
  relayed?: boolean;
}

/** The files of one session, as its user handles them. What is wrong is shown; nothing is thrown. */
export interface TransferControl {
  /** Those that have not ended, in the order of their numbers. */
  readonly states: TransferState[];
  /**
   * Offers a file to a member.
   *
   * @param who Its name or its address.
   * @param path As it was typed.
   * @param until Until when it may be that nobody has the name, in milliseconds; by default not at all.
   */
  offer(who: string, path: string, now: number, until?: number): void;
  /** Takes a file that is offered; without a number the only one. */
  accept(number: number | undefined, now: number): void;
  /** Does not take it. */
  decline(number: number | undefined, now: number): void;
  /** Ends a transfer; without a number the only one. */
  cancel(number: number | undefined, now: number): void;
  /** Declines what others than a member with this name offer, without asking. */
  takeOnlyFrom(name: string): void;
  /** Shows what is offered and under way. */
  list(now: number): void;
  /** The transfers that have ended since the last call. */
  takeEnded(): TransferEnd[];
}
