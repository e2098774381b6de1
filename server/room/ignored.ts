/**
 * Counts the datagrams that the room does nothing about, by the reason why.
 *
 * @module
 */

/** Why the room does nothing about a datagram. */
export type IgnoreReason =
  /** It can't be read as a packet. */
  | "no-packet"
  /** It is a packet of a server, or for another client. */
  | "not-for-server"
  /** Nobody has joined with this address or token. */
  | "not-joined"
  /** It is a classic packet from the address of a client that speaks version 1. */
  | "classic-at-v1"
  /** Its sender may not join in the classic dialect. */
  | "refused-classic"
  /** Its sender was told to go or is banned, or the room is locked. */
  | "kept-out"
  /** It is a classic text without a word in capital letters, and its sender has just said the same. */
  | "said-again"
  /** It is a classic goodbye, which is none. */
  | "no-goodbye"
  /** It is a classic message, and its sender or all with one IP address have sent too many. */
  | "fast-messages"
  /** It is a classic message, and its sender is muted. */
  | "muted"
  /** A connection was ahead of what it may say for so long that it was closed. */
  | "fast-lines"
  /** It asks for a name, and its sender or all with one IP address have asked too often. */
  | "fast-sign-ins"
  /** It asks for something else, and its sender or all with one IP address have asked for too much. */
  | "fast-requests"
  /** It is of a file, and more than this server passes on for a member, for an IP address or in all. */
  | "fast-files"
  /** It is a private message, and this server passes none on. */
  | "no-relay"
  /** It is too short for any answer to an address that may be forged. */
  | "too-short"
  /** There are too many members. */
  | "room-full"
  /** Too much waits already: messages that are held, events for the journal, or names that were asked for. */
  | "queue-full"
  /**
   * It came in a flood of datagrams from addresses that have not joined, without the token of who has, or from a classic
   * member's address.
   */
  | "flood";

/** How many datagrams were ignored for each reason. */
export type IgnoredCounts = Record<IgnoreReason, number>;

/** Why a datagram has no effect yet, or ever: what is told to whoever wants to know why. */
export interface Remark {
  /** `held` when it is not ignored but waits for something; `cookie` when it was answered with another cookie. */
  reason: IgnoreReason | "held" | "cookie";
  /** More about it, in words or as a code of the reason's. */
  detail?: string;
}

/** The counts of one room, and what was said last of a datagram. */
export class Ignored {
  readonly #counts = noneIgnored();
  /** What was said since this was last set to undefined, which whoever wants to know does before each datagram. */
  last: Remark | undefined;

  /** A copy of the counts. */
  get counts(): IgnoredCounts {
    return { ...this.#counts };
  }

  /** Counts a datagram that is ignored. */
  count(reason: IgnoreReason, detail?: string): void {
    this.#counts[reason]++;
    this.last = { reason, detail };
  }

  /**
   * Notes that a message is held, or comes too early to be held. It is not counted: it has its effect later.
   *
   * @param detail `rate` when its sender speaks faster than it may, otherwise `id` and the id that has to come first.
   */
  hold(detail: string): void {
    this.last = { reason: "held", detail };
  }

  /**
   * Notes that a greeting had a cookie and lets nobody in. It is not counted: it is answered.
   *
   * @param detail Whether the cookie is wrong, or the token is missing.
   */
  noteCookie(detail: "wrong" | "no-token"): void {
    this.last = { reason: "cookie", detail };
  }
}

/** Returns counts that are all 0, in the order in which they are shown. */
export function noneIgnored(): IgnoredCounts {
  return {
    "no-packet": 0,
    "not-for-server": 0,
    "not-joined": 0,
    "classic-at-v1": 0,
    "refused-classic": 0,
    "kept-out": 0,
    "said-again": 0,
    "no-goodbye": 0,
    "fast-messages": 0,
    "muted": 0,
    "fast-lines": 0,
    "fast-sign-ins": 0,
    "fast-requests": 0,
    "fast-files": 0,
    "no-relay": 0,
    "too-short": 0,
    "room-full": 0,
    "queue-full": 0,
    "flood": 0,
  };
}
