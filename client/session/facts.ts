/**
 * What the parts of a session find out. They return it, and their owner acts on it.
 *
 * @module
 */
import type { EventPacket, FilePacket, Proof, V1Packet } from "../../protocol.ts";
import type { FeedItem } from "../../protocol/reliable/feed_items.ts";
import type { SeqRange } from "../../protocol/reliable/requested_ranges.ts";
import type { Draft } from "../../protocol/reliable/send_stream.ts";
import type { Shown } from "./shown.ts";
import type { Shortfall } from "./tally.ts";
import type { Who } from "./who.ts";

/** The server's request to let a member through that wants to send something directly. */
export type PunchPacket = Extract<V1Packet, { type: "PUNCH" }>;

/** What a member has sent, in the envelope in which it passes through the server. */
export type RelayPacket = Extract<V1Packet, { type: "RELAY" }>;

/** The server's word on a member. */
export type PeerPacket = Extract<V1Packet, { type: "PEER" }>;

/** A packet that can answer a question to the server. */
export type Answer = Extract<V1Packet, { type: "USERS" | "PEER" | "CHALLENGE" | "REPLY" | "ERROR" }>;

/** What changes the password of a name, without what is the same in all packets. */
export type AccountPacket =
  | Pick<Extract<V1Packet, { type: "REGISTER" }>, "type" | "key" | "sealed" | keyof Proof>
  | Pick<Extract<V1Packet, { type: "UNREGISTER" }>, "type" | keyof Proof>;

/** A question where a member is with whom there is a lasting contact. */
export interface ReachQuestion {
  ask: "reach";
  who: Who;
}

/** A question to the server. Whoever has asked it gets it back with the answer. */
export type Question =
  /**
   * Which names there are behind `after`: `listed` has the earlier pages, `onlyRelayed` those of them that the server
   * says are reached through it only, and `before` who was known at the beginning.
   */
  | { ask: "names"; after?: string; listed: Set<string>; onlyRelayed: Set<string>; before: string[] }
  /** Who has a name or an address; the user wants to know. */
  | { ask: "whois"; who: Who }
  /** Where a member is, so that it can be written to. */
  | { ask: "where"; who: Who }
  | ReachQuestion
  /** That something is done to keep order, in the words that were typed. */
  | { ask: "order"; text: string }
  /** What it takes to register the user's name or to give it up, or to have it done. */
  | { ask: "account"; packet: AccountPacket };

/** A message that a peer has sent to this client alone. */
export interface DirectMessage extends Draft {
  /** The sender's address as the server has named it, whatever address the datagram came from. */
  address: string;
  /** The name that the server has said with it. */
  name?: string;
  /** The pass of the sender and this client: by it the sender is known, whoever has the name or the address. */
  pass: string;
  /** How long ago it was said, in milliseconds. */
  age: number;
  /** Whether it has passed through the server. */
  relayed?: boolean;
}

/** What a link to a server has found out. */
export type LinkEvent =
  /** Messages can be sent to the server, for the first time or again. */
  | { type: "joined" }
  /** The server has answered a greeting, so what is known of this client itself may be new. */
  | { type: "welcome"; epoch: string; topic?: string }
  /** Messages can't be sent to the server for now. */
  | { type: "lost" }
  /** The server has begun anew: what it has not answered, it never will. */
  | { type: "begun anew" }
  /** What the room brings next. */
  | { type: "feed"; item: FeedItem }
  /**
   * An event that has had its turn before: the history has asked for it, or it is this client's own message, and answers
   * a repeat.
   */
  | { type: "past"; event: EventPacket; isAnswer: boolean }
  /** An event that has had its turn and is not shown: this client's own message, of which there is no copy. */
  | { type: "unshown"; seq: number }
  /** The server does not keep these events any more. */
  | { type: "gone"; range: SeqRange }
  | { type: "answer"; packet: Answer }
  /** A member wants to send something directly. */
  | { type: "punch"; packet: PunchPacket }
  /** The server has passed on what a member has sent. */
  | { type: "relayed"; packet: RelayPacket }
  /** A classic server has forwarded a line. */
  | { type: "line"; line: string }
  /** The user is to be asked for the password of the name. */
  | { type: "challenged" }
  /** The server has not shown that it knows the password: this client must leave. */
  | { type: "distrusted"; text: string }
  /** The server does not take this client under a name, or has told it to go, whatever its name. */
  | { type: "refused"; code: string; name: string | undefined; text: string }
  /** Nothing that waits will be done, as the server has told this client to go. */
  | { type: "expelled" }
  | { type: "notice"; text: string }
  | { type: "problem"; text: string }
  /** What the user asked for was not done, so many times. */
  | { type: "shortfall"; what: Shortfall; count: number };

/** What any part has found out. */
export type Fact =
  | LinkEvent
  | { type: "show"; shown: Shown }
  /** A question has had no answer in time. */
  | { type: "unanswered"; question: Question }
  | { type: "direct"; message: DirectMessage }
  /** The server has said where a member is with whom there is a lasting contact. */
  | { type: "reached" }
  /** A packet about a file has come: from an address, or through the server. */
  | { type: "file packet"; packet: FilePacket; from: string | undefined }
  /** The messages that were asked for, in order; `missing` events were neither sent nor reported as gone. */
  | { type: "history"; messages: EventPacket[]; missing: number };

/** A part that wants to be woken. */
export interface Timed {
  /** When {@linkcode wake} is to be called, in milliseconds of the caller's clock; undefined for never. */
  readonly nextWake: number | undefined;
  /** Does what is due. */
  wake(now: number): Fact[];
}
