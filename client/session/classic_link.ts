/**
 * Talks to a server that knows only the classic dialect and therefore never answers a greeting.
 *
 * Each line goes out once: there is nothing by which such a server could tell a repeat from a further line.
 *
 * @module
 */
import type { ClassicPacket } from "../../protocol.ts";
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

const NOTHING_CAME =
  "Nothing has come back from the server, so what you say may be lost. Each line is sent once, and " +
  "not again when the server is started later; only udp-chat's own server gets it all the same";
const NOT_SENT_BACK = "The server has not sent that line back: it is lost, or this server never does so";

/** Sends lines to a classic server: one at a time while the server sends them back. */
export class ClassicLink implements Timed {
  readonly #send: (packet: ClassicPacket) => void;
  readonly #waiting: Draft[] = [];
  /** The lines that were sent and may still come back. Until the server forwards something, all that were sent. */
  #sent: Draft[] = [];
  #dueAt: number | undefined;
  /** Whether the server has forwarded a line yet. */
  #hasForwarded = false;
  #echoes = true;
  /** When the last burst began, in milliseconds, and how many lines went out in it. */
  #burstAt = -Infinity;
  #burst = 0;
  /** The lines that came before it was clear whether the server knows version 1 too. */
  readonly #earlyLines: string[] = [];
  #hasGreeted = false;
  /** How many lines the server has forwarded. */
  received = 0;
  /** How many lines were sent and never came back. */
  unconfirmed = 0;

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

  /** How many lines were sent on trial: the server has not forwarded anything yet. */
  get onTrial(): number {
    return this.#hasForwarded ? 0 : this.#sent.length;
  }

  get nextWake(): number | undefined {
    return this.#dueAt;
  }

  /** Whether the server was ever asked to register this client. */
  get hasGreeted(): boolean {
    return this.#hasGreeted;
  }

  /** Registers with the server. */
  greet(): void {
    this.#hasGreeted = true;
    this.#send({ dialect: "classic", type: "GREETING", line: false });
  }

  /** Sends a message as a line, after those that wait. */
  say(draft: Draft, now: number): void {
    this.#waiting.push(draft);
    this.#sendNext(now);
  }

  /**
   * Keeps a line until it is clear which dialect the server speaks. If it is `Unknown command` or the like, it answers
   * each greeting, and is kept once.
   *
   * @returns Whether it is such an answer: it has come before, and nobody has said it.
   */
  keepEarly(line: string): boolean {
    const isAnswer = this.#earlyLines.includes(line) && !line.startsWith("<From ") &&
      !this.#sent.some((draft) => isEchoOf(line, lineOf(draft)));
    if (!isAnswer && this.#earlyLines.length < MAX_EARLY_LINES) this.#earlyLines.push(line);
    return isAnswer;
  }

  /** Returns the kept lines and stops keeping them. */
  takeEarly(): string[] {
    return this.#earlyLines.splice(0);
  }

  /** Takes a line that the server forwarded. */
  receive(line: string, now: number): LinkEvent[] {
    this.received++;
    this.#hasForwarded = true;
    const own = this.#sent.findIndex((draft) => isEchoOf(line, lineOf(draft)));
    if (own >= 0) {
      this.#sent.splice(own, 1);
      this.#echoes = true;
    }
    if (this.#sent.length > 0) this.#dueAt ??= now + ECHO_TIMEOUT_MS;
    this.#sendNext(now);
    return [{ type: "line", line }];
  }

  /**
   * Removes all messages, and returns those that no classic server has: those that wait, and those that were sent on
   * trial.
   */
  clear(): Draft[] {
    const drafts = [...(this.#hasForwarded ? [] : this.#sent), ...this.#waiting.splice(0)];
    this.#sent = [];
    this.#dueAt = undefined;
    return drafts;
  }

  wake(now: number): LinkEvent[] {
    if (this.#dueAt === undefined || this.#dueAt > now) return [];
    const events: LinkEvent[] = [];
    this.#dueAt = undefined;
    if (this.#sent.length > 0 && this.#echoes) {
      events.push({ type: "notice", text: this.#hasForwarded ? NOT_SENT_BACK : NOTHING_CAME });
      this.#echoes = false;
    }
    if (this.#hasForwarded) {
      this.unconfirmed += this.#sent.length;
      this.#sent = [];
    }
    this.#sendNext(now);
    return events;
  }

  #sendNext(now: number): void {
    if (this.#waiting.length === 0) return;
    if (this.#echoes) {
      if (this.#sent.length > 0) return;
      this.#transmit(this.#waiting.shift()!);
      this.#dueAt = now + ECHO_TIMEOUT_MS;
      return;
    }
    if (this.#dueAt !== undefined && this.#dueAt > now) return;
    if (now >= this.#burstAt + NO_ECHO_PAUSE_MS) [this.#burstAt, this.#burst] = [now, 0];
    for (const draft of this.#waiting.splice(0, NO_ECHO_BURST - this.#burst)) {
      this.#transmit(draft);
      this.#burst++;
    }
    this.#dueAt = this.#waiting.length > 0 ? this.#burstAt + NO_ECHO_PAUSE_MS : undefined;
  }

  #transmit(draft: Draft): void {
    this.#send({ dialect: "classic", type: "MESSAGE", text: lineOf(draft) });
    if (this.#echoes || !this.#hasForwarded) this.#sent.push(draft);
    else this.unconfirmed++;
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
  if (afterSender !== undefined) return afterSender === wanted;
  // "banana" is no echo of "a"
  return said === wanted || said.endsWith(wanted) && /[^\p{L}\p{N}]$/u.test(said.slice(0, -wanted.length));
}
