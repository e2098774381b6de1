/**
 * Members that have to go, and are told why for as long as they may not know it.
 *
 * @module
 */
import { skeletons } from "../../protocol/look_alikes.ts";
import { nameKey } from "../../protocol/names.ts";
import { BoundedMap } from "./bounded_map.ts";
import type { Member } from "./members.ts";
import type { Peer } from "./peer.ts";
import type { Refusal } from "./refusal.ts";

/** Why somebody has to go, or may not come. */
export type Expulsion = Refusal<"kicked" | "banned" | "locked" | "signed-in-elsewhere">;

/** Why somebody had to go, and until when that holds. */
export interface Expelled extends Expulsion {
  /** In milliseconds of the room's clock. */
  until: number;
  /** What happened to it, for whoever asks to come back too early: `kicked by Alice (flooding)`. */
  what: string | undefined;
}

/**
 * For how long one who has to go is told so, and is not let in, in milliseconds: an ERROR may be lost, and the client
 * then hears of it at its next greeting.
 */
export const EXPELLED_MS = 60_000;

/**
 * For how long one that was signed in elsewhere has to be silent at least, in milliseconds: then it knows of it, and
 * comes because its user wants it. A client that does not know goes on greeting.
 */
const MIN_SILENCE_MS = 5000;

/**
 * Who was told to go of late: by its token, or who has none by the key of its peer; who was kicked also by its name.
 */
export class Expulsions {
  readonly #expelled = new BoundedMap<Expelled & { toldAt: number; silence: number }>();
  /**
   * Those who were kicked, by the keys and the skeletons of their names, or by the addresses that they were called by.
   */
  readonly #called = new BoundedMap<Expelled>();

  /**
   * Notes that a member has to go, and is told so.
   *
   * @param options.keepAlive How often a member greets, in milliseconds.
   * @param options.what What happened to it, if its name is kept out too: a program that is started again has another
   * token.
   */
  add(
    { token, key, name, address }: Pick<Member, "token" | "key" | "name" | "address">,
    expulsion: Expulsion,
    now: number,
    { keepAlive = 0, what }: { keepAlive?: number; what?: string } = {},
  ): void {
    const silence = expulsion.code === "signed-in-elsewhere" ? Math.max(MIN_SILENCE_MS, 2 * keepAlive) : Infinity;
    const expelled = { ...expulsion, until: now + EXPELLED_MS, what, toldAt: now, silence };
    this.#expelled.set(token || key, expelled);
    if (what === undefined) return;
    for (const called of name === undefined ? [address] : keysOf(name)) this.#called.set(called, expelled);
  }

  /** What somebody is told that may not come back yet; undefined if it may. */
  of(token: string | undefined, { key }: Pick<Peer, "key">, now: number): Expelled | undefined {
    // a classic member may turn out to speak version 1
    const found = [this.#expelled.get(token ?? ""), this.#expelled.get(key)];
    const expelled = found.find((it) => it && now < it.until && now < it.toldAt + it.silence);
    if (expelled) expelled.toldAt = now;
    return expelled;
  }

  /** Why whoever was kicked under a name, or under one that looks like it, may not come back yet. */
  ofName(name: string, now: number): Expelled | undefined {
    // most of the time nobody was kicked, and to find out what a name looks like takes time
    if (this.#called.size === 0) return undefined;
    return keysOf(name).map((called) => this.#called.get(called)).find((expelled) => expelled && now < expelled.until);
  }

  /** Lets somebody in again that was kicked, by its name, or by its address if it had none; returns whether it was. */
  lift(who: string, now: number): boolean {
    const expelled = this.ofName(who, now);
    if (expelled) expelled.until = -Infinity;
    return expelled !== undefined;
  }
}

function keysOf(name: string): string[] {
  return [nameKey(name), ...skeletons(name)];
}
