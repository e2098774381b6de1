/**
 * Waits: for a condition to become true, with a deadline; or, where a program sends at a pace, for a time.
 *
 * @module
 */

/** How long a test waits for what it expects, in milliseconds: far longer than it takes on a busy machine. */
export const DEADLINE_MS = 20_000;

/** Lets callers wait until a state that changes from time to time is as they expect. */
export class Changing {
  readonly #watchers = new Set<() => void>();

  /** Makes all waiting callers look at the state again. */
  changed(): void {
    for (const look of [...this.#watchers]) look();
  }

  /**
   * Resolves with what `look` finds, now or after one of the next changes.
   *
   * @param look Returns undefined while the state is not as expected; throws when it can't become so any more.
   * @param describe Describes the present state for the error message.
   * @throws {Error} when the deadline, in milliseconds, has passed.
   */
  until<T>(look: () => T | undefined, describe: () => string, deadline = DEADLINE_MS): Promise<T> {
    // created here, so that its stack shows the line of the test that waits
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

/** Resolves after a time, in milliseconds; soon, if it is not positive. Tests wait for what they expect instead. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resume) => setTimeout(resume, milliseconds));
}
