/**
 * Decides when to greet the server: with growing pauses until it answers, and then again as a keep-alive.
 *
 * @module
 */
import { Retry } from "../../protocol/reliable/retry.ts";
import type { LossEstimate } from "../../protocol/reliable/loss_estimate.ts";
import type { RoundTrip } from "../../protocol/reliable/round_trip.ts";
import { RequestIds } from "./request_ids.ts";

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
/**
 * While a server has never answered at all, its program may be one that shows each greeting to everybody. So pauses also
 * grow with the time since the first greeting, to this part of it, up to a limit in milliseconds: our own server is
 * joined within 2 s of its start when it starts in the first 8 s, and later within a quarter of the time.
 */
const PART_OF_SILENCE = 1 / 4;
const MAX_PAUSE_OF_STRANGER_MS = 10_000;
/** The keep-alive of a small room, in milliseconds. When the server asks for a longer one, the pauses grow with it. */
const SHORT_KEEPALIVE_MS = 1000;
/** The limits of the keep-alive that a server can ask for, in milliseconds. */
const [SHORTEST_KEEPALIVE_MS, LONGEST_KEEPALIVE_MS] = [200, 60_000];
/** How many of the last greetings are remembered: an answer to an older one is ignored. */
const REMEMBERED_GREETINGS = 16;

/** The next greetings, which go out faster than others. */
export interface Hurry {
  greetings: number;
  /** The pause before and after each of them, in milliseconds. Default: the shortest. */
  pause?: number;
}

/** What a greeter tells of what it measures. */
export interface GreeterParts {
  roundTrip: RoundTrip;
  loss: Pick<LossEstimate, "noteAnswer">;
}

/** Says when to greet, and notices how long there has been no answer. */
export class Greeter {
  readonly #roundTrip: RoundTrip;
  readonly #loss: Pick<LossEstimate, "noteAnswer">;
  readonly #sentAt = new Map<number, number>();
  readonly #retry = new Retry();
  readonly #ids: RequestIds;
  #greetings = 0;
  #greetedAt = -Infinity;
  /** The factor for all pauses: above 1 in a large room. */
  #pauseFactor = 1;
  #silentSince: number | undefined;
  #hurry: Required<Hurry> = { greetings: 0, pause: FIRST_PAUSE_MS };
  #firstAt: number | undefined;
  /** Whether the server has ever answered. */
  #isKnown = false;

  constructor({ roundTrip, loss }: GreeterParts, ids = new RequestIds()) {
    this.#roundTrip = roundTrip;
    this.#loss = loss;
    this.#ids = ids;
  }

  get nextWake(): number | undefined {
    return this.#retry.dueAt;
  }

  /** How many greetings in a row have had no answer. */
  get tries(): number {
    return this.#retry.times;
  }

  /** How many greetings were sent in all. */
  get greetings(): number {
    return this.#greetings;
  }

  /** When the first greeting without an answer was sent, in milliseconds; undefined while there is none. */
  get silentSince(): number | undefined {
    return this.#silentSince;
  }

  /** A greeting is due at once, and more are with growing pauses until there is an answer. */
  start(now: number): void {
    this.#retry.start(now);
  }

  /**
   * The same, but not sooner after the last greeting than usual: a server that answers each greeting with a packet that
   * asks for another one must not be greeted as fast as it answers.
   */
  startAgain(now: number): void {
    this.#retry.start(Math.max(now, this.#greetedAt + FIRST_PAUSE_MS));
  }

  /** Takes note of another packet from the server: it is there, although greetings have had no answer. */
  heard(): void {
    this.#isKnown = true;
    this.forgetSilence();
  }

  /** Counts the silence from the next greeting on. */
  forgetSilence(): void {
    this.#silentSince = undefined;
  }

  /** Makes the pauses around the next greetings shorter. */
  hurry({ greetings, pause = FIRST_PAUSE_MS }: Hurry, now: number): void {
    this.#hurry = { greetings: Math.max(greetings, this.#hurry.greetings), pause };
    this.#retry.hasten(now + pause);
  }

  /** Stops greeting. No answer is waited for any more, so nobody is silent. */
  stop(): void {
    this.#retry.stop();
    this.#silentSince = undefined;
  }

  /**
   * Takes an answer to greeting `id`.
   *
   * @param keepalive Milliseconds until the next greeting, as the server wants it; undefined for as long as before.
   * @returns When that greeting was sent from here, in milliseconds; undefined if it was not, or long ago.
   */
  answered(id: number, keepalive: number | undefined, now: number): number | undefined {
    const sentAt = this.#sentAt.get(id);
    if (sentAt === undefined) return undefined;
    const wasKnown = this.#isKnown;
    this.#isKnown = true;
    this.#roundTrip.sample(now - sentAt);
    // an answer to an earlier greeting that still comes is out of date
    const outOfDate = [...this.#sentAt.keys()].filter((earlier) => earlier <= id);
    for (const earlier of outOfDate) this.#sentAt.delete(earlier);
    // before it has answered for the first time, the server may not have been there
    if (wasKnown) this.#loss.noteAnswer(outOfDate.length - 1);
    this.#silentSince = undefined;
    const wanted = keepalive ?? this.#pauseFactor * SHORT_KEEPALIVE_MS;
    const pause = Math.min(LONGEST_KEEPALIVE_MS, Math.max(SHORTEST_KEEPALIVE_MS, wanted));
    this.#retry.start(now + pause);
    this.#pauseFactor = Math.max(1, pause / SHORT_KEEPALIVE_MS);
    return sentAt;
  }

  /** Whether an answer, a refusal for instance, belongs to one of the last greetings. */
  isRecent(id: number | undefined): boolean {
    return id !== undefined && this.#sentAt.has(id);
  }

  /** Whether a greeting with this id was ever sent. */
  hasSent(id: number | undefined): boolean {
    return this.#ids.has(id);
  }

  /** Returns the id for a greeting that is to be sent now, which its answer will carry; undefined when none is due. */
  wake(now: number): number | undefined {
    if (!this.#retry.isDue(now)) return undefined;
    this.#silentSince ??= now;
    this.#greetedAt = now;
    this.#greetings++;
    const id = this.#ids.next();
    this.#sentAt.set(id, now);
    this.#sentAt.delete(id - REMEMBERED_GREETINGS);
    this.#firstAt ??= now;
    this.#retry.tried(now + this.#nextPause(now));
    return id;
  }

  /** How long to wait after the greeting that goes out now, in milliseconds. */
  #nextPause(now: number): number {
    if (this.#hurry.greetings-- > 0) return this.#hurry.pause;
    const pause = this.#pauseFactor * Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * BACK_OFF ** this.#retry.times);
    const silence = this.#isKnown ? 0 : now - this.#firstAt!;
    return Math.round(Math.max(pause, Math.min(MAX_PAUSE_OF_STRANGER_MS, PART_OF_SILENCE * silence)));
  }
}
