/**
 * The names that members had a moment ago: whoever gives an order may know only that one yet.
 *
 * @module
 */
import { nameKey } from "../../protocol/names.ts";
import { BoundedMap } from "./bounded_map.ts";
import type { Member, Members } from "./members.ts";

/** For how long a member is known by a name that it has no more, in milliseconds. */
const KNOWN_MS = 60_000;

/** The former names in one room. */
export class FormerNames {
  readonly #members: Members;
  /** Who had a name, by its key: a token, or the key of a peer that has none. */
  readonly #holders = new BoundedMap<{ holder: string; until: number }>();

  constructor(members: Members) {
    this.#members = members;
  }

  /** Notes that a member has a name no more. */
  add(name: string, { token, key }: Pick<Member, "token" | "key">, now: number): void {
    this.#holders.set(nameKey(name), { holder: token || key, until: now + KNOWN_MS });
  }

  /** The member that had a name a moment ago, if it is here; undefined also if another one has it now. */
  holderOf(name: string, now: number): Member | undefined {
    if (this.#members.withName(name)) return undefined;
    const { holder, until } = this.#holders.get(nameKey(name)) ?? { holder: "", until: -Infinity };
    return now < until ? this.#members.withToken(holder) ?? this.#members.withKey(holder) : undefined;
  }
}
