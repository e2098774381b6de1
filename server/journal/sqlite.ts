/**
 * A journal in a SQLite file.
 *
 * Every event is written before it is told, in one transaction with full synchronisation (SQLite's write-ahead log), so
 * that after a crash, or even a power failure, no seq that a member has seen is ever given to another event.
 *
 * @module
 */
import { encode, type EventPacket } from "../../protocol.ts";
import { EventWindow } from "./event_window.ts";
import type { Journal, KeptStream, NewEvent, Origin, WindowOptions } from "./journal.ts";
import type { Past } from "./past.ts";
import type { Statement, Writer } from "./sqlite_writer.ts";
import { StreamTable } from "./stream_table.ts";

/** How many events that the window has dropped are deleted from the file at once. */
const CLEAR_EVERY = 500;

/** A journal in a file. It keeps each event before {@linkcode append} returns. */
export class SqliteJournal implements Journal {
  readonly pending = 0;
  readonly #writer: Writer;
  readonly #window: EventWindow;
  readonly #streams = new StreamTable();
  /** The seqs of events that the window has dropped and the file still has. */
  #dropped: number[] = [];
  readonly #statements: Record<
    "insertEvent" | "setSeq" | "deleteEvent" | "setGaps" | "putStream" | "dropStreams",
    Statement
  >;

  /** @param past What an earlier run has kept in the file. */
  constructor(writer: Writer, past: Past, window: WindowOptions) {
    this.#writer = writer;
    this.#window = new EventWindow(past.epoch, past.seq, window);
    for (const event of past.events) this.#dropped.push(...this.#window.keep(event));
    for (const stream of past.streams) this.#streams.restore(stream);
    const { database } = writer;
    this.#statements = {
      insertEvent: database.prepare("INSERT INTO events VALUES (?, ?)"),
      setSeq: database.prepare("UPDATE room SET seq = ?"),
      deleteEvent: database.prepare("DELETE FROM events WHERE seq = ?"),
      setGaps: database.prepare("UPDATE room SET gaps = ?"),
      putStream: database.prepare("REPLACE INTO streams VALUES (?, ?, ?)"),
      dropStreams: database.prepare("DELETE FROM streams WHERE owner = ?"),
    };
  }

  get epoch(): string {
    return this.#window.epoch;
  }

  get seq(): number {
    return this.#window.seq;
  }

  get digest(): string {
    return this.#window.digest;
  }

  get first(): number {
    return this.#window.first;
  }

  get(seq: number): EventPacket | undefined {
    return this.#window.get(seq);
  }

  append(event: NewEvent, origin?: Origin): EventPacket {
    const kept = this.#window.number(event);
    const { stream, id } = kept.type === "INCOMING" ? kept : {};
    const isStreamed = origin !== undefined && stream !== undefined && id !== undefined;
    const bound = isStreamed ? this.#streams.append(stream, origin.token, id) : undefined;
    const { insertEvent, setSeq, putStream } = this.#statements;
    this.#writer.write(() => {
      insertEvent.run(kept.seq, encode(kept));
      setSeq.run(kept.seq);
      // in the event's transaction: a crash between two would let a repeat pass as a new message
      if (bound) putStream.run(bound.name, bound.owner, bound.appendedId);
      if (this.#dropped.length >= CLEAR_EVERY) this.#deleteDropped();
    }, true);
    this.#dropped.push(...this.#window.keep(kept));
    if (bound) this.#streams.keep(bound.name, bound.appendedId);
    return kept;
  }

  stream(name: string): KeptStream | undefined {
    return this.#streams.get(name);
  }

  isFreeFor(token: string, stream: string): boolean {
    return this.#streams.isFreeFor(token, stream);
  }

  ownerJoined(token: string): void {
    this.#streams.ownerJoined(token);
  }

  ownerLeft(token: string, isForGood: boolean): void {
    const forgotten = this.#streams.ownerLeft(token, isForGood);
    if (forgotten.length === 0) return;
    this.#writer.write(() => forgotten.forEach((owner) => this.#statements.dropStreams.run(owner)));
  }

  /** Deletes what the window has dropped, and writes how many events are missing between those that are left. */
  #deleteDropped(): void {
    const { deleteEvent, setGaps } = this.#statements;
    for (const seq of this.#dropped) deleteEvent.run(seq);
    setGaps.run(this.#window.gaps);
    this.#dropped = [];
  }
}
