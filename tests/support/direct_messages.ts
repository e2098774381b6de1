/**
 * Two members that write to each other directly, and packets that whoever knows or guesses something could send them.
 *
 * @module
 */
import type { PunchPacket } from "../../client/session/facts.ts";
import type { V1Packet } from "../../protocol.ts";
import { type FakePeer, FakePeers, type NetworkOptions, passOf } from "./fake_peers.ts";

/** The addresses of Alice, of Bob and of somebody whom the server does not know. */
export const A = "192.0.2.21:52207", B = "192.0.2.22:40112", STRANGER = "198.51.100.9:666";
export const STREAM = "2be90f4417d6a3c8";

/** Alice and Bob on a network of their own. */
export function pair(options?: NetworkOptions): { net: FakePeers; alice: FakePeer; bob: FakePeer } {
  const net = new FakePeers(options);
  return { net, alice: net.join(A, "Alice"), bob: net.join(B, "Bob") };
}

/** A message with the pass of Alice and Bob. */
export function message(id: number, text: string, stream = STREAM, first = id, pass?: string): V1Packet {
  return { dialect: "v1", type: "MESSAGE", pass: pass ?? passOf(A, B), stream, id, first, text };
}

/** A message from an address that may be forged, without a pass. */
export function stray(id: number, text: string, stream = STREAM, first = id): V1Packet {
  return { dialect: "v1", type: "MESSAGE", stream, id, first, text };
}

/** Lets the server tell a member who has a pass; unless told otherwise, that Alice has hers and Bob's. */
export function punch({ inbox }: FakePeer, now: number, fields: Partial<PunchPacket> = {}): void {
  const pass = passOf(A, B);
  inbox.punched({ dialect: "v1", type: "PUNCH", token: STREAM, address: A, name: "Alice", pass, ...fields }, now);
}

export function texts(said: { text: string }[]): string[] {
  return said.map(({ text }) => text);
}

/** A pass that the server has given to nobody. */
export function guess(i: number): string {
  return `f${i.toString(16).padStart(15, "0")}`;
}

/** An address that somebody has forged. */
export function forged(i: number): string {
  return `198.51.${i >> 8 & 0xff}.${i & 0xff}:${1024 + (i >> 16)}`;
}
