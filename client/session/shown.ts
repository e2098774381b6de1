/**
 * What a session shows to its user: facts that the screen puts into words, and sentences that it prints as they are.
 *
 * @module
 */
import type { SessionState } from "./state.ts";
import type { Presence, Renamed } from "../../protocol.ts";
import type { TransferEnd, TransferState } from "./transfers/transfer.ts";
import type { ChatMessage } from "../../protocol/lines.ts";

/** One thing to show. */
export type Shown =
  /** What a member said to everyone; `at` in Unix milliseconds. */
  | ChatMessage & { kind: "message"; at: number }
  /** What a classic server forwarded, as it came. */
  | { kind: "line"; line: string }
  /** Who came or went; `at` in Unix milliseconds. */
  | { kind: "presence"; online: boolean; members: Presence[]; at: number }
  /** Who has another name; `at` in Unix milliseconds. */
  | { kind: "renamed"; members: Renamed[]; at: number }
  /** What the server itself says to all; `at` in Unix milliseconds. */
  | { kind: "announcement"; text: string; at: number }
  /** What one member said to this one alone; `at` in Unix milliseconds, by this client's clock. */
  | ChatMessage & { kind: "direct"; at: number }
  /**
   * Who is signed in, sorted, who of them is reached through the server only, whether the user has forbidden that way,
   * and how many are here without a name.
   */
  | { kind: "users"; names: string[]; onlyRelayed?: string[]; forbidden?: boolean; unnamed: number }
  | Whois & { kind: "whois" }
  /** A member offers a file. */
  | Pick<TransferState, "number" | "peer" | "file" | "size"> & {
    kind: "offered";
    /** Where it will go to. */
    folder: string;
  }
  /** What is offered and under way. */
  | { kind: "transfers"; transfers: TransferState[] }
  /** How a transfer has ended. */
  | TransferEnd & { kind: "transferred" }
  /**
   * The server does not take this client under this name, or not at all; `code` is that of its ERROR, `text` its own
   * sentence.
   */
  | { kind: "refused"; code: string; name: string | undefined; text: string }
  /** A notice about the state of the session. */
  | { kind: "notice"; text: string }
  /** What a user at a terminal could do otherwise; nothing is wrong, so in a pipe nobody needs it. */
  | { kind: "hint"; text: string }
  /** What went wrong, and what to do about it. */
  | { kind: "problem"; text: string };

/** Who a member is, and how it is reached. */
export interface Whois {
  address: string;
  name?: string;
  /** When it joined, in Unix milliseconds. */
  since: number;
  classic: boolean;
  /** Whether only who knows its password gets its name. */
  registered?: boolean;
  /** Whether it may keep order. */
  operator?: boolean;
  /** How it is connected, if not by datagrams: `tcp`. */
  transport?: string;
  /** Whether no message reaches it directly. */
  relay?: boolean;
  /** Whether the server passes none on. */
  norelay?: boolean;
  /** Whether the user has forbidden the way through the server, and no message reaches it directly. */
  forbidden?: boolean;
}

/** What a session has counted. */
export interface SessionStatistics {
  state: SessionState;
  /** The smoothed round trip to the server in milliseconds, once measured. */
  roundTrip?: number;
  received: number;
  repaired: number;
  lost: number;
  duplicates: number;
  /** Messages that were sent again. */
  repeated: number;
  /** Messages that are not acknowledged. */
  waiting: number;
}
