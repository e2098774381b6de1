/**
 * Talks to a server that knows only the classic dialect and therefore never answers a greeting.
 *
 * There are two signs of such a server: it forwards another member's line, or it sends back this client's own line.
 *
 * @module
 */
import type { ClassicPacket } from "../../protocol.ts";
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

/** Sends lines to a classic server: one at a time while the server sends them back. */
export class ClassicLink implements Timed {
  readonly #send: (packet: ClassicPacket) => void;
  readonly #waiting: string[] = [];
  #inFlight: string | undefined;
  #dueAt: number | undefined;
  /** Whether the server has forwarded a line yet. */
  #hasForwarded = false;
  #echoes = true;
  /** When the last burst began, in milliseconds, and how many lines went out in it. */
  #burstAt = -Infinity;
  #burst = 0;
  /** The lines that came before it was clear whether the server knows version 1 too. */
  readonly #earlyLines: string[] = [];
  /** How many lines the server has forwarded. */
  received = 0;
  /** How many lines were sent and never came back. */
  unconfirmed = 0;

  constructor(send: (packet: ClassicPacket) => void) {
    this.#send = send;
  }

  /** How many lines wait to be sent or to come back. */
  get size(): number {
    return this.#waiting.length + (this.#inFlight === undefined ? 0 : 1);
  }

  /** Whether a line is out on trial: the server has not forwarded anything yet. */
  get probing(): boolean {
    return !this.#hasForwarded && this.#inFlight !== undefined;
  }

  get nextWake(): number | undefined {
    return this.#dueAt;
  }

  /** Registers with the server. Repeats a line that is out on trial, since the server may never have received it. */
  greet(): void {
    this.#send({ dialect: "classic", type: "GREETING", line: false });
    if (this.probing) this.#send({ dialect: "classic", type: "MESSAGE", text: this.#inFlight! });
  }

  /** Sends a line, after those that wait. */
  say(text: string, now: number): void {
    this.#waiting.push(text);
    this.#sendNext(now);
  }

  /** Keeps a line until it is clear which dialect the server speaks. */
  keepEarly(line: string): void {
    if (this.#earlyLines.length < MAX_EARLY_LINES) this.#earlyLines.push(line);
  }

  /** Returns the kept lines and stops keeping them. */
  takeEarly(): string[] {
    return this.#earlyLines.splice(0);
  }

  /** Takes a line that the server forwarded. */
  receive(line: string, now: number): LinkEvent[] {
    this.received++;
    this.#hasForwarded = true;
    if (this.#inFlight !== undefined && isEchoOf(line, this.#inFlight)) {
      this.#inFlight = undefined;
      this.#echoes = true;
    }
    // a timeout on a line on trial does not count before the server forwards something: it may have to start again
    if (this.#inFlight !== undefined) this.#dueAt ??= now + ECHO_TIMEOUT_MS;
    this.#sendNext(now);
    return [{ type: "line", line }];
  }

  /**
   * Removes and returns the lines that wait. The line in flight is removed too, and is returned unless a classic server
   * may have received it.
   */
  clear(): string[] {
    const lines = this.#waiting.splice(0);
    if (this.probing) lines.unshift(this.#inFlight!);
    this.#inFlight = undefined;
    this.#dueAt = undefined;
    return lines;
  }

  wake(now: number): LinkEvent[] {
    if (this.#dueAt === undefined || this.#dueAt > now) return [];
    const events: LinkEvent[] = [];
    this.#dueAt = undefined;
    if (this.#inFlight !== undefined && this.#hasForwarded) {
      this.unconfirmed++;
      this.#inFlight = undefined;
      if (this.#echoes) {
        const text = "The server has not sent that line back: it is lost, or this server never does so";
        events.push({ type: "notice", text });
        // a restarted server does not know this address any more
        this.greet();
      }
      this.#echoes = false;
    }
    this.#sendNext(now);
    return events;
  }

  #sendNext(now: number): void {
    if (this.#inFlight !== undefined || this.#waiting.length === 0) return;
    if (this.#dueAt !== undefined && this.#dueAt > now && !this.#echoes) return;
    if (this.#echoes) {
      this.#inFlight = this.#waiting.shift()!;
      this.#send({ dialect: "classic", type: "MESSAGE", text: this.#inFlight });
      this.#dueAt = now + ECHO_TIMEOUT_MS;
      return;
    }
    if (now >= this.#burstAt + NO_ECHO_PAUSE_MS) [this.#burstAt, this.#burst] = [now, 0];
    for (const text of this.#waiting.splice(0, NO_ECHO_BURST - this.#burst)) {
      this.#send({ dialect: "classic", type: "MESSAGE", text });
      this.#burst++;
      this.unconfirmed++;
    }
    this.#dueAt = this.#waiting.length > 0 ? this.#burstAt + NO_ECHO_PAUSE_MS : undefined;
  }
}

/**
 * Whether a line that a server forwarded has this text. Servers put the sender before the text, each in its own form,
 * and some keep the space after MESSAGE.
 */
function isEchoOf(line: string, text: string): boolean {
  const said = line.trim(), wanted = text.trim();
  const [, afterSender] = /^<From [^>]*>:?\s*([^]*)$/.exec(said) ?? [];
  return afterSender === undefined ? said.endsWith(wanted) : afterSender === wanted;
}
