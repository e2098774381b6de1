/**
 * Joins a room in version 1 by hand, so that tests see each datagram.
 *
 * @module
 */
import { encode } from "../../protocol.ts";
import { randomHex64 } from "../../protocol/fields.ts";
import type { Peer } from "./classic_peer.ts";

/** What a member greets with. */
export interface V1Options {
  name?: string;
  /** The token of a member that moves; by default a new one. */
  token?: string;
}

/** Makes a peer a member that speaks version 1, and returns its token. It greets twice, with the ids 1000 and 1001. */
export async function joinV1(
  peer: Peer,
  port: number,
  { name, token = randomHex64() }: V1Options = {},
): Promise<string> {
  const greeting = (id: number, fields: { token?: string; cookie?: string } = {}) =>
    name === undefined
      ? encode({ dialect: "v1", type: "GREETING", id, ...fields })
      : encode({ dialect: "v1", type: "SIGN-IN", id, name, ...fields });
  await peer.send(greeting(1000), port);
  const { text } = await peer.until(/^RETRY\/1 .*id=1000 /);
  const [, cookie] = /cookie=([0-9a-f]{16})/.exec(text)!;
  await peer.send(greeting(1001, { token, cookie }), port);
  await peer.until(/^WELCOME\/1 .*id=1001 /);
  return token;
}
