/**
 * Merges several async iterators into one that yields their values in the order in which they arrive.
 *
 * @module
 */

/** A value of one of the sources, or the end of that source. */
export type RaceEvent<S> = {
  [K in keyof S]: { from: K; done: false; value: S[K] extends AsyncIterable<infer T> ? T : never } | {
    from: K;
    done: true;
  };
}[keyof S];

/**
 * Yields the values of the sources, in the order in which they arrive, until all sources have ended.
 *
 * The next value of a source is requested only when its last value has been handled, and not while the source is
 * paused. Each value costs one promise. `Promise.race` would cost more: with a quiet and a busy source, it would keep a
 * reaction on the quiet one's promise for every value of the busy one.
 *
 * @param isPaused Returns whether a source must not be read for now. It is called again after each value.
 *
 * @example
 * ```ts ignore
 * for await (const heard of race({ line: keyboard, datagram: datagrams(conn) })) {
 *   if (heard.from === "line" && heard.done) break;
 * }
 * ```
 */
export async function* race<S extends Record<string, AsyncIterable<unknown>>>(
  sources: S,
  isPaused: (source: keyof S) => boolean = () => false,
): AsyncGenerator<RaceEvent<S>> {
  const arrived: (() => RaceEvent<S>)[] = [];
  let wake = () => {};
  const idle = new Map(Object.entries(sources).map(([name, source]) => [name, source[Symbol.asyncIterator]()]));
  let open = idle.size;
  while (open > 0) {
    for (const [name, iterator] of idle) {
      if (isPaused(name)) continue;
      idle.delete(name);
      iterator.next().then(
        ({ done, value }) =>
          arrived.push(() => {
            if (done) open--;
            else idle.set(name, iterator);
            return { from: name, done: done ?? false, value } as RaceEvent<S>;
          }),
        (error) =>
          arrived.push(() => {
            throw error;
          }),
      ).then(() => wake());
    }
    if (arrived.length === 0) await new Promise<void>((resolve) => wake = resolve);
    else yield arrived.shift()!();
  }
}

/** An async iterator of the values that other code pushes into it, for instance timers and signals. */
export class Channel<T> implements AsyncIterable<T> {
  readonly #values: T[] = [];
  #wake = () => {};
  #closed = false;

  push(value: T): void {
    this.#values.push(value);
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    while (true) {
      while (this.#values.length > 0) yield this.#values.shift()!;
      if (this.#closed) return;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}
