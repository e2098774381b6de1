/**
 * The networks that this machine is in, and its own addresses.
 *
 * @module
 */
import { type IPNetwork, parseNetwork } from "../protocol/ip_network.ts";
import { now } from "../runtime/clock.ts";
import { networkInterfaces } from "../runtime/own_addresses.ts";

/** How long an answer of the system is kept, in milliseconds. A laptop may change its Wi-Fi while the server runs. */
const KEEP_MS = 10_000;

type Interface = Pick<Deno.NetworkInterfaceInfo, "cidr">;

/** Asks the system for the networks of this machine, now and then. */
export class LocalNetworks {
  readonly #interfaces: () => Interface[] | undefined;
  #networks: IPNetwork[] = [];
  #addresses: Uint8Array[] = [];
  #askedAt = -Infinity;

  /** @param interfaces Lists the network interfaces; undefined if they can't be listed. */
  constructor(interfaces: () => Interface[] | undefined = networkInterfaces) {
    this.#interfaces = interfaces;
  }

  /** Returns the networks, as they were 10 s ago at the latest; none without the permission to list them. */
  read(time = now()): readonly IPNetwork[] {
    this.#ask(time);
    return this.#networks;
  }

  /** Returns the addresses of this machine, 16 bytes each, known in the same way. */
  addresses(time = now()): readonly Uint8Array[] {
    this.#ask(time);
    return this.#addresses;
  }

  #ask(time: number): void {
    if (time < this.#askedAt + KEEP_MS) return;
    this.#askedAt = time;
    const networks = (this.#interfaces() ?? []).map(({ cidr }) => parseNetwork(cidr))
      .filter((network) => network !== undefined);
    // the system writes which address of the network is its own
    this.#addresses = networks.map(({ bytes }) => bytes);
    // a tunnel may be in "the network of all addresses", which is not one nearby
    this.#networks = networks.filter(({ prefixLength }) => prefixLength > 0 && prefixLength !== 96);
  }
}
