/**
 * A member that speaks at a steady pace during an attack, and how long its words take to come back.
 *
 * @module
 */
import { quantile } from "../bench/table.ts";
import { Changing } from "../support/waiting.ts";
import { type JoinOptions, joinV1, type V1Member } from "./v1_member.ts";

/** How often it speaks, in milliseconds. It says 10 messages a second, half of what it may. */
const SAY_MS = 100;
/** What it says. */
export const WORD = "a word that others have to wait for as long as the server is busy";

/** How the words of a speaker fared. */
export interface WordDelays {
  /** How many words came back, and how many it said. */
  arrived: number;
  said: number;
  /** From saying to hearing, in milliseconds; not a number if nothing came back. */
  median: number;
  p95: number;
}

/** A member that speaks. */
export class Speaker implements Disposable {
  readonly #saidAt = new Map<number, number>();
  readonly #delays: number[] = [];
  readonly #changes = new Changing();
  #member: V1Member | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #said = 0;

  /** Joins. It does not speak yet. */
  static async join(port: number, options?: JoinOptions): Promise<Speaker> {
    const speaker = new Speaker();
    speaker.#member = await joinV1(port, (id) => {
      speaker.#delays.push(performance.now() - speaker.#saidAt.get(id)!);
      speaker.#changes.changed();
    }, options);
    return speaker;
  }

  private constructor() {}

  /** Begins to speak. */
  start(): void {
    this.#timer = setInterval(() => {
      this.#saidAt.set(++this.#said, performance.now());
      this.#member!.say(this.#said, WORD);
    }, SAY_MS);
  }

  /** Stops speaking, and waits for the last words, for so many milliseconds at most. */
  async stop(patience: number): Promise<WordDelays> {
    clearInterval(this.#timer);
    const isDone = () => this.#delays.length >= this.#said || undefined;
    await this.#changes.until(isDone, () => "", patience).catch(() => {});
    const [arrived, said] = [this.#delays.length, this.#said];
    const at = (share: number) => arrived > 0 ? quantile(this.#delays, share) : NaN;
    return { arrived, said, median: at(0.5), p95: at(0.95) };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#member?.[Symbol.dispose]();
  }
}
