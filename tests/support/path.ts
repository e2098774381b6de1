/**
 * A way between two ends, in virtual time: a bottleneck with a queue, a delay, and faults.
 *
 * @module
 */
import { Agenda } from "./agenda.ts";

/** What one direction of a way is like. */
export interface PathOptions {
  /** Octets a millisecond that pass the bottleneck; Infinity for no bottleneck. */
  rate?: number;
  /** How many octets wait before it; what comes then is lost. */
  queue?: number;
  /** Milliseconds from the bottleneck to the other end. */
  delay?: number;
  /** The share of what is lost before the bottleneck, from 0 to 1. */
  loss?: number;
  /** The share that takes up to so many milliseconds longer, so that others overtake it. */
  reordered?: number;
  reordering?: number;
  /** The share that arrives twice. */
  doubled?: number;
}

/** Runs what is due, in the order of time, and of planning within one time. */
export class Clock {
  now = 0;
  readonly #agenda = new Agenda();

  at(time: number, run: () => void): void {
    this.#agenda.add(Math.max(time, this.now), run);
  }

  /** Runs the next thing that is due. Returns false if there is none up to this time. */
  step(until = Infinity): boolean {
    const { nextAt } = this.#agenda;
    if (nextAt === Infinity || nextAt > until) return false;
    this.now = nextAt;
    this.#agenda.runFirst();
    return true;
  }
}

/** How many octets IP and UDP add to a datagram of ours, with the packet's header. */
export const OVERHEAD = 130;

/** One direction of a way. */
export class Path {
  readonly options: PathOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  #freeAt = 0;
  isCut = false;
  /** How long each datagram has waited in the queue, in milliseconds. */
  readonly waits: number[] = [];

  constructor(clock: Clock, random: () => number, options: PathOptions) {
    this.#clock = clock;
    this.#random = random;
    this.options = options;
  }

  /** Sends a datagram of so many octets; `arrive` is called when it arrives. */
  send(length: number, arrive: () => void): void {
    const { rate = Infinity, queue = Infinity, delay = 0, loss = 0 } = this.options, { now } = this.#clock;
    if (this.isCut || this.#random() < loss) return;
    const wait = Math.max(0, this.#freeAt - now);
    if (rate < Infinity) {
      if (wait * rate + length > queue) return;
      this.#freeAt = Math.max(this.#freeAt, now) + length / rate;
      this.waits.push(wait);
    }
    const { reordered = 0, reordering = 0, doubled = 0 } = this.options;
    const arrival = Math.max(this.#freeAt, now) + delay;
    for (let copies = this.#random() < doubled ? 2 : 1; copies > 0; copies--) {
      this.#clock.at(arrival + (this.#random() < reordered ? reordering * this.#random() : 0), arrive);
    }
  }
}
