/**
 * Talks to a server that knows only the classic dialect and therefore never answers a greeting.
 *
 * Each line goes out once: there is nothing by which such a server could tell a repeat from a further line.
 *
 * @module
 */
import type { ClassicPacket } from "../../protocol.ts";
import { earliest } from "../../protocol/earliest.ts";
import type { Draft } from "../../protocol/reliable/send_stream.ts";
import type { LinkEvent, Timed } from "./facts.ts";

/** How long a server may take to send a line back, in milliseconds. */
const ECHO_TIMEOUT_MS = 1000;

/**
 * For a server that sends no lines back: how many lines go out in one burst, and the time from the start of one burst
 * to the start of the next, in milliseconds.
 */
const NO_ECHO_BURST = 20;
const NO_ECHO_PAUSE_MS = 50;

/** How many lines are kept until it is clear which dialect the server speaks. */
const MAX_EARLY_LINES = 100;

/** How many lines that never came back are kept, for a server that turns out to speak version 1. */
const MAX_UNPROVEN_LINES = 1000;
/** How late a line may come back and still be taken for one's own, in milliseconds. */
const LATE_ECHO_MS = 10_000;
/**
 * A server that has sent lines back before and does not send so many in a row may have been started anew, and is greeted
 * again. One that is lost is no reason: some servers send everything as often as they were greeted.
 */
const MISSED_LINES = 2;
/**
 * The shortest times from such a greeting to the next, in milliseconds: after the first, the second, and so on since a
 * line has come back. The last one holds for all others.
 */
const GREET_AGAIN_MS = [3000, 6000, 12_000, 30_000];

const NOTHING_CAME =
  "Nothing has come back from the server, so what you say may be lost. Each line is sent once, and " +
  "not again when the server is started later; only udp-chat's own server gets it all the same. It may take minutes " +
  "until this client notices a server that is started now; starting the client anew is faster";
const NOT_SENT_BACK = "The server has not sent that line back: it is lost, or this server never does so";
const NO_LONGER_SENT_BACK =
  "The server no longer sends back what you say: it may have been started anew, and what you " +
  "say is lost until it knows you again";
const SENT_BACK_AGAIN = "The server sends lines back again";

/** A line that a server has forwarded, and whether it came from another port of its IP address, where anybody may be. */
interface HeardLine {
  line: string;
  isBeside: boolean;
}

/** Sends lines to a classic server: one at a time while the server sends them back. */
export class ClassicLink implements Timed {
  readonly #send: (packet: ClassicPacket) => void;
  readonly #waiting: Draft[] = [];
  /** The lines that were sent and may still come back. Until the server is taken for a classic one, all that were sent. */
  #sent: Draft[] = [];
  /** The last lines that count as unconfirmed, and when that was, in milliseconds. */
  readonly #unproven: { draft: Draft; at: number }[] = [];
  #dueAt: number | undefined;
  /** Whether the server is taken for a classic one. */
  #isSettled = false;
  #echoes = true;
  /** Whether a line has ever come back, from any port. */
  #hasComeBack = false;
  /** Whether the user was told that lines no longer come back. */
  #isMissed = false;
  /** How many lines were sent since one has come back and since the last greeting. */
  #sentSince = 0;
  /** When to greet a server that no longer sends lines back, in milliseconds. */
  #greetsAt: number | undefined;
  /** When it was last greeted so, in milliseconds, and how often since a line has come back. */
  #greetedAt = -Infinity;
  #greetings = 0;
  /** When the last burst began, in milliseconds, and how many lines went out in it. */
  #burstAt = -Infinity;
  #burst = 0;
  /** The lines that came before it was clear whether the server knows version 1 too. */
  readonly #earlyLines: HeardLine[] = [];
  #hasGreeted = false;
  /** How many lines the server has forwarded. */
  received = 0;
  /** How many lines were sent and never came back from the port that was greeted. */
  unconfirmed = 0;
  /** How many lines came back from it. */
  confirmed = 0;

  constructor(send: (packet: ClassicPacket) => void) {
    this.#send = send;
  }

