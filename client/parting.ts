/**
 * Saying goodbye: a few times, until the server has heard it or is taken to be gone.
 *
 * @module
 */

/** How often goodbye is said, and the pause between, in milliseconds. */
const GOODBYES = 4;
const PAUSE_MS = 100;

/** The end of a session. */
export class Parting {
  readonly #say: (id: number) => void;
  #left = GOODBYES;
  #dueAt: number | undefined;
  #over = false;

  /** @param say Sends a goodbye with an id. */
  constructor(say: (id: number) => void) {
    this.#say = say;
  }

  /** Whether goodbye is being said. */
  get begun(): boolean {
    return this.#over || this.#dueAt !== undefined;
  }

  get over(): boolean {
    return this.#over;
  }

  get nextWake(): number | undefined {
    return this.#dueAt;
  }

  begin(now: number): void {
    if (this.begun) return;
    this.#dueAt = now;
    this.wake(now);
  }

  /** There is nobody to say goodbye to, or the goodbye was heard. */
  end(): void {
    this.#over = true;
    this.#dueAt = undefined;
  }

  wake(now: number): void {
    if (this.#dueAt === undefined || this.#dueAt > now) return;
    if (this.#left === 0) return this.end();
    this.#say(this.#left--);
    this.#dueAt = now + PAUSE_MS;
  }
}
