/**
 * Tells the user of a client at a loopback address where to join instead, so that others reach it directly.
 *
 * @module
 */
import { isLoopback } from "../../protocol/address_key.ts";
import { splitAddress } from "../../protocol/fields.ts";
import type { Fact } from "./facts.ts";
import type { Self } from "./self.ts";
import { howToJoin } from "./way_words.ts";

/** How many addresses are told in a session at most. A server has a few. */
const MAX_HINTS = 4;

/** The addresses that the user was told of. */
export class JoinHints {
  readonly #told = new Set<string>();

  /** Takes what the server has last said of where this client is, and could join. Each address is told once. */
  take({ address, join }: Pick<Self, "address" | "join">): Fact[] {
    // a client elsewhere has no reason to go where the server says
    if (
      !address || !isLoopback(address) || join === undefined || this.#told.has(join) || this.#told.size >= MAX_HINTS
    ) return [];
    this.#told.add(join);
    const text =
      `Others see you at ${splitAddress(address).hostname}, so private messages between you and them can't ` +
      `go directly. To change that, ${howToJoin(join)}`;
    return [{ type: "show", shown: { kind: "hint", text } }];
  }
}
