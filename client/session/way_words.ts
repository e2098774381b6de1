/**
 * What the user is told of the way to a peer: why there is none directly, why none through the server, and by which a
 * text has gone.
 *
 * @module
 */
import type { Self } from "./self.ts";
import { familyOf, isLoopback } from "../../protocol/address_key.ts";
import { splitAddress } from "../../protocol/fields.ts";
import type { Found, Way } from "./way.ts";
import { nameOf, type Who } from "./who.ts";

/** What forbids the way through the server: the user does, or did when the text was said. */
export type Forbidden = "command" | "flag" | "before";

/** How the user can allow it again. */
const HOW_TO_ALLOW = {
  command: "/direct first allows it",
  flag: "start without --no-relay to allow it",
};
/** Why nothing can go through the server. */
const NOT_PASSED_ON = "this server passes no private messages on";

/**
 * Why a text does not go directly from this client to a peer, as far as the server says so.
 *
 * @param peer What the server says of the peer: also whether it speaks classic.
 * @param self This client's address, as the server sees it.
 */
export function whyNotDirectly(name: string, peer: Found, self = ""): string {
  const unknown = `${name} can't be reached directly`;
  if (peer.classic && !peer.relay) return `${name} has a classic program, which confirms nothing`;
  if (!peer.relay || self === "") return unknown;
  if (peer.transport !== undefined) return peer.transport === "tcp" ? `${name} has a TCP connection` : unknown;
  const theirs = familyOf(peer.address), ours = familyOf(self);
  if (theirs !== ours) return `${name} has an ${theirs} address, you have an ${ours} address`;
  if (isOwnLoopback(peer, self)) return `you have joined by ${hostOf(self)} and ${name} has not`;
  if (isLoopback(peer.address) && !isLoopback(self)) {
    return `${name} has joined by ${hostOf(peer.address)} and you have not`;
  }
  return unknown;
}

/** Whether there is no direct way because this client has joined by a loopback address: it has none to others then. */
export function isOwnLoopback({ address, relay, transport }: Found, self = ""): boolean {
  return relay === true && transport === undefined && self !== "" && isLoopback(self) && !isLoopback(address) &&
    familyOf(self) === familyOf(address);
}

/** What is said before the first text goes through the server. */
export function relayNotice(why: string): string {
  // what begins with a name keeps its spelling
  return `${
    why.replace(/^you have joined /, "You have joined ")
  }; sending through the server. /direct only forbids that`;
}

/** What is known of the way to a peer beside what the server says of the peer. */
export interface WayGiven {
  /** This client's address, as the server sees it. */
  self?: Self["address"];
  /** Where this client could join instead. */
  join?: Self["join"];
  /** What forbids the way through the server, if anything. */
  forbidden?: Forbidden;
}

/** Why there is no way to a peer at all. */
export function whyNoWay(name: string, peer: Found, { self, join, forbidden }: WayGiven): string {
  const why = [whyNotDirectly(name, peer, self)];
  if (peer.norelay) why.push(NOT_PASSED_ON);
  else if (forbidden === "before") why.push("the way through the server was forbidden when it was said");
  else if (forbidden) why.push(`you have forbidden the way through the server (${HOW_TO_ALLOW[forbidden]})`);
  const help = join !== undefined && isOwnLoopback(peer, self) ? `. To reach ${name}, ${howToJoin(join)}` : "";
  return why.join("; ") + help;
}

/**
 * Why what waits for a peer is given up after some time.
 *
 * @param forbidden What forbids the way through the server, if anything.
 */
export function whyNoAnswer(
  name: string,
  { place, isLocated }: Pick<Way, "place" | "isLocated">,
  forbidden?: Forbidden,
): string {
  if (!isLocated || !place) return "the server does not say where it is";
  if (!place.norelay && forbidden === undefined) {
    const how = place.relay ? "through the server" : "directly or through the server";
    return `${name} has not answered, ${how}: it may have lost its network, or ignores you`;
  }
  const whyNotRelayed = place.norelay || !forbidden
    ? `and ${NOT_PASSED_ON}`
    : forbidden === "before"
    ? "which was forbidden when it was said"
    : `which you have forbidden (${HOW_TO_ALLOW[forbidden]})`;
  return `${name} has not answered directly: ` +
    `it may be gone, ignore you, or be reached through the server only, ${whyNotRelayed}`;
}

/**
 * Why a text is not sent to whoever has a name or an address now.
 *
 * @param isBegunAnew Whether the server has begun anew since, so that everybody has another pass.
 */
export function whyOther(who: Who, isBegunAnew: boolean): string {
  const name = nameOf(who);
  if (isBegunAnew) return `the server has begun anew; it can't know whether ${name} is still the same`;
  if ("address" in who) return "somebody else is there now, or the server was started again";
  return `somebody else may have the name now; /send ${name} TEXT goes there all the same`;
}

/** What the user is told of a text that has arrived; or that was sent, if a classic program is to read it. */
export function sentNotice(name: string, text: string, how: { isClassic: boolean; isRelayed: boolean }): string {
  const { isClassic, isRelayed } = how;
  if (!isClassic) return `Delivered to ${name}${isRelayed ? " (through the server)" : ""}: ${text}`;
  return isRelayed
    ? `Sent through the server to ${name}, whose classic program does not confirm: ${text}`
    : `Sent directly to ${name}, whose program may not take it (nc -u does not): ${text}`;
}

/** What the user can do to be reached directly by others. */
export function howToJoin(join: string): string {
  const { hostname, port } = splitAddress(join);
  return `leave and join by ${hostname} ${port}`;
}

function hostOf(address: string): string {
  return splitAddress(address).hostname;
}
