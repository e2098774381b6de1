/**
 * When to greet the server: until it answers, with growing pauses, and then again to keep the membership alive.
 *
 * @module
 */
import type { RoundTrip } from "../../protocol/reliable/round_trip.ts";

/** The first pause between two greetings without an answer, in milliseconds. */
const FIRST_PAUSE_MS = 100;
/** The longest: a server that comes back is joined within 2 s, even if a greeting or its answer is lost. */
const MAX_PAUSE_MS = 1000;
/**
 * How much longer each further pause is: ten greetings go out before anybody is told that there is no answer, so that
 * on a network that loses three datagrams in ten, each way, this happens once in a thousand times.
 */
const BACK_OFF = 1.15;
/** The keep-alive of a small room, in milliseconds: where the server asks for a longer one, the pauses are longer too. */
const SHORT_KEEPALIVE_MS = 1000;
/** A keep-alive that a server asks for is kept within these, in milliseconds, whatever it asks for. */
const [SHORTEST_KEEPALIVE_MS, LONGEST_KEEPALIVE_MS] = [200, 60_000];
/** How many of the last greetings an answer is accepted to. */
const REMEMBERED = 16;

/** Greets, and notices how long there has been no answer. */
export class Greeter {
  readonly #roundTrip: RoundTrip;
  readonly #greet: (id: number) => void;
  readonly #sentAt = new Map<number, number>();
  #id: number;
  #tries = 0;
  /** How much longer all pauses are, because the room is large. */
  #pace = 1;
  #silentSince: number | undefined;
  #hurried = 0;
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

  /** When the first greeting was sent that had no answer, in milliseconds; undefined while there is none. */
  get silentSince(): number | undefined {
    return this.#silentSince;
  }

  /** Greets at once, and goes on, with short pauses at first, until there is an answer. */
  start(now: number): void {
    this.#tries = 0;
    this.#dueAt = now;
    this.wake(now);
  }

  /** The server was heard otherwise: the greetings that had no answer are no sign of its end. */
  heard(): void {
    this.#silentSince = undefined;
  }

  /** Keeps the pauses behind the next greetings as short as the first, for so many of them. */
  hurry(greetings: number, now: number): void {
    this.#hurried = greetings;
    if (this.#dueAt !== undefined) this.#dueAt = Math.min(this.#dueAt, now + FIRST_PAUSE_MS);
  }

  /** Greets no more. */
  stop(): void {
    this.#dueAt = undefined;
  }

  /**
   * An answer to greeting `id` has come.
   *
   * @param keepalive Milliseconds until the next greeting, as the server wants it.
   * @returns Whether that greeting was sent from here, not long ago.
   */
  answered(id: number, keepalive: number, now: number): boolean {
    const sentAt = this.#sentAt.get(id);
    if (sentAt === undefined) return false;
    this.#roundTrip.sample(now - sentAt);
    // an answer to an earlier greeting, if it is still to come, tells how things were before
    for (const earlier of this.#sentAt.keys()) if (earlier <= id) this.#sentAt.delete(earlier);
    this.#tries = 0;
    this.#silentSince = undefined;
    const pause = Math.min(LONGEST_KEEPALIVE_MS, Math.max(SHORTEST_KEEPALIVE_MS, keepalive));
    this.#dueAt = now + pause;
    this.#pace = Math.max(1, pause / SHORT_KEEPALIVE_MS);
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
    this.#sentAt.delete(this.#id - REMEMBERED);
    const growth = this.#hurried-- > 0 ? 1 : BACK_OFF ** this.#tries;
    this.#dueAt = now + Math.round(this.#pace * Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * growth));
    this.#tries++;
    this.#greet(this.#id);
  }
}
