/**
 * What a client does with a TCP server that speaks lines of text: it says lines, shows those that arrive, and connects
 * again when the connection breaks. It knows no socket, no clock and no screen.
 *
 * In a pipe a broken connection is not made again, because nobody could tell which lines have arrived.
 *
 * @module
 */
import type { Shown } from "../session/shown.ts";
import { earliest } from "../../protocol/earliest.ts";
import { LineReader } from "../../protocol/line_reader.ts";
import { pluralize, printable } from "../../protocol/text.ts";
import { cutPresence } from "./heard_text.ts";
import { NameQuestion } from "./name_question.ts";
import { Outbox } from "./outbox.ts";

/** The way to the server. */
export interface Wire {
  /** Begins to connect; the answer is {@linkcode LineSession.connected} or {@linkcode LineSession.failed}. */
  connect(): void;
  /** Writes bytes; the answer is {@linkcode LineSession.written}. */
  write(bytes: Uint8Array): void;
  /** Ends the sending side of the connection. */
  endWriting(): void;
  /** Closes the connection, if there is one. */
  hangUp(): void;
}

/** Options of a session. */
export interface LineSessionOptions {
  /** The server, as the user gave it. */
  server: string;
  /** The name for servers that ask for one. */
  name?: string;
  /** Whether somebody types at a terminal; otherwise the lines come from a pipe. */
  interactive: boolean;
  wire: Wire;
  show(shown: Shown): void;
}

/** How a connection has ended. */
export interface Loss {
  /** Whether it broke, or the server has not taken what was sent; otherwise the server has closed it. */
  isBroken: boolean;
  /** Whether the system had taken all that was to be written. */
  isWritten: boolean;
}

/** The pauses before another attempt to connect, in milliseconds: each is twice as long as the one before. */
const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 10_000;
/** A connection that has lasted so long, in milliseconds, makes the next pause the first again. */
const STABLE_MS = 10_000;
/** How long a client in a pipe, or one that is to leave, waits for progress, in milliseconds. */
const PROGRESS_MS = 10_000;
/** What was written so shortly before the server closed a connection may be lost, in milliseconds. */
const AT_RISK_MS = 2000;
/** A server that closes a connection so shortly after a line like this, in milliseconds, has told its user to go. */
const TOLD_TO_GO = /^!! /, TOLD_TO_GO_MS = 1000;
/** How long the server may be silent after the last line of a pipe, in milliseconds. */
const LAST_WORDS_MS = 1000;
/** How long the server's last words are awaited at most, in milliseconds: in a pipe, and when a user leaves. */
const MAX_LAST_WORDS_MS = 10_000;
const MAX_GOODBYE_MS = 300;

const decoder = new TextDecoder();

/** One session of a client: from the start to the end of the program. */
export class LineSession {
  readonly #options: LineSessionOptions;
  readonly #outbox = new Outbox();
  #link: "connecting" | "connected" | "pausing" = "connecting";
  #stage: "open" | "draining" | "ending" | "closed" = "open";
  #failure: string | undefined;
  #reader = new LineReader();
  readonly #question: NameQuestion;
  #everConnected = false;
  #connectedAt = -Infinity;
  /** When a line last came that may tell its user to go, if nothing has come since, in milliseconds. */
  #toldToGoAt = -Infinity;
  /** When to connect again, and the pause after that: Infinity for when the user says something. */
  #connectAt = 0;
  #pause = FIRST_PAUSE_MS;
  /** Why the last attempt to connect failed, and what the user knows of it. */
  #reason = "no answer";
  #toldReason: string | undefined;
  /** When there was last progress; when the server was last heard; when the end began, in milliseconds. */
  #progressAt = 0;
  #heardAt = 0;
  #endingAt = 0;
  #maxEndingMs = MAX_GOODBYE_MS;
  /** When a pipe ends whose server has closed while its input went on, in milliseconds. */
  #closedAt: number | undefined;

  constructor(options: LineSessionOptions) {
    this.#options = options;
    this.#question = new NameQuestion(options.name);
  }

  /** Whether the session has ended. */
  get closed(): boolean {
    return this.#stage === "closed";
  }

  /** Whether the session takes no more lines, because it is to leave. */
  get draining(): boolean {
    return this.#stage !== "open";
  }

  /** Whether the session is saying goodbye, or has said it. */
  get closing(): boolean {
    return this.#stage === "ending" || this.closed;
  }

  /** Whether no more lines should be read for now. On a terminal they are read, so that `/quit` is. */
  get full(): boolean {
    return !this.#options.interactive && this.#outbox.isFull;
  }

  /** How many lines are not written. */
  get waiting(): number {
    return this.#outbox.waiting;
  }

