/**
 * A journal in a SQLite file, and the members beside it.
 *
 * Every event is written before it is told, in one transaction with full synchronisation (SQLite's write-ahead log), so
 * that after a crash, or even a power failure, no seq that a member has seen is ever given to another event. Changes of
 * the members are written without full synchronisation: only a power failure can undo them, and the member then greets
 * again.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { encode, type EventPacket } from "../../protocol.ts";
import { Failure } from "../../runtime/program.ts";
import { EventWindow } from "./event_window.ts";
import type { Journal, KeptStream, NewEvent, Origin, WindowOptions } from "./journal.ts";
import type { KeptMember, Past } from "./past.ts";
import { StreamTable } from "./stream_table.ts";

/** How many events are written between two deletions of the old ones that the file need not keep. */
const CLEAR_EVERY = 500;

/** Writes to a state file. */
export class Writer {
  readonly database: DatabaseSync;
  readonly #path: string;

  constructor(database: DatabaseSync, path: string) {
    this.database = database;
    this.#path = path;
  }

  /**
   * Writes in one transaction.
   *
   * @param isDurable Whether it must also survive a power failure, for which the call waits for the disk.
   * @throws {Failure} if the file can't be written.
   */
  write(statements: () => void, isDurable = false): void {
    try {
      this.database.exec(`PRAGMA synchronous = ${isDurable ? "FULL" : "NORMAL"}`);
      this.database.exec("BEGIN IMMEDIATE");
      statements();
      this.database.exec("COMMIT");
    } catch (error) {
      const reason = error instanceof Error ? error.message : error;
      throw new Failure(
        `The state file ${this.#path} can't be written (${reason}): the server stops, so that nothing is lost`,
      );
    }
  }
}

/** A journal in a file. It keeps each event before {@linkcode append} returns. */
export class SqliteJournal implements Journal {
  readonly pending = 0;
  readonly #writer: Writer;
  readonly #window: EventWindow;
  readonly #streams = new StreamTable();
  readonly #keptEvents: number;
  readonly #statements: Record<"insertEvent" | "setSeq" | "clearEvents" | "putStream" | "dropStream", Statement>;

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
      dropStream: database.prepare("DELETE FROM streams WHERE owner = ?"),
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
    const { insertEvent, setSeq, putStream, clearEvents } = this.#statements;
    this.#writer.write(() => {
      insertEvent.run(kept.seq, encode(kept));
      setSeq.run(kept.seq);
      // in the event's transaction: a crash between two would let a repeat pass as a new message
      if (isStreamed) putStream.run(origin.token, stream, id);
      if (kept.seq % CLEAR_EVERY === 0) clearEvents.run(kept.seq - this.#keptEvents);
    }, true);
    this.#window.keep(kept);
    if (isStreamed) {
      this.#streams.append(stream, origin.token, id);
      this.#streams.keep(stream, id);
    }
    return kept;
  }

  stream(name: string): KeptStream | undefined {
    return this.#streams.get(name);
  }

  ownerJoined(token: string): void {
    this.#streams.ownerJoined(token);
  }

  ownerLeft(token: string): void {
    const forgotten = this.#streams.ownerLeft(token);
    if (forgotten !== undefined) this.#writer.write(() => this.#statements.dropStream.run(forgotten));
  }
}

type Statement = ReturnType<DatabaseSync["prepare"]>;

/**
 * The members in a state file. Each method writes before it returns.
 *
 * A member whose peer is a connection is not written, because no connection outlives the server.
 */
export class MemberTable {
  readonly #writer: Writer;
  readonly #put: Statement;
  readonly #drop: Statement;

  constructor(writer: Writer) {
    this.#writer = writer;
    this.#put = writer.database.prepare("REPLACE INTO members VALUES (?, ?, ?, ?, ?, ?)");
    this.#drop = writer.database.prepare("DELETE FROM members WHERE key = ?");
  }

  /** @throws {Failure} if the file can't be written. */
  joined(member: Origin & KeptMember): void {
    if (member.key !== member.address) return;
    this.#writer.write(() => {
      // a classic member that turns out to speak version 1 is replaced at once, so that a crash can't lose it
      this.#drop.run(member.address);
      this.#putMember(member);
    });
  }

  /**
   * A member has another name or address.
   *
   * @throws {Failure} if the file can't be written.
   */
  changed(member: Origin & KeptMember): void {
    if (member.key === member.address) this.#writer.write(() => this.#putMember(member));
    else this.#writer.write(() => this.#drop.run(keyOf(member)));
  }

  /** @throws {Failure} if the file can't be written. */
  left(member: Origin & KeptMember, how: string): void {
    if (how === "upgrade" || member.key !== member.address) return;
    this.#writer.write(() => this.#drop.run(keyOf(member)));
  }

  #putMember(member: KeptMember): void {
    const { address, dialect, token, name, since } = member;
    this.#put.run(keyOf(member), address, dialect, token, name ?? null, since);
  }
}

/** The key of a member in the file: its token, because its address may change; without a token, its address. */
export function keyOf({ token, address }: Pick<KeptMember, "token" | "address">): string {
  return token || address;
}
