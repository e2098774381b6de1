/**
 * A place on the room's number line, and the event that came for it.
 *
 * @module
 */
import type { EventPacket } from "../packets.ts";
import { canonicalText } from "./line_digest.ts";

/** What is known of one seq. */
export interface Place {
  /** Undefined for an event that is not to be shown: this client's own message, of which there is no copy. */
  event: EventPacket | undefined;
  /** When it came, in milliseconds. */
  at: number;
  /** Whether the server vouches for it: it came with this member's token. */
  isVouched: boolean;
  /** Whether it was shown. */
  isShown?: boolean;
  /** Which message of this client it is, if it is one: its stream and id. */
  own?: string;
  /** Whether another event came for the place too. */
  isContested?: boolean;
}

/** Something that came for a place on the number line. */
export interface Arrival {
  epoch: string;
  seq: number;
  /** Undefined for an event that is not to be shown. */
  event: EventPacket | undefined;
  /** Whether the server vouches for it: it came with this member's token. */
  isVouched: boolean;
  /** Which message of this client it is, if it is one: its stream and id. */
  own?: string;
}

/** What to do with a second event for one place. */
export type Verdict =
  /** It is the event that is there. */
  | "same"
  /** It is the true one, and the event that is there was forged. */
  | "replace"
  /** It is forged. */
  | "keep"
  /** One of the two is forged; the server knows which. */
  | "dispute";

/** Compares a second event for a place with the event that is there. */
export function compare(there: Place, second: Place): Verdict {
  if (isSameEvent(there.event, second.event) || isSameOwn(there, second)) return "same";
  if (second.isVouched && isBareOf(second.event, there.event)) return "same";
  if (there.isVouched && isBareOf(there.event, second.event)) return "same";
  if (there.isVouched) return "keep";
  return second.isVouched ? "replace" : "dispute";
}

function isSameEvent(one: EventPacket | undefined, other: EventPacket | undefined): boolean {
  return one === other || one !== undefined && other !== undefined && canonicalText(one) === canonicalText(other);
}

/** Whether one is this client's message, and the other the ACK that stands for it where the sender gets no copy. */
function isSameOwn(one: Place, other: Place): boolean {
  return one.own !== undefined && one.own === other.own && (!one.event || !other.event);
}

/** Whether an event is what the server has left of an old notice: it keeps its place, and has no members any more. */
function isBareOf(event: EventPacket | undefined, notice: EventPacket | undefined): boolean {
  return event !== undefined && notice !== undefined && "members" in notice && isBare(event);
}

/** Whether an event is a notice without members. */
export function isBare(event: EventPacket): boolean {
  return "members" in event && event.members.length === 0;
}
