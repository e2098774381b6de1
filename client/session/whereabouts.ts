/**
 * Finds out whether a login is passed on: whether the server sees this client where it is not.
 *
 * @module
 */
import { isLoopback } from "../../protocol/address_key.ts";
import { formatAddress, splitAddress } from "../../protocol/fields.ts";
import { addressBytes, type IPNetwork, isInNetwork, parseNetwork } from "../../protocol/ip_network.ts";

/** Where a client and its server are, as far as the client's system knows. */
export interface Whereabouts {
  /** The addresses of the server: the one that was greeted, and the one that answers. */
  servers: readonly string[];
  /** The port of the socket on which the client speaks with it. */
  port: number;
  /** The client's IP addresses, each with the length of its network's prefix: `192.168.1.21/24`. */
  interfaces: readonly string[];
}

/**
 * Says why no proof is given to a server that sees this client at an address; undefined if nothing is wrong with it, or
 * it can't be known.
 *
 * A proof is bound to that address. Between two machines of one network no NAT changes an address, so there it must be
 * this client's own. With another one, whoever has it would sign in by the proof.
 */
export function whyPassedOn(seen: string, whereabouts: Whereabouts | undefined): string | undefined {
  if (!whereabouts) return undefined;
  const own = whereabouts.servers.flatMap((server) => ownAddresses(server, whereabouts));
  if (own.length === 0 || own.some((address) => isSame(address, seen))) return undefined;
  return `The server sees you at ${seen}, but you are at ${
    own[0]
  }: somebody may pass your login on, to speak for you. ` +
    "Left without a proof of the password; where there is a NAT all the same, as around a virtual machine, add --nat";
}

/** The addresses at which a server must see this client; none if a NAT may stand between. */
function ownAddresses(server: string, { port, interfaces }: Whereabouts): string[] {
  const { hostname } = splitAddress(server), bytes = addressBytes(hostname)!;
  const loopback = isLoopback(server) ? [hostname, hostname.includes(":") ? "::1" : "127.0.0.1"] : [];
  const nearby = interfaces.filter((text) => isOfNetwork(bytes, parseNetwork(text)));
  const hostnames = [...loopback, ...nearby.map((text) => text.split("/")[0])];
  return [...new Set(hostnames)].map((hostname) => formatAddress({ hostname, port }));
}

function isOfNetwork(address: Uint8Array, network: IPNetwork | undefined): boolean {
  // a tunnel may be in "the network of all addresses"
  return network !== undefined && network.prefixLength > 0 && network.prefixLength !== 96 &&
    isInNetwork(address, network);
}

/** Whether two addresses are the same, but for the zone, which each machine names in its own way. */
function isSame(a: string, b: string): boolean {
  const [own, other] = [splitAddress(a), splitAddress(b)];
  const [left, right] = [addressBytes(own.hostname)!, addressBytes(other.hostname)!];
  return own.port === other.port && left.every((byte, i) => byte === right[i]);
}
