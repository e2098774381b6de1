/**
 * Tells the user of a client at a loopback address where to join instead, so that others reach it directly.
 *
 * @module
 */
import type { V1Packet } from "../../protocol.ts";
import { splitAddress } from "../../protocol/fields.ts";
import type { LinkEvent } from "./facts.ts";

/** How many addresses are told in a session at most. A server has a few. */
const MAX_HINTS = 4;

/** The addresses that the user was told of. */
export class JoinHints {
  readonly #told = new Set<string>();

  /** Takes what a WELCOME says. Each address is told once. */
  take({ address, join }: Pick<Extract<V1Packet, { type: "WELCOME" }>, "address" | "join">): LinkEvent[] {
    if (join === undefined || this.#told.has(join) || this.#told.size >= MAX_HINTS) return [];
    this.#told.add(join);
    const { hostname, port } = splitAddress(join);
    const text = `Others see you at ${splitAddress(address).hostname}, where they can't reach you directly: their ` +
      `private messages have to pass through the server. Join by ${hostname} ${port} to change that`;
    return [{ type: "notice", text }];
  }
}
