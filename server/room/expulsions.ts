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

/** Who was told to go of late: by its token, or who has none by the key of its peer. */
export class Expulsions {
  readonly #expelled = new BoundedMap<Expulsion & { until: number }>();

  /** Notes that a member has to go. */
  add({ token, key }: { token: string; key: string }, expulsion: Expulsion, now: number): void {
    this.#expelled.set(token || key, { ...expulsion, until: now + EXPELLED_MS });
  }

  /** Why somebody may not come back yet; undefined if it may. */
  of(token: string | undefined, { key }: Pick<Peer, "key">, now: number): Expulsion | undefined {
    // a classic member may turn out to speak version 1
    const found = [this.#expelled.get(token ?? ""), this.#expelled.get(key)];
    return found.find((expelled) => expelled && now < expelled.until);
  }
}
