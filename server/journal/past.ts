/**
 * What a run of the server stores for the next one.
 *
 * @module
 */
import type { Dialect, EventPacket } from "../../protocol.ts";

/** The number line and its recent events at the end of an earlier run of the server. */
export interface Past {
  epoch: string;
  /** The seq of the latest event, 0 before the first. */
  seq: number;
  /** The recent events, in order and without a gap. */
  events: EventPacket[];
}

/** What is kept of a member. */
export interface KeptMember {
  address: string;
  dialect: Dialect;
  /** Empty for a classic member. */
  token: string;
  name: string | undefined;
  /** When the member joined, in Unix seconds. */
  since: number;
  /** The stream of its messages, and the id that is expected next; undefined before the first message. */
  stream: { name: string; next: number } | undefined;
}

/** The number line of a room and its members, at the end of an earlier run. */
export interface RoomPast extends Past {
  members: KeptMember[];
}
