/**
 * A pause that something else may end.
 *
 * @module
 */

/** One pause at a time. */
export class Pause {
  #end: (() => void) | undefined;

  /** Resolves after so many milliseconds, or when it is ended. */
  async wait(milliseconds: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#end = resolve;
      timer = setTimeout(resolve, milliseconds);
    });
    clearTimeout(timer);
    this.#end = undefined;
  }

  /** Ends the pause, if there is one. */
  end(): void {
    this.#end?.();
  }
}