  /** Why not everything was done that was to be done, in one line; undefined when it was. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** When {@linkcode wake} must be called next, in milliseconds of the caller's clock; undefined for never. */
  get nextWake(): number | undefined {
    if (this.closed) return undefined;
    const times = [this.#nextWriteAt, this.#endsAt, this.#stallsAt, this.#closedAt && this.#closedAt + LAST_WORDS_MS];
    const connects = this.#link === "pausing" && this.#closedAt === undefined && this.#connectAt < Infinity;
    if (connects) times.push(this.#connectAt);
    if (this.#link === "connected") times.push(this.#reader.nextWake);
    if (this.#isSaid) times.push(this.#question.holdUntil);
    return earliest(times);
  }

  /** Begins to connect. */
  start(now: number): void {
    this.#progressAt = now;
    this.#options.wire.connect();
  }

  /** Says a line. */
  say(text: string, now: number): void {
    if (this.draining) return;
    if (this.#closedAt !== undefined) return this.#fail(`${this.#options.server} has closed the connection`);
    if (this.#outbox.isFull) return this.#tell("problem", "Not sent: too much waits for the server already");
    if (this.#outbox.waiting === 0) this.#progressAt = Math.max(this.#progressAt, now);
    if (this.#connectAt === Infinity) this.#connectAt = now;
    const name = this.#question.typed(text);
    if (name === undefined) this.#outbox.add(text);
    else this.#outbox.answer(name);
    if (this.#options.interactive && this.#link !== "connected") {
      this.#tell("notice", `Not connected; ${pluralize(this.#outbox.waiting, "line")} kept until it is`);
    }
    this.#proceed(now);
  }

  /**
   * Leaves when everything that waits has been written. After 10 s without progress it leaves with a
   * {@linkcode failure}.
   *
   * @param lastWord What the server is told before, if it is there.
   */
  drain(now: number, lastWord?: string): void {
    if (this.draining) return;
    const isPointless = this.#options.interactive && this.#link !== "connected" && this.#outbox.waiting === 0;
    if (isPointless || this.#closedAt !== undefined) return this.#end();
    if (lastWord !== undefined) this.#outbox.add(lastWord);
    this.#stage = "draining";
    this.#progressAt = now;
    this.#proceed(now);
  }

  /** Leaves at once. What was not written is lost. */
  close(now: number): void {
    if (this.closing) return;
    if (this.#outbox.waiting > 0) return this.#fail(`${pluralize(this.#outbox.waiting, "line")} not sent`);
    if (this.#link !== "connected") return this.#end();
    this.#sayGoodbye(MAX_GOODBYE_MS, now);
  }

  /** Notes that there is a connection. */
  connected(now: number): void {
    this.#link = "connected";
    this.#connectedAt = this.#progressAt = this.#heardAt = now;
    this.#reader = new LineReader();
    const { forgotten } = this.#question;
    this.#question.connected(now);
    if (this.#everConnected) this.#tell("notice", `Connected again${forgotten}`);
    else if (this.#toldReason !== undefined) this.#tell("notice", "Connected");
    this.#everConnected = true;
    this.#proceed(now);
  }

  /** Notes that an attempt to connect has failed, and why. */
  failed(reason: string, now: number): void {
    this.#reason = reason;
    this.#connectLater(now);
    if (this.#everConnected || this.#toldReason === reason) return;
    this.#toldReason = reason;
    this.#tell("problem", `No answer from ${this.#options.server}: ${reason}. Trying again`);
  }

  /** Notes that the connection is gone, and how. */
  lost({ isBroken, isWritten }: Loss, now: number): void {
    this.#link = "pausing";
    for (const line of this.#reader.end()) this.#take(line, now);
    this.#question.lost();
    this.#options.wire.hangUp();
    if (isWritten) this.#outbox.written(now);
    // whoever breaks off has perhaps not read for long
    const isUnanswered = isBroken && this.#outbox.writtenAt >= this.#heardAt;
    const isAtRisk = isUnanswered || now - this.#outbox.writtenAt < AT_RISK_MS;
    this.#outbox.disconnected();
    const happened = `${this.#options.server} has ${isBroken ? "broken off" : "closed"} the connection`;
    if (this.closing || this.draining && this.#outbox.waiting === 0) {
      if (isBroken && !this.#options.interactive) this.#fail(`${happened}; what was sent last may be lost`);
      return this.#end();
    }
    if (this.#options.interactive) {
      if (now - this.#connectedAt >= STABLE_MS) this.#pause = FIRST_PAUSE_MS;
      this.#connectLater(now);
      const wasToldToGo = !isBroken && now < this.#toldToGoAt + TOLD_TO_GO_MS;
      if (wasToldToGo) this.#connectAt = Infinity;
      const rest = isAtRisk ? "; what you sent last may be lost" : "";
      const next = wasToldToGo ? "What you type next connects again" : "Trying again";
      return this.#tell("problem", `${happened}${rest}. ${next}`);
    }
    if (isBroken || this.#outbox.waiting > 0) return this.#fail(`${happened} before all was sent`);
    // perhaps the input has ended too, and the client does not know yet
    this.#closedAt = now;
  }

  /** Takes bytes that have arrived. */
  receive(bytes: Uint8Array, now: number): void {
    this.#heardAt = now;
    for (const line of this.#reader.push(bytes, now)) this.#take(line, now, true);
    if (this.#reader.nextWake !== undefined) this.#question.heardPart(now);
    this.#proceed(now);
  }

  /** Notes that the last bytes for the wire have been written. */
  written(now: number): void {
    this.#outbox.written(now);
    this.#progressAt = now;
    this.#proceed(now);
  }

  /** Notes that the caller takes nothing from the wire for now, so that silence is not the server's fault. */
  noteDeaf(now: number): void {
    this.#heardAt = this.#progressAt = now;
  }

  /** Does what is due. */
  wake(now: number): void {
    if (this.closed) return;
    if (this.#link === "connected") { for (const line of this.#reader.wake(now)) this.#take(line, now); }
    if (this.#link === "pausing" && this.#closedAt === undefined && now >= this.#connectAt) {
      this.#link = "connecting";
      this.#options.wire.connect();
    }
    this.#proceed(now);
    if (now >= this.#endsAt!) return this.#end();
    if (this.#closedAt !== undefined && now >= this.#closedAt + LAST_WORDS_MS) {
      return this.#fail(`${this.#options.server} has closed the connection`);
    }
    if (now >= this.#stallsAt!) this.#fail(this.#stalled);
  }

  /** When the next line is to be written. */
  get #nextWriteAt(): number | undefined {
    const at = this.#link === "connected" && !this.closing ? this.#outbox.nextAt : undefined;
    return at === undefined ? undefined : Math.max(at, this.#question.holdUntil);
  }

  /** Whether only the goodbye is left to be said. */
  get #isSaid(): boolean {
    return this.#stage === "draining" && this.#link === "connected" && this.#outbox.waiting === 0;
  }

  /** When the session ends that has said goodbye. */
  get #endsAt(): number | undefined {
    if (this.#stage !== "ending") return undefined;
    const last = this.#endingAt + this.#maxEndingMs;
    return this.#options.interactive ? last : Math.min(last, this.#heardAt + LAST_WORDS_MS);
  }

  /** When the session gives up, unless there is progress. */
  get #stallsAt(): number | undefined {
    const isWaiting = this.#link !== "connected" || this.#outbox.waiting > 0;
    const canGiveUp = !this.closing && (this.draining || !this.#options.interactive);
    return canGiveUp && isWaiting && this.#closedAt === undefined ? this.#progressAt + PROGRESS_MS : undefined;
  }

  get #stalled(): string {
    const count = this.#outbox.waiting, rest = count > 0 ? `; ${pluralize(count, "line")} not sent` : "";
    if (this.#link === "connected") return `${this.#options.server} has taken nothing for 10 s${rest}`;
    return `No answer from ${this.#options.server}: ${this.#reason}${rest}`;
  }

  /** Writes the next line when it is time, and says goodbye behind the last. */
  #proceed(now: number): void {
    if (this.#link !== "connected" || this.closing) return;
    if (now >= this.#nextWriteAt!) {
      const line = this.#outbox.take(), text = decoder.decode(line);
      const isLastWord = this.#options.interactive && this.draining && this.#outbox.waiting === 1;
      const notice = this.#question.said(text, isLastWord);
      if (notice !== undefined) this.#tell("notice", notice);
      this.#options.wire.write(line);
    }
    if (this.#isSaid && now >= this.#question.holdUntil) {
      this.#sayGoodbye(this.#options.interactive ? MAX_GOODBYE_MS : MAX_LAST_WORDS_MS, now);
    }
  }

  /** Shows a line, and answers it when the server asks for the name. `hasEnd`: whether a line feed stood behind it. */
  #take(line: string, now: number, hasEnd = false): void {
    this.#toldToGoAt = TOLD_TO_GO.test(line) ? now : -Infinity;
    const isQuestion = this.#question.heard(line, hasEnd, now);
    for (const text of hasEnd ? [line] : cutPresence(line)) this.#options.show({ kind: "line", line: printable(text) });
    if (!isQuestion) return;
    const { notice, answer } = this.#question.answer(this.#link === "connected" && !this.closing) ?? {};
    if (answer !== undefined) this.#outbox.answer(answer);
    if (notice !== undefined) this.#tell("notice", notice);
  }

  #connectLater(now: number): void {
    this.#link = "pausing";
    this.#connectAt = now + this.#pause;
    this.#pause = Math.min(2 * this.#pause, MAX_PAUSE_MS);
  }

  #sayGoodbye(maxMs: number, now: number): void {
    this.#stage = "ending";
    this.#endingAt = this.#heardAt = now;
    this.#maxEndingMs = maxMs;
    this.#options.wire.endWriting();
  }

  #fail(failure: string): void {
    this.#failure ??= failure;
    this.#end();
  }

  #end(): void {
    if (this.closed) return;
    this.#stage = "closed";
    if (this.#link === "connected") { for (const line of this.#reader.end()) this.#take(line, this.#heardAt); }
    this.#options.wire.hangUp();
  }

  #tell(kind: "notice" | "problem", text: string): void {
    this.#options.show({ kind, text });
  }
}