  /** How many lines wait to be sent or to come back. */
  get size(): number {
    return this.#waiting.length + this.#sent.length;
  }

  /** How many lines wait to be sent. */
  get unsent(): number {
    return this.#waiting.length;
  }

  /** How many lines were sent on trial: the server is not taken for a classic one yet. */
  get onTrial(): number {
    return this.#isSettled ? 0 : this.#sent.length;
  }

  get nextWake(): number | undefined {
    return earliest([this.#dueAt, this.#greetsAt]);
  }

  /** Whether the server was ever asked to register this client. */
  get hasGreeted(): boolean {
    return this.#hasGreeted;
  }

  /** Whether the server has confirmed a line: it has sent it back itself, and not another port of its IP address. */
  get hasConfirmed(): boolean {
    return this.confirmed > 0;
  }

  /** Registers with the server. */
  greet(): void {
    this.#hasGreeted = true;
    this.#sentSince = 0;
    this.#send({ dialect: "classic", type: "GREETING", line: false });
  }

  /** Sends a message as a line, after those that wait. */
  say(draft: Draft, now: number): void {
    this.#waiting.push(draft);
    this.#sendNext(now);
  }

  /** Whether a line is one that was sent and may still come back. */
  isOwn(line: string): boolean {
    return this.#sent.some((draft) => isEchoOf(line, lineOf(draft)));
  }

  /**
   * Keeps a line until it is clear which dialect the server speaks. If it is `Unknown command` or the like, it answers
   * each greeting, and is kept once.
   *
   * @returns Whether it is such an answer: it has come before, and nobody has said it.
   */
  keepEarly(heard: HeardLine): boolean {
    const { line } = heard;
    const hasComeBefore = this.#earlyLines.some((earlier) => earlier.line === line);
    const isAnswer = hasComeBefore && !line.startsWith("<From ") && !this.isOwn(line);
    if (!isAnswer && this.#earlyLines.length < MAX_EARLY_LINES) this.#earlyLines.push(heard);
    return isAnswer;
  }

  /**
   * Takes the server for a classic one: from now on a line that does not come back counts as unconfirmed.
   *
   * @returns The lines that were kept.
   */
  settle(now: number): LinkEvent[] {
    this.#isSettled = true;
    if (this.#sent.length > 0) this.#dueAt ??= now + ECHO_TIMEOUT_MS;
    return this.#earlyLines.splice(0).flatMap((heard) => this.receive(heard, now));
  }

  /** Takes a line that the server forwarded. */
  receive({ line, isBeside }: HeardLine, now: number): LinkEvent[] {
    this.received++;
    const events: LinkEvent[] = [{ type: "line", line }];
    if (this.#noteEcho(line, isBeside, now) && this.#isMissed) {
      this.#isMissed = false;
      events.unshift({ type: "notice", text: SENT_BACK_AGAIN });
    }
    if (this.#sent.length > 0) this.#dueAt ??= now + ECHO_TIMEOUT_MS;
    this.#sendNext(now);
    return events;
  }

  /**
   * If a line is one of this client's own, the next may go out; what another port sends back confirms nothing.
   *
   * @returns Whether it is one.
   */
  #noteEcho(line: string, isBeside: boolean, now: number): boolean {
    const own = this.#sent.findIndex((draft) => isEchoOf(line, lineOf(draft)));
    const late = own >= 0
      ? -1
      : this.#unproven.findIndex(({ draft, at }) => at + LATE_ECHO_MS > now && isEchoOf(line, lineOf(draft)));
    if (own < 0 && late < 0) return false;
    this.#hasComeBack = this.#echoes = true;
    this.#greetsAt = undefined;
    this.#sentSince = this.#greetings = 0;
    const [draft] = own >= 0 ? this.#sent.splice(own, 1) : [];
    if (isBeside) {
      if (draft) this.#giveUp([draft], now);
      return true;
    }
    this.confirmed++;
    if (!draft) {
      this.#unproven.splice(late, 1);
      this.unconfirmed--;
    }
    return true;
  }

  /**
   * Removes all messages, and returns those that no classic server has shown to have: those that wait, and, if no line
   * has ever been confirmed, those that were sent.
   */
  clear(): Draft[] {
    const sent = this.#sent.splice(0), unproven = this.#unproven.splice(0).map(({ draft }) => draft);
    this.#dueAt = this.#greetsAt = undefined;
    this.#sentSince = 0;
    this.#isMissed = false;
    this.unconfirmed += this.hasConfirmed ? sent.length : -unproven.length;
    return [...(this.hasConfirmed ? [] : [...unproven, ...sent]), ...this.#waiting.splice(0)];
  }

  wake(now: number): LinkEvent[] {
    const events: LinkEvent[] = [];
    if (this.#dueAt !== undefined && this.#dueAt <= now) {
      this.#dueAt = undefined;
      if (this.#sent.length > 0 && this.#echoes) {
        this.#echoes = false;
        this.#isMissed = this.#isSettled && this.#hasComeBack;
        const text = this.#isMissed ? NO_LONGER_SENT_BACK : this.#isSettled ? NOT_SENT_BACK : NOTHING_CAME;
        events.push({ type: "notice", text });
      }
      if (this.#isSettled) this.#giveUp(this.#sent.splice(0), now);
    }
    if (this.#greetsAt !== undefined && this.#greetsAt <= now) {
      this.#greetsAt = undefined;
      this.#greetedAt = now;
      this.#greetings++;
      this.greet();
    }
    this.#sendNext(now);
    return events;
  }

  #sendNext(now: number): void {
    if (this.#waiting.length === 0) return;
    if (this.#echoes) {
      if (this.#sent.length > 0) return;
      this.#transmit(this.#waiting.shift()!, now);
      this.#dueAt = now + ECHO_TIMEOUT_MS;
      return;
    }
    if (this.#dueAt !== undefined && this.#dueAt > now) return;
    if (now >= this.#burstAt + NO_ECHO_PAUSE_MS) [this.#burstAt, this.#burst] = [now, 0];
    for (const draft of this.#waiting.splice(0, NO_ECHO_BURST - this.#burst)) {
      this.#transmit(draft, now);
      this.#burst++;
    }
    this.#dueAt = this.#waiting.length > 0 ? this.#burstAt + NO_ECHO_PAUSE_MS : undefined;
  }

  #transmit(draft: Draft, now: number): void {
    this.#send({ dialect: "classic", type: "MESSAGE", text: lineOf(draft) });
    if (this.#hasComeBack && ++this.#sentSince === MISSED_LINES) {
      const pause = GREET_AGAIN_MS[Math.max(0, Math.min(this.#greetings, GREET_AGAIN_MS.length) - 1)];
      this.#greetsAt = Math.max(now + ECHO_TIMEOUT_MS, this.#greetedAt + pause);
    }
    if (this.#echoes || !this.#isSettled) return void this.#sent.push(draft);
    this.#giveUp([draft], now);
  }

  /** Counts lines as unconfirmed. They are kept: they may come back late, or a server of version 1 may answer yet. */
  #giveUp(drafts: Draft[], now: number): void {
    this.unconfirmed += drafts.length;
    for (const draft of drafts) this.#unproven.push({ draft, at: now });
    this.#unproven.splice(0, this.#unproven.length - MAX_UNPROVEN_LINES);
  }
}

function lineOf({ text, action }: Draft): string {
  return action ? `* ${text}` : text;
}

/**
 * Whether a line that a server forwarded has this text. Servers put the sender before the text, each in its own form,
 * and some keep the space after MESSAGE.
 */
function isEchoOf(line: string, text: string): boolean {
  const said = line.trim(), wanted = text.trim();
  const [, afterSender] = /^<From [^>]*>:?\s*([^]*)$/.exec(said) ?? [];
  if (afterSender !== undefined) {
    return afterSender === wanted || afterSender.replace(/^MESSAGE[ :]?\s*/, "") === wanted;
  }
  // "banana" is no echo of "a"
  return said === wanted || said.endsWith(wanted) && /[^\p{L}\p{N}]$/u.test(said.slice(0, -wanted.length));
}
