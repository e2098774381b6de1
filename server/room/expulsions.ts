/**
 * Members that have to go, and are told why for as long as they may not know it.
 *
 * @module
 */
import { BoundedMap } from "./bounded_map.ts";
import type { Peer } from "./peer.ts";

/** Why somebody has to go, or may not come: the code of an ERROR, and a sentence for its user. */
export interface Expulsion {
  code: "kicked" | "banned" | "locked" | "signed-in-elsewhere";
  text: string;
}

/**
 * For how long one who has to go is told so, and is not let in, in milliseconds: an ERROR may be lost, and the client then
 * hears of it at its next greeting.
 */
export const EXPELLED_MS = 60_000;

/**
 * For how long one that was signed in elsewhere has to be silent at least, in milliseconds: then it knows of it, and comes
 * because its user wants it. A client that does not know goes on greeting.
 */
const MIN_SILENCE_MS = 5000;

/** Who was told to go of late: by its token, or who has none by the key of its peer. */
export class Expulsions {
  readonly #expelled = new BoundedMap<Expulsion & { until: number; toldAt: number; silence: number }>();

  /**
   * Notes that a member has to go, and is told so.
   *
   * @param keepAlive How often a member greets, in milliseconds.
   */
  add({ token, key }: { token: string; key: string }, expulsion: Expulsion, now: number, keepAlive = 0): void {
    const silence = expulsion.code === "signed-in-elsewhere" ? Math.max(MIN_SILENCE_MS, 2 * keepAlive) : Infinity;
    this.#expelled.set(token || key, { ...expulsion, until: now + EXPELLED_MS, toldAt: now, silence });
  }

  /** What somebody is told that may not come back yet; undefined if it may. */
  of(token: string | undefined, { key }: Pick<Peer, "key">, now: number): Expulsion | undefined {
    // a classic member may turn out to speak version 1
    const found = [this.#expelled.get(token ?? ""), this.#expelled.get(key)];
    const expelled = found.find((it) => it && now < it.until && now < it.toldAt + it.silence);
    if (expelled) expelled.toldAt = now;
    return expelled && { code: expelled.code, text: expelled.text };
  }
}
