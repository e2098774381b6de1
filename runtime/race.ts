/**
 * Several async iterators raced against each other: whichever has something next is heard next.
 *
 * @module
 */

/** What won the race: a value of one of the sources, or the news that it has no more. */
export type RaceEvent<S> = {
  [K in keyof S]: { from: K; done: false; value: S[K] extends AsyncIterable<infer T> ? T : never } | {
    from: K;
    done: true;
  };
}[keyof S];

/**
 * Yields what the sources yield, in the order in which it comes, until all of them have ended.
 *
 * A source is asked for its next value when the last one has been dealt with, and not while it is paused. Each value
 * costs one promise: `Promise.race` on sources of which one is quiet and one is busy would keep a reaction on the quiet
 * one's promise for every value of the busy one.
 *
 * @param isPaused Whether a source is to be left alone for now; asked anew after each value.
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

/** A source of values that code elsewhere pushes in: timers and signals, made into an async iterator. */
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
