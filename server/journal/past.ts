/**
 * What an earlier run of the server has left to the next one.
 *
 * @module
 */
import type { Dialect, EventPacket } from "../../protocol.ts";

/** Where an earlier run of the server had come to. */
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

/** Where a room had come to, and who was in it. */
export interface RoomPast extends Past {
  members: KeptMember[];
}
