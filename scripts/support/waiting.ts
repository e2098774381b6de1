/**
 * Waiting for something to come true, with a deadline instead of a fixed time.
 *
 * @module
 */

/** How long a test waits for what it expects, in milliseconds: far longer than it takes on a busy machine. */
export const DEADLINE_MS = 20_000;

/** Something that changes from time to time, and those who wait until it has become what they expect. */
export class Changing {
  readonly #watchers = new Set<() => void>();

  /** Lets everyone who waits look again. */
  changed(): void {
    for (const look of [...this.#watchers]) look();
  }

  /**
   * Resolves with what `look` finds, now or after one of the next changes.
   *
   * @param look Returns undefined while there is nothing; throws when there never will be.
   * @param describe Tells what is there instead, for the error.
   * @throws {Error} when the deadline, in milliseconds, has passed.
   */
  until<T>(look: () => T | undefined, describe: () => string, deadline = DEADLINE_MS): Promise<T> {
    // made here, so that its stack shows the line of the test that waited
    const late = new Error();
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.#watchers.delete(check);
        act();
      };
      const check = () => {
        try {
          const found = look();
          if (found !== undefined) settle(() => resolve(found));
        } catch (error) {
          settle(() => reject(error));
        }
      };
      const timer = setTimeout(() => {
        late.message = `Not within ${deadline} ms: ${describe()}`;
        settle(() => reject(late));
      }, deadline);
      this.#watchers.add(check);
      check();
    });
  }
}
