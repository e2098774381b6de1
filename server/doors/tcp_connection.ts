/**
 * One connection of the TCP door, from the first byte to the last.
 *
 * It joins the room when it says its first line, or after a moment in which it says nothing. So one that speaks HTTP or
 * TLS is closed before the room hears of it.
 *
 * @module
 */
import { isOneCharacter, LineReader } from "../../protocol/line_reader.ts";
import { now } from "../../runtime/clock.ts";
import { Pause } from "../../runtime/pause.ts";
import type { Peer } from "../room/peer.ts";
import type { DoorKeeper, DoorStatistics } from "./door.ts";
import { countBlank, foreignProtocol, httpAnswer } from "./foreign_protocols.ts";
import { LineWriter, type WriteTurns } from "./line_writer.ts";
import type { ReadBudget } from "./read_budget.ts";

/** The part of {@linkcode Deno.TcpConn} that is needed. */
export type Connection = Pick<Deno.TcpConn, "read" | "write" | "closeWrite" | "close">;

/** What a connection tells its keeper. */
export type ConnectionKeeper = Pick<DoorKeeper, "connected" | "receiveLine" | "dismissed" | "hungUp">;

/** What all connections of a door share. */
export interface SharedParts {
  turns: WriteTurns;
  budget: ReadBudget;
  statistics: DoorStatistics;
}

const READ_BYTES = 2048;
/** How long the first bytes may leave it unclear what they are, in milliseconds. Then they are a line. */
const UNCLEAR_MS = 2000;
/** How long a connection may take to end, in milliseconds. */
const LEAVE_MS = 1000;
/** The longest pause between two offers of a line, in milliseconds. */
const MAX_PAUSE_MS = 60_000;
/**
 * For how long a connection may go on to be ahead of what the keeper takes by more than one read, in milliseconds: 2,000
 * lines that were pasted are said in this time. Without an end, megabytes that lie in the system's buffers would be said
 * for hours, also when nobody is there any more.
 */
const MAX_AHEAD_MS = 120_000;
/** A read that took so long shows that nothing was waiting, in milliseconds. */
const CAUGHT_UP_MS = 1000;
/** For how long what has arrived is still said of one to whom a write has failed, in milliseconds. */
const MAX_AHEAD_OF_GONE_MS = 10_000;
/** What who is closed for that reads. */
const SAYS_TOO_MUCH = new TextEncoder().encode("You say more than the room takes: the rest is not said\n");
/**
 * While so many bytes wait for a reader, nothing that it says is taken, so that the answers to its own commands do not
 * make it one that reads too slowly; and how long it is waited each time, in milliseconds: a poll.
 */
const MAX_UNREAD_BYTES = 32 << 10;
const UNREAD_PAUSE_MS = 20;

/** `new` until the keeper knows it, `here` until one of both leaves, then `leaving` until all is written. */
type State = "new" | "here" | "leaving" | "closed";

/** A connection. Nothing that its other end does makes a method throw or reject. */
export class TcpConnection {
  readonly peer: Peer;
  readonly writer: LineWriter;
  readonly #conn: Connection;
  readonly #keeper: ConnectionKeeper;
  readonly #reader = new LineReader({ feedsOnly: true });
  #state: State = "new";
  /** The first bytes, while it is unclear what they are; undefined from then on. */
  #head: Uint8Array | undefined = new Uint8Array(0);
  /**
   * How many of them are handed over already, because nothing followed for long. They are still a part of what shows
   * what it is: a slow network must not let a web page in.
   */
  #takenOfHead = 0;
  /** Whether the first bytes have come one character at a time. */
  #isHeadTyped = true;
  /** The lines that the keeper has not taken. */
  #lines: string[] = [];
  /** Resolves when the keeper has taken all lines that it did not take at once. */
  #handingOver: Promise<void> | undefined;
  readonly #offerPause = new Pause();
  readonly #readPause = new Pause();
  /** Notes a read; returns the milliseconds until the next. */
  readonly #noteRead: (bytes: number, now: number) => number;
  /** Until when what the keeper does not take may wait, in milliseconds. */
  #waitsUntil = Infinity;
  /** Whether a write has failed, so that nobody is there any more. */
  #isGone = false;
  /** Rings when the other end has been silent for long enough. */
  #silence: ReturnType<typeof setTimeout> | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  /** Resolves when all is written that was sent, or can't be. */
  readonly #flushed = Promise.withResolvers<void>();

