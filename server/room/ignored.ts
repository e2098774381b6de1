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
  /** It is a classic message, and its sender or all with one IP address have sent too many. */
  | "fast-messages"
  /** It asks for a name, and its sender or all with one IP address have asked too often. */
  | "fast-sign-ins"
  /** It asks for something else, and its sender or all with one IP address have asked for too much. */
  | "fast-requests"
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

/** Returns counts that are all 0, in the order in which they are shown. */
export function noneIgnored(): IgnoredCounts {
  return {
    "no-packet": 0,
    "not-for-server": 0,
    "not-joined": 0,
    "classic-at-v1": 0,
    "refused-classic": 0,
    "fast-messages": 0,
    "fast-sign-ins": 0,
    "fast-requests": 0,
    "too-short": 0,
    "room-full": 0,
    "queue-full": 0,
    "flood": 0,
  };
}
