/**
 * Talking to a server that knows the classic dialect only, and so never answers a greeting.
 *
 * Such a server is known by two signs: it forwards what somebody else says, or it sends back what is said here.
 *
 * @module
 */
import type { ClassicPacket } from "../../protocol.ts";

/** How long a server that sends back what was said may take for it, in milliseconds. */
const ECHO_TIMEOUT_MS = 1000;

/** How many lines a server that never says whether they arrived is sent at once, and the pause behind, in milliseconds. */
const BLIND_BURST = 20;
const BLIND_PAUSE_MS = 50;

/** How many lines are kept until it is clear which dialect the server speaks. */
const MAX_EARLY_LINES = 100;

/** What talking needs from the session. */
export interface ClassicLinkOptions {
  send: (packet: ClassicPacket) => void;
  /** Says something to the user that no member said. */
  notice: (text: string) => void;
}

/** The lines for a classic server, one at a time while it sends them back. */
export class ClassicLink {
  readonly #send: (packet: ClassicPacket) => void;
  readonly #notice: (text: string) => void;
  readonly #waiting: string[] = [];
  #inFlight: string | undefined;
  #dueAt: number | undefined;
  #confirmed = false;
  #echoes = true;
  /** When the last burst began, in milliseconds, and how many lines went out in it. */
  #burstAt = -Infinity;
  #burst = 0;
  /** What came before it was clear whether the server knows version 1 too. */
  readonly #early: string[] = [];
  /** How many lines the server has forwarded. */
  received = 0;
  /** How many lines were sent and never came back. */
  unconfirmed = 0;

  constructor({ send, notice }: ClassicLinkOptions) {
    this.#send = send;
    this.#notice = notice;
  }

  /** How many lines wait to be sent or to come back. */
  get size(): number {
    return this.#waiting.length + (this.#inFlight === undefined ? 0 : 1);
  }

  /** Whether a line was sent of which nobody knows yet whether it arrived. */
  get probing(): boolean {
    return !this.#confirmed && this.#inFlight !== undefined;
  }

  get nextWake(): number | undefined {
    return this.#dueAt;
  }

  /** Registers with the server; what it may never have got, because nothing came back, is said once more. */
  greet(): void {
    this.#send({ dialect: "classic", type: "GREETING", line: false });
    if (this.probing) this.#send({ dialect: "classic", type: "MESSAGE", text: this.#inFlight! });
  }

  /** Sends a line, after those that wait. */
  say(text: string, now: number): void {
    this.#waiting.push(text);
    this.#next(now);
  }

  /** Keeps a line until it is clear which dialect the server speaks. */
  keepEarly(line: string): void {
    if (this.#early.length < MAX_EARLY_LINES) this.#early.push(line);
  }

  /** The lines that were kept, which are then kept no more. */
  takeEarly(): string[] {
    return this.#early.splice(0);
  }

  /** Takes note of a line that the server forwarded. */
  heard(line: string, now: number): void {
    this.received++;
    this.#confirmed = true;
    if (this.#inFlight !== undefined && isEchoOf(line, this.#inFlight)) {
      this.#inFlight = undefined;
      this.#echoes = true;
    }
    // while nobody knew whether there is a server at all, the line's time was not counted
    if (this.#inFlight !== undefined) this.#dueAt ??= now + ECHO_TIMEOUT_MS;
    this.#next(now);
  }

  /** Gives up the lines that wait, with the one on its way unless a classic server may have got it. */
  clear(): string[] {
    const lines = this.#waiting.splice(0);
    if (this.probing) lines.unshift(this.#inFlight!);
    this.#inFlight = undefined;
    this.#dueAt = undefined;
    return lines;
  }

  wake(now: number): void {
    if (this.#dueAt === undefined || this.#dueAt > now) return;
    this.#dueAt = undefined;
    if (this.#inFlight !== undefined && this.#confirmed) {
      this.unconfirmed++;
      this.#inFlight = undefined;
      if (this.#echoes) {
        this.#notice("The server has not sent that line back: it is lost, or this server never does so");
        // a server that was started anew does not know this address any more
        this.greet();
      }
      this.#echoes = false;
    }
    this.#next(now);
  }

  #next(now: number): void {
    if (this.#inFlight !== undefined || this.#waiting.length === 0) return;
    if (this.#dueAt !== undefined && this.#dueAt > now && !this.#echoes) return;
    if (this.#echoes) {
      this.#inFlight = this.#waiting.shift()!;
      this.#send({ dialect: "classic", type: "MESSAGE", text: this.#inFlight });
      this.#dueAt = now + ECHO_TIMEOUT_MS;
      return;
    }
    if (now >= this.#burstAt + BLIND_PAUSE_MS) [this.#burstAt, this.#burst] = [now, 0];
    for (const text of this.#waiting.splice(0, BLIND_BURST - this.#burst)) {
      this.#send({ dialect: "classic", type: "MESSAGE", text });
      this.#burst++;
      this.unconfirmed++;
    }
    this.#dueAt = this.#waiting.length > 0 ? this.#burstAt + BLIND_PAUSE_MS : undefined;
  }
}

/**
 * Whether a line that a server forwarded is this text; servers put the sender before it, each in its own way, and may
 * leave the blank behind MESSAGE where it is.
 */
function isEchoOf(line: string, text: string): boolean {
  const said = line.trim(), wanted = text.trim();
  const [, behindSender] = /^<From [^>]*>:?\s*([^]*)$/.exec(said) ?? [];
  return behindSender === undefined ? said.endsWith(wanted) : behindSender === wanted;
}
