/**
 * How many further copies of a datagram go out before anybody can know that it is lost, and when.
 *
 * @module
 */

/**
 * From which share of lost datagrams on how many further copies go out. With them, at most about one datagram in a
 * hundred arrives by none of its copies, up to a loss of 30%: 8% of 8%, 20% of 20% of 20%.
 */
const SHARES = [0.015, 0.08, 0.2] as const;
/**
 * How long after the first copy each further one goes out, in milliseconds. Losses come in bursts: what fills a queue,
 * or another Wi-Fi station, takes some milliseconds, and a copy that follows at once is lost with the first.
 */
export const COPY_DELAYS_MS = [8, 24, 60] as const;

/** How many further copies go out where this share of the datagrams, from 0 to 1, is lost. */
export function copyCount(share: number): number {
  return SHARES.filter((least) => share >= least).length;
}

/** How long after the copy before it a further copy goes out, in milliseconds; `copy` counts from 1. */
export function pauseBefore(copy: number): number {
  return COPY_DELAYS_MS[copy - 1] - (copy > 1 ? COPY_DELAYS_MS[copy - 2] : 0);
}
