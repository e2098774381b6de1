/**
 * What a run of the server stores for the next one.
 *
 * @module
 */
import type { Dialect, EventPacket } from "../../protocol.ts";
import type { StoredKeys } from "../../protocol/scram.ts";
import type { KeptStream } from "./journal.ts";

/** What a journal has kept at the end of an earlier run of the server. */
export interface Past {
  epoch: string;
  /** The seq of the latest event, 0 before the first. */
  seq: number;
  /** The recent events, in order. Arrivals and departures may be missing between them. */
  events: EventPacket[];
  streams: Pick<KeptStream, "name" | "owner" | "lastId">[];
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
}

/** What is kept of a protected name. */
export interface KeptAccount extends StoredKeys {
  name: string;
  /** 16 bytes. */
  salt: Uint8Array;
  rounds: number;
  /** Whether whoever has the name may keep order. */
  isOperator: boolean;
}

/** What ends with a run of the server; the next one tells so. */
export type Passing = "mutes" | "lock";

/** What is kept of a ban. */
export interface KeptBan {
  /** A name, or a network as `10.0.0.0/24` or `10.0.0.7`. */
  what: string;
  /** The token of the member that had the name, or the address of one that has none; empty if nobody had it. */
  holder: string;
  /** When it ends, in Unix milliseconds; undefined for never. */
  until: number | undefined;
}
