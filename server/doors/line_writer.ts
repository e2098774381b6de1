/**
 * Writes lines to connections: one write for each line where that matters, never more than a connection's share of
 * memory, and so that nobody waits for anybody else.
 *
 * Many chat programs read with `recv(1024)` and take what they get for one message. So a program that sends no line
 * feeds gets each line by a write of its own, with a pause that lets it read the line before the next one comes. On a busy
 * machine this pause may be too short for it. So after as many bytes as it reads at once the pause is longer: otherwise a
 * read would end within a line, or within a character, which ends many programs in Python.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { DelayQueue } from "./delay_queue.ts";
import type { DoorStatistics } from "./door.ts";

/** The part of {@linkcode Deno.TcpConn} that writing needs. */
export type Writable = Pick<Deno.TcpConn, "write">;

/** The shortest time between two writes to a program that sends no line feeds, in milliseconds. */
const PAUSE_MS = 2;
/** What such a program reads at once, in bytes, and the pause after so many of them, in milliseconds. */
const READ_BYTES = 1023;
const LONG_PAUSE_MS = 20;
/** The most bytes that share a write. */
const SHARED_BYTES = 16 << 10;
/** The most bytes that wait for a reader that has read nothing for STUCK_MS, and for any reader. */
const MAX_STUCK_BYTES = 64 << 10;
const MAX_WAITING_BYTES = 256 << 10;
const STUCK_MS = 1000;
/** How many writes begin before arriving data is handled. They take two or three milliseconds. */
const WRITES_PER_TURN = 256;

/** Lets connections write in turns, so that a broadcast to thousands delays nothing else. */
export class WriteTurns {
  readonly #ready: LineWriter[] = [];
  readonly #pausing = new DelayQueue<LineWriter>(PAUSE_MS, (writer) => this.soon(writer));
  readonly #resting = new DelayQueue<LineWriter>(LONG_PAUSE_MS, (writer) => this.soon(writer));
  #running = false;

  /** Lets a writer write in this turn of the event loop, or in one of the next when many want to. */
  soon(writer: LineWriter): void {
    this.#ready.push(writer);
    if (!this.#running) this.#run();
  }

  /** Lets a writer write when the pause between two writes is over. */
  afterPause(writer: LineWriter, isLong: boolean): void {
    (isLong ? this.#resting : this.#pausing).add(writer);
  }

  close(): void {
    this.#pausing.close();
    this.#resting.close();
  }

  async #run(): Promise<void> {
    this.#running = true;
    // lines that are sent in the same turn may share a write
    await Promise.resolve();
    while (this.#ready.length > 0) {
      for (const writer of this.#ready.splice(0, WRITES_PER_TURN)) writer.write();
      if (this.#ready.length > 0) await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#running = false;
  }
}

/** The lines that wait for one connection. */
export class LineWriter {
  /** Whether each line gets a write of its own, with a pause before the next. */
  isPaced = true;
  readonly #conn: Writable;
  readonly #turns: WriteTurns;
  readonly #statistics: DoorStatistics;
  #lines: Uint8Array[] = [];
  #waitingBytes = 0;
  /** Whether it has asked for its turn. */
  #hasTurn = false;
  #isWriting = false;
  #isClosed = false;
  /** When the connection last took something, or began to be written to; and when the last write ended. */
  #progressAt = -Infinity;
  #wroteAt = -Infinity;
  /** How many bytes were written since the last long pause: they may not be read yet. */
  #unreadBytes = 0;
  #drained: PromiseWithResolvers<void> | undefined;
  readonly #failed: () => void;

  /** @param failed Called when nothing more can be written, because the other end is gone. */
  constructor(conn: Writable, turns: WriteTurns, statistics: DoorStatistics, failed: () => void = () => {}) {
    this.#conn = conn;
    this.#turns = turns;
    this.#statistics = statistics;
    this.#failed = failed;
  }

  /** How many bytes wait until they are written. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /**
   * Writes lines as soon as those before them are written.
   *
   * @returns False if too much waits already, because the other end does not read: then the writer is closed.
   */
  push(lines: readonly Uint8Array[]): boolean {
    if (this.#isClosed) {
      this.#statistics.failed += lines.length;
      return true;
    }
    for (const line of lines) {
      this.#lines.push(line);
      this.#waitingBytes += line.length;
    }
    const isStuck = this.#isWriting && performance.now() > this.#progressAt + STUCK_MS;
    if (this.#waitingBytes > (isStuck ? MAX_STUCK_BYTES : MAX_WAITING_BYTES)) {
      this.#statistics.dropped += this.#lines.length;
      this.#lines = [];
      this.close();
      return false;
    }
    if (!this.#hasTurn && !this.#isWriting) this.#askForTurn();
    return true;
  }

  /** Begins to write the next lines. */
  write(): void {
    this.#hasTurn = false;
    if (this.#isWriting || this.#isClosed || this.#lines.length === 0) return;
    const isPaced = this.#isPacedNow;
    let count = 0, length = 0;
    do length += this.#lines[count++].length; while (
      !isPaced && count < this.#lines.length && length + this.#lines[count].length <= SHARED_BYTES
    );
    const lines = this.#lines.splice(0, count);
    this.#isWriting = true;
    this.#writeAll(count === 1 ? lines[0] : join(lines, length), count);
  }

  /** Resolves when all lines are written, or can't be. */
  drained(): Promise<void> {
    if (this.#isClosed || (!this.#isWriting && this.#lines.length === 0)) return Promise.resolve();
    return (this.#drained ??= Promise.withResolvers()).promise;
  }

  /** Drops the lines that are not written. */
  close(): void {
    this.#isClosed = true;
    this.#statistics.failed += this.#lines.length;
    this.#lines = [];
    this.#waitingBytes = 0;
    this.#endDraining();
  }

  #endDraining(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  /** Never rejects. */
  async #writeAll(bytes: Uint8Array, count: number): Promise<void> {
    try {
      for (let rest = bytes; rest.length > 0;) {
        this.#progressAt = performance.now();
        rest = rest.subarray(await this.#conn.write(rest));
      }
    } catch {
      this.#statistics.failed += count;
      this.close();
      this.#failed();
      return;
    }
    this.#statistics.sent += count;
    this.#isWriting = false;
    if (this.#isClosed) return;
    this.#waitingBytes -= bytes.length;
    this.#unreadBytes += bytes.length;
    this.#wroteAt = performance.now();
    if (this.#lines.length > 0) this.#askForTurn();
    else this.#endDraining();
  }

  /** When much waits for a program, it is more important to be quick. */
  get #isPacedNow(): boolean {
    return this.isPaced && this.#waitingBytes <= SHARED_BYTES;
  }

  #askForTurn(): void {
    this.#hasTurn = true;
    const pausedMs = performance.now() - this.#wroteAt;
    if (pausedMs >= LONG_PAUSE_MS) this.#unreadBytes = 0;
    const isLong = this.#unreadBytes + this.#lines[0].length > READ_BYTES;
    const pauseMs = isLong ? LONG_PAUSE_MS : PAUSE_MS;
    if (this.#isPacedNow && pausedMs < pauseMs) this.#turns.afterPause(this, isLong);
    else this.#turns.soon(this);
  }
}

/** Cuts bytes behind each line feed, without a copy. */
export function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0x0a, start) + 1 || bytes.length;
    lines.push(bytes.subarray(start, end));
    start = end;
  }
  return lines;
}

function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
