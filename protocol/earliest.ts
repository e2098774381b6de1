/**
 * When the first of several things is due.
 *
 * @module
 */

/** The earlier of two times; undefined stands for never. */
export function earlier(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other! < one ? other : one;
}

/** The earliest of some times; undefined stands for never. */
export function earliest(times: Iterable<number | undefined>): number | undefined {
  let first: number | undefined;
  for (const time of times) if (time !== undefined && !(time >= first!)) first = time;
  return first;
}

/** When the first of these parts wants to be woken; undefined for never. */
export function earliestWake(parts: Iterable<{ readonly nextWake: number | undefined }>): number | undefined {
  let first: number | undefined;
  // a client asks for each datagram: an array of the times would cost more than all the rest
  for (const { nextWake } of parts) if (nextWake !== undefined && !(nextWake >= first!)) first = nextWake;
  return first;
}
