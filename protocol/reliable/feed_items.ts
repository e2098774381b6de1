/**
 * What an event feed gives to its user.
 *
 * @module
 */
import type { EventPacket } from "../packets.ts";
import type { SeqRange } from "./requested_ranges.ts";

/** What the feed delivers, in the order of the room. */
export type FeedItem =
  | { event: EventPacket }
  /** How many events are missed for good. */
  | { missed: number }
  /** What was delivered although the server has never said it; nothing if a forged event was found in time. */
  | { forged: EventPacket[] }
  /** What was delivered just before the server began anew, so that it can't be found out whether it was forged. */
  | { unchecked: EventPacket[] };

/** What is due at a time: what can be shown, and what is to be requested from the server. */
export interface FeedWork {
  items: FeedItem[];
  requests: SeqRange[];
}
