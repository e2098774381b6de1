/**
 * The question whether datagrams reach an address.
 *
 * @module
 */
import { randomHex64 } from "../../protocol/fields.ts";

/** A question whether datagrams reach an address. Nobody who has not got it knows the id. */
export interface Check {
  id: number;
  to: string;
}

/** A check of an address, with an id of its own. */
export function newCheck(to: string): Check {
  // 52 bits: more than anybody guesses
  return { id: parseInt(randomHex64().slice(0, 13), 16), to };
}
