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

/** How many events are written between two deletions of the old ones that the file need not keep. */
const CLEAR_EVERY = 500;

/** A journal in a file. It keeps each event before {@linkcode append} returns. */
export class SqliteJournal implements Journal {
  readonly pending = 0;
  readonly #writer: Writer;
  readonly #window: EventWindow;
  readonly #streams = new StreamTable();
  readonly #keptEvents: number;
  readonly #statements: Record<"insertEvent" | "setSeq" | "clearEvents" | "putStream" | "dropStreams", Statement>;

  /** @param past What an earlier run has kept in the file. */
  constructor(writer: Writer, past: Past, window: WindowOptions) {
    this.#writer = writer;
    this.#window = new EventWindow(past.epoch, past.seq, window);
    for (const event of past.events) this.#window.keep(event);
    for (const stream of past.streams) this.#streams.restore(stream);
    this.#keptEvents = window.events ?? 10_000;
    const { database } = writer;
    this.#statements = {
      insertEvent: database.prepare("INSERT INTO events VALUES (?, ?)"),
      setSeq: database.prepare("UPDATE room SET seq = ?"),
      clearEvents: database.prepare("DELETE FROM events WHERE seq <= ?"),
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
    const { insertEvent, setSeq, putStream, clearEvents } = this.#statements;
    this.#writer.write(() => {
      insertEvent.run(kept.seq, encode(kept));
      setSeq.run(kept.seq);
      // in the event's transaction: a crash between two would let a repeat pass as a new message
      if (bound) putStream.run(bound.name, bound.owner, bound.appendedId);
      if (kept.seq % CLEAR_EVERY === 0) clearEvents.run(kept.seq - this.#keptEvents);
    }, true);
    this.#window.keep(kept);
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
}
