/**
 * The interface of a journal: the room's number line, and what is kept of it.
 *
 * @module
 */
import type { EventPacket } from "../../protocol.ts";

/** An event that has no place on the number line yet. */
export type NewEvent = EventPacket extends infer E
  ? E extends EventPacket ? Omit<E, "dialect" | "epoch" | "seq"> : never
  : never;

/** The member that an event comes from, as far as a journal needs it. */
export interface Origin {
  /** The key of its peer. */
  readonly key: string;
  /** Empty for a classic member. */
  readonly token: string;
}

/** An event that is kept, and the member of this server that it comes from. */
export interface Entry {
  event: EventPacket;
  origin?: Origin;
}

/** What a journal knows of the stream of one sender. */
export interface KeptStream {
  readonly name: string;
  /** The token of the only member that may use the stream. */
  readonly owner: string;
  /** The last id that is kept; before the first is, the id before it. A repeat is acknowledged up to here. */
  readonly lastId: number;
  /** The last id that was appended. It is greater than `lastId` while the journal has not answered yet. */
  readonly appendedId: number;
}

/**
 * How many recent messages are kept for members that missed them. Arrivals and departures have an eighth of both for
 * themselves.
 */
export interface WindowOptions {
  /** The most messages. Default 10,000. */
  events?: number;
  /** The most bytes that they may take, approximately. Default 8 MiB. */
  bytes?: number;
}

/**
 * Gives each event its place on the number line and keeps it. The room tells nobody of an event, and acknowledges no
 * message, before the journal has kept it.
 */
export interface Journal {
  /** Names the run of the number line; see PROTOCOL.md. */
  readonly epoch: string;
  /** The seq of the latest event that is kept; 0 before the first. */
  readonly seq: number;
  /**
   * The digest of all events up to {@linkcode seq}; see PROTOCOL.md. It is not kept for the next run of the server, which
   * begins with a random one.
   */
  readonly digest: string;
  /** The seq of the earliest event that {@linkcode get} still has; one more than `seq` when it has none. */
  readonly first: number;
  /** How many events were appended and are not kept yet. */
  readonly pending: number;
  /**
   * The event with a seq from {@linkcode first} to {@linkcode seq}; undefined for another one. For an arrival or a
   * departure that is not kept any more it is a notice about nobody.
   */
  get(seq: number): EventPacket | undefined;
  /**
   * Appends an event. A message binds its stream to the token of its origin, unless the stream is bound already.
   *
   * @returns The event with its seq when it is kept at once. Otherwise undefined, and the journal hands the event to
   * `Host.appended` later, in the order of the number line.
   * @throws {Failure} if the event can't be kept. The server then stops. If that shows later, the journal tells
   * `Host.fail`.
   */
  append(event: NewEvent, origin?: Origin): EventPacket | undefined;
  /** What is known of a stream; undefined if it is bound to nobody. */
  stream(name: string): KeptStream | undefined;
  /** Whether a token may speak in a stream: the stream is its own, or nobody's and the token has not too many. */
  isFreeFor(token: string, stream: string): boolean;
  /** The owner of streams has joined: its streams are kept for as long as it is here. */
  ownerJoined(token: string): void;
  /**
   * The owner of streams has left: its streams are kept until 10,000 others have left in the same way.
   *
   * @param isForGood Whether it has said goodbye.
   */
  ownerLeft(token: string, isForGood: boolean): void;
}
