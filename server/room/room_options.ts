/**
 * What a room is made with, and what it tells of itself.
 *
 * @module
 */
import type { TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import type { Journal } from "../journal/journal.ts";
import type { KeptMember } from "../journal/past.ts";
import type { AdmissionOptions, MemberObserver } from "./admission.ts";
import type { Delivery } from "./delivery.ts";
import type { JoinAddress } from "./join_address.ts";
import type { Ignored, IgnoredCounts } from "./ignored.ts";
import type { Names } from "./names.ts";
import type { KeptOrder } from "./order_keeping.ts";
import type { ProtectionOptions, ProtectionParts } from "./protection.ts";

/** The parts that a room works with. */
export interface RoomParts {
  /** Sends packets to the members. */
  delivery: Delivery;
  /** Keeps the events. */
  journal: Journal;
  /** Decides who has which name. Default: the names of this room alone. */
  names?: Names;
  /** What an earlier run of the server has kept of its order, and what keeps it for the next one. Default: nothing. */
  order?: KeptOrder;
  /** What names are protected with. Default: this server protects no names. */
  protection?: ProtectionParts;
  /** Prints a line on the server's terminal. Default: nothing is printed. */
  tellTerminal?: (line: string) => void;
  /** Counts what has no effect. Default: counts of its own. */
  ignored?: Ignored;
}

/** Whose senders get copies of their own messages too. */
export interface EchoOptions {
  /** Those that send datagrams. Default true. */
  datagrams?: boolean;
  /** Those that speak in lines over a connection. Default false. */
  lines?: boolean;
}

/** How a room behaves. */
export interface RoomOptions extends AdmissionOptions, ProtectionOptions {
  /** Whose senders get copies of their own messages too. */
  echo?: EchoOptions;
  /** How often a member may speak. Default: as often as it likes. */
  rate?: TokenBucketOptions;
  /** Whether private messages may pass through the server. Default true. */
  relay?: boolean;
  /** How many bytes a second of files pass through the server for each member; 0 for no limit. Default 0. */
  relayRate?: number;
  /** Where who is at a loopback address should join instead, if others are elsewhere. Default: nowhere. */
  joinAddress?: JoinAddress;
  observer?: MemberObserver;
  /**
   * What the passes of pairs are made with: 64 hexadecimal digits, of an earlier run of the server. Default: random
   * ones.
   */
  passKey?: string;
  /** The members at the end of an earlier run of the server. */
  members?: KeptMember[];
  /** The addresses of this machine, 16 bytes each, which no ban hits. Default: only those of loopback. */
  ownAddresses?: () => readonly Uint8Array[];
  /** The time that is shown to people, in Unix milliseconds. Default: the time that each call is given. */
  wallClock?: () => number;
}

/** What the room has seen since it began. */
export interface RoomStatistics {
  /**
   * How many members have joined. A member that moves is not counted again; a classic member that turns out to speak v1
   * is.
   */
  joined: number;
  /** The messages that were accepted. */
  messages: number;
  /** The datagrams that had no effect, by the reason why. */
  ignored: Readonly<IgnoredCounts>;
}
