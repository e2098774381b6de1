/**
 * Decides when to greet the server: with growing pauses until it answers, and then again as a keep-alive.
 *
 * @module
 */
import type { RoundTrip } from "../../protocol/reliable/round_trip.ts";

/** The first pause between two greetings without an answer, in milliseconds. */
const FIRST_PAUSE_MS = 100;
/**
 * The longest pause between two greetings without an answer, in milliseconds: a server that comes back is joined within
 * 2 s, even if a greeting or its answer is lost.
 */
const MAX_PAUSE_MS = 1000;
/**
 * The factor by which each pause is longer than the one before. Ten greetings go out before the user is told that there
 * is no answer. On a network that loses three datagrams in ten, each way, all ten fail once in a thousand times.
 */
const BACK_OFF = 1.15;
/** The keep-alive of a small room, in milliseconds. When the server asks for a longer one, the pauses grow with it. */
const SHORT_KEEPALIVE_MS = 1000;
/** The limits of the keep-alive that a server can ask for, in milliseconds. */
const [SHORTEST_KEEPALIVE_MS, LONGEST_KEEPALIVE_MS] = [200, 60_000];
/** How many of the last greetings are remembered: an answer to an older one is ignored. */
const REMEMBERED_GREETINGS = 16;

/** Greets, and notices how long there has been no answer. */
export class Greeter {
  readonly #roundTrip: RoundTrip;
  readonly #greet: (id: number) => void;
  readonly #sentAt = new Map<number, number>();
  #id: number;
  #tries = 0;
  /** The factor for all pauses: above 1 in a large room. */
  #pauseFactor = 1;
  #silentSince: number | undefined;
  #shortPausesLeft = 0;
  #dueAt: number | undefined;

  /**
   * @param greet Sends a greeting with an id, which its answer will carry.
   * @param firstId Where the ids begin; random unless told otherwise, so that nobody elsewhere can forge an answer.
   */
  constructor(
    roundTrip: RoundTrip,
    greet: (id: number) => void,
    firstId: number = crypto.getRandomValues(new Uint32Array(1))[0],
  ) {
    this.#roundTrip = roundTrip;
    this.#greet = greet;
    this.#id = firstId;
  }

  get nextWake(): number | undefined {
    return this.#dueAt;
  }

  /** How many greetings in a row have had no answer. */
  get tries(): number {
    return this.#tries;
  }

  /** When the first greeting without an answer was sent, in milliseconds; undefined while there is none. */
  get silentSince(): number | undefined {
    return this.#silentSince;
  }

  /** Greets at once, and goes on, with short pauses at first, until there is an answer. */
  start(now: number): void {
    this.#tries = 0;
    this.#dueAt = now;
    this.wake(now);
  }

  /** Takes note of another packet from the server: it is there, although greetings have had no answer. */
  heard(): void {
    this.#silentSince = undefined;
  }

  /** Keeps the pauses after the next `greetings` greetings as short as the first one. */
  hurry(greetings: number, now: number): void {
    this.#shortPausesLeft = greetings;
    if (this.#dueAt !== undefined) this.#dueAt = Math.min(this.#dueAt, now + FIRST_PAUSE_MS);
  }

  /** Stops greeting. */
  stop(): void {
    this.#dueAt = undefined;
  }

  /**
   * Takes an answer to greeting `id`.
   *
   * @param keepalive Milliseconds until the next greeting, as the server wants it.
   * @returns Whether that greeting was sent from here, not long ago.
   */
  answered(id: number, keepalive: number, now: number): boolean {
    const sentAt = this.#sentAt.get(id);
    if (sentAt === undefined) return false;
    this.#roundTrip.sample(now - sentAt);
    // an answer to an earlier greeting that still comes is out of date
    for (const earlier of this.#sentAt.keys()) if (earlier <= id) this.#sentAt.delete(earlier);
    this.#tries = 0;
    this.#silentSince = undefined;
    const pause = Math.min(LONGEST_KEEPALIVE_MS, Math.max(SHORTEST_KEEPALIVE_MS, keepalive));
    this.#dueAt = now + pause;
    this.#pauseFactor = Math.max(1, pause / SHORT_KEEPALIVE_MS);
    return true;
  }

  /** Whether an answer, a refusal for instance, belongs to one of the last greetings. */
  isRecent(id: number | undefined): boolean {
    return id !== undefined && this.#sentAt.has(id);
  }

  wake(now: number): void {
    if (this.#dueAt === undefined || this.#dueAt > now) return;
    this.#silentSince ??= now;
    this.#id++;
    this.#sentAt.set(this.#id, now);
    this.#sentAt.delete(this.#id - REMEMBERED_GREETINGS);
    const growth = this.#shortPausesLeft-- > 0 ? 1 : BACK_OFF ** this.#tries;
    this.#dueAt = now + Math.round(this.#pauseFactor * Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * growth));
    this.#tries++;
    this.#greet(this.#id);
  }
}
