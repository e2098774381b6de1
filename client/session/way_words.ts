/**
 * What the user is told of the way to a peer: why there is none directly, and why none through the server.
 *
 * @module
 */
import { familyOf, isLoopback } from "../../protocol/address_key.ts";
import { splitAddress } from "../../protocol/fields.ts";
import type { Peer, Way } from "./way.ts";

/** Why nothing may go through the server, by what has forbidden it. */
export const FORBIDDEN = {
  command: "you have forbidden the way through the server: /direct first allows it",
  flag: "--no-relay forbids the way through the server (/direct first allows it)",
};
/** Why nothing can. */
const NOT_PASSED_ON = "this server passes no private messages on";

/**
 * Why datagrams do not go directly from this client to a peer, where the server says so.
 *
 * @param self This client's address, as the server sees it.
 */
export function whyNotDirectly(name: string, peer: Peer, self = ""): string {
  const unknown = `${name} can't be reached directly`;
  if (!peer.relay || self === "") return unknown;
  if (peer.transport !== undefined) return peer.transport === "tcp" ? `${name} has a TCP connection` : unknown;
  const theirs = familyOf(peer.address), ours = familyOf(self);
  if (theirs !== ours) return `${name} has an ${theirs} address, you have an ${ours} address`;
  if (isLoopback(self) && !isLoopback(peer.address)) return `you joined by ${hostOf(self)}, ${name} did not`;
  if (isLoopback(peer.address) && !isLoopback(self)) return `${name} joined by ${hostOf(peer.address)}, you did not`;
  return unknown;
}

/** What is said before the first text goes through the server. */
export function relayNotice(why: string): string {
  return `${why}; sending through the server. /direct only forbids that`;
}

/**
 * Why there is no way to a peer at all.
 *
 * @param given This client's address, as the server sees it, and why nothing may go through the server, if so.
 */
export function whyNoWay(name: string, peer: Peer, given: { self?: string; forbidden?: string }): string {
  const why = whyNotDirectly(name, peer, given.self), whyNotRelayed = peer.norelay ? NOT_PASSED_ON : given.forbidden;
  return whyNotRelayed === undefined ? why : `${why}, and ${whyNotRelayed}`;
}

/** Why what waits for a peer is given up after some time; `forbidden`: why nothing may go through the server, if so. */
export function whyNoAnswer(name: string, { place, isLocated }: Way, forbidden?: string): string {
  if (!isLocated || !place) return "the server does not say where it is";
  const whyNotRelayed = place.norelay ? NOT_PASSED_ON : forbidden;
  return whyNotRelayed === undefined
    ? `${place.address} has not taken it: it has left, or more is sent than the server lets through`
    : `${name} does not answer directly, and ${whyNotRelayed}`;
}

function hostOf(address: string): string {
  return splitAddress(address).hostname;
}