  constructor(conn: Connection, peer: Peer, keeper: ConnectionKeeper, { turns, budget, statistics }: SharedParts) {
    this.#conn = conn;
    this.peer = peer;
    this.#keeper = keeper;
    this.#noteRead = budget.ofConnection(now());
    this.writer = new LineWriter(conn, turns, statistics, () => {
      // a program that says a few lines and ends has read nothing: its lines are still said, but megabytes are not
      this.#isGone = true;
      this.#waitsUntil = Math.min(this.#waitsUntil, now() + MAX_AHEAD_OF_GONE_MS);
      this.#offerPause.end();
    });
  }

  /** Whether it can join now: it has said nothing yet, so it is not known to be anything but a chat. */
  get isSilent(): boolean {
    return this.#state === "new" && this.#head?.length === 0;
  }

  /** Resolves when it was told to leave and all is written that was sent before, or can't be. */
  get flushed(): Promise<void> {
    return this.#flushed.promise;
  }

  /** Passes on what arrives. Resolves when the connection is closed. */
  async run(): Promise<void> {
    const isWhole = await this.#read();
    clearTimeout(this.#silence);
    if (isWhole) await this.#takeRest();
    if (this.#state === "here") this.#keeper.hungUp(this.peer);
    this.leave();
    await this.flushed;
    this.close();
  }

  /** Lets it join. */
  join(): void {
    if (this.#state !== "new") return;
    this.#state = "here";
    if (!this.#keeper.connected(this.peer)) this.leave();
  }

  /** Writes lines; closes the connection if too much waits for a reader that does not read. */
  send(lines: readonly Uint8Array[]): void {
    if (this.#state !== "leaving" && !this.writer.push(lines)) this.#abort();
  }

  /** Hands over nothing more, and closes the connection when all is written that was sent, or after a second. */
  leave(): void {
    if (this.#state === "leaving" || this.#state === "closed") return;
    this.#state = "leaving";
    this.#forgetInput();
    this.#deadline = setTimeout(() => this.close(), LEAVE_MS);
    this.#finish();
  }

  /** Ends it because of what it is. The keeper may know it by now. */
  dismiss(): void {
    const isKnown = this.#state === "here";
    this.leave();
    if (isKnown) this.#keeper.hungUp(this.peer);
  }

  /** Closes the connection at once. */
  close(): void {
    clearTimeout(this.#deadline);
    this.#flushed.resolve();
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#abort();
  }

  /** Ends all that is under way. A member is missed in the room as soon as this is noticed by the reading. */
  #abort(): void {
    this.#forgetInput();
    this.writer.close();
    try {
      this.#conn.close();
    } catch {
      // it was closed before
    }
  }

  #forgetInput(): void {
    clearTimeout(this.#silence);
    this.#lines = [];
    this.#head = undefined;
    this.#reader.end();
    this.#offerPause.end();
    this.#readPause.end();
  }

  /** Writes what is left, and says that it was the last. What arrives meanwhile is read, or the system drops both. */
  async #finish(): Promise<void> {
    await this.writer.drained();
    try {
      await this.#conn.closeWrite();
    } catch {
      // the other end is gone
    }
    this.#flushed.resolve();
  }

  /** Reads until the other end closes or the connection breaks. Returns false if it was closed here. */
  async #read(): Promise<boolean> {
    const buffer = new Uint8Array(READ_BYTES);
    try {
      for (let count, askedAt = now(); (count = await this.#conn.read(buffer)) !== null; askedAt = now()) {
        // whoever leaves is read only to be dropped, which costs the others nothing
        const pause = this.#state === "leaving" ? 0 : this.#noteRead(count, now());
        if (this.#state !== "leaving") {
          if (now() - askedAt >= CAUGHT_UP_MS) this.#caughtUp();
          // the system may hand over less when more is waiting, so only a full read shows that it is
          if (count === READ_BYTES) this.#waitsUntil = Math.min(this.#waitsUntil, now() + MAX_AHEAD_MS);
          this.#arrived(buffer.subarray(0, count));
          if (!this.#handingOver) this.#caughtUp();
          await this.#handingOver;
        }
        if (pause > 0 && this.#state !== "closed") await this.#readPause.wait(pause);
      }
    } catch (error) {
      // what had arrived before a reset is still said: a program that ends with unread data resets its connection
      return !(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted);
    }
    return true;
  }

  #caughtUp(): void {
    if (!this.#isGone) this.#waitsUntil = Infinity;
  }

  #arrived(bytes: Uint8Array): void {
    if (!this.#head) return this.#take(this.#reader.push(bytes, now()));
    const isFirst = this.#head.length === 0;
    if (isFirst) {
      // an empty line says nothing of what will follow, but that the program sends line feeds
      const blank = countBlank(bytes);
      this.#take(this.#reader.push(bytes.subarray(0, blank), now()));
      bytes = bytes.subarray(blank);
      if (bytes.length === 0) return;
    }
    this.#isHeadTyped &&= isOneCharacter(bytes);
    const isNew = this.#head.length === this.#takenOfHead;
    const head = new Uint8Array(this.#head.length + bytes.length);
    head.set(this.#head);
    head.set(bytes, this.#head.length);
    this.#head = head;
    if (isNew) {
      clearTimeout(this.#silence);
      this.#silence = setTimeout(() => this.#head && this.#judge(this.#head, true), UNCLEAR_MS);
    }
    this.#judge(head);
  }

  #judge(head: Uint8Array, isAll = false): void {
    const protocol = foreignProtocol(head, isAll);
    if (protocol === "unclear") return;
    if (protocol === "none") {
      this.#takeHead(isAll && foreignProtocol(head) === "unclear");
    } else {
      if (protocol === "http") this.writer.push([httpAnswer()]);
      this.#keeper.dismissed(this.peer, protocol);
      this.dismiss();
    }
  }

  /**
   * Takes the first bytes as those of a chat.
   *
   * @param isKept Whether what follows may show that they are none.
   */
  #takeHead(isKept: boolean): void {
    const head = this.#head?.subarray(this.#takenOfHead);
    if (isKept && this.#head) this.#takenOfHead = this.#head.length;
    else this.#head = undefined;
    this.join();
    if (head && this.#state === "here") this.#take(this.#reader.push(head, now(), this.#isHeadTyped));
  }

  #take(lines: string[]): void {
    clearTimeout(this.#silence);
    this.writer.isPaced = !this.#reader.hasFed;
    const answer = this.#reader.takeAnswer();
    if (answer) this.send([answer]);
    this.#lines.push(...lines);
    this.#handOver();
    const { nextWake } = this.#reader;
    if (nextWake === undefined || this.#state !== "here") return;
    this.#silence = setTimeout(() => this.#take(this.#reader.wake(now())), Math.max(0, nextWake - now()));
  }

  /** Takes what is left when the other end has closed. */
  async #takeRest(): Promise<void> {
    if (this.#head && this.#head.length > 0) this.#judge(this.#head, true);
    // a part of the last line may still wait: the empty line says nothing, and is taken when nothing waits any more
    this.#lines.push(...this.#reader.end(), "");
    this.#handOver();
    await this.#handingOver;
  }

  #handOver(): void {
    if (this.#handingOver) return;
    const pause = this.#offerLines();
    if (pause > 0) this.#handingOver = this.#handOverLater(pause);
  }

  async #handOverLater(pause: number): Promise<void> {
    let isOverdue = false;
    while (pause > 0 && !isOverdue) {
      await this.#offerPause.wait(Math.min(pause, MAX_PAUSE_MS, Math.max(0, this.#waitsUntil - now())));
      pause = this.#offerLines();
      isOverdue = now() >= this.#waitsUntil;
    }
    this.#handingOver = undefined;
    if (pause > 0) this.#cutOff();
  }

  /** Ends it because it says more than the keeper takes. */
  #cutOff(): void {
    this.#keeper.dismissed(this.peer, "too much");
    this.send([SAYS_TOO_MUCH]);
    this.dismiss();
  }

  /** Offers the lines to the keeper; returns for how long it does not want the next, or 0 if it has taken all. */
  #offerLines(): number {
    while (this.#state === "here" && this.#lines.length > 0) {
      if (this.writer.waitingBytes > MAX_UNREAD_BYTES) return UNREAD_PAUSE_MS;
      const pause = this.#keeper.receiveLine(this.#lines[0], this.peer);
      if (pause > 0) return pause;
      this.#lines.shift();
    }
    return 0;
  }
}
