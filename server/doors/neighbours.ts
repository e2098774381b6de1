/**
 * At which addresses of the networks nearby a machine is.
 *
 * What is sent to an address of a network nearby at which no machine is waits for about 3 s, until the system gives up
 * looking for it (RFC 1122, section 2.3.2.2; on Linux three times a second), and takes up the socket's send buffer all
 * the while.
 *
 * @module
 */
import { splitAddress } from "../../protocol/fields.ts";
import { addressBytes, type IPNetwork, isInNetwork } from "../../protocol/ip_network.ts";

/** What the system knows of the neighbours: whether a machine has answered at an address. */
export type NeighbourTable = ReadonlyMap<string, boolean>;

/** Where the neighbours are read, and which networks they are in. */
export interface NeighboursOptions {
  /** Returns the system's table; undefined if it does not show one. */
  read: () => NeighbourTable | undefined;
  /** Returns the networks that this machine is in, each with this machine's own address. */
  localNetworks: () => readonly IPNetwork[];
}

/** The most addresses of which is remembered that somebody was there. */
const MAX_SEEN = 10_000;
/** The shortest time between two looks at the system's table, in milliseconds. */
const LOOK_AGAIN_MS = 100;

/** The neighbours by IP address without a zone, as they were at the last {@linkcode look}. */
export class Neighbours {
  readonly #options: NeighboursOptions;
  #table: NeighbourTable = new Map();
  /** The networks nearby in which the system has looked for machines. */
  #networks: readonly IPNetwork[] = [];
  #lookedAt = -Infinity;
  /** Addresses at which a machine was at some look; the one that was seen longest ago comes first. */
  readonly #seen = new Set<string>();

  constructor(options: NeighboursOptions) {
    this.#options = options;
  }

  /** When the system's table was last read, in milliseconds. */
  get lookedAt(): number {
    return this.#lookedAt;
  }

  /** Reads the system's table, unless it was read just now. */
  look(now: number): void {
    if (now < this.#lookedAt + LOOK_AGAIN_MS) return;
    this.#lookedAt = now;
    this.#table = this.#options.read() ?? new Map();
    for (const [hostname, isPresent] of this.#table) {
      if (!isPresent) continue;
      this.#seen.delete(hostname);
      this.#seen.add(hostname);
    }
    for (const hostname of this.#seen) {
      if (this.#seen.size <= MAX_SEEN) break;
      this.#seen.delete(hostname);
    }
    const asked = [...this.#table.keys()].map((hostname) => addressBytes(hostname)!);
    // in a tunnel nobody is looked for
    this.#networks = this.#options.localNetworks().filter((network) => asked.some((at) => isInNetwork(at, network)));
  }

  /** Whether a machine has answered at an address, or none is needed: it is this machine's, or behind a router. */
  isPresent(hostname: string): boolean {
    const known = this.#table.get(hostname);
    if (known !== undefined) return known;
    const bytes = addressBytes(hostname)!;
    return !this.#networks.some((network) => isInNetwork(bytes, network) && !isEqual(bytes, network.bytes));
  }

  /** Whether a machine was at an address at some look. A forged address is one at which there never was. */
  wasPresent(hostname: string): boolean {
    return this.#seen.has(hostname);
  }

  /** Whether the system looks for a machine at an address and has found none. */
  isAbsent(hostname: string): boolean {
    return this.#table.get(hostname) === false;
  }
}

/** Returns the IP address in an address, without its zone. */
export function hostnameOf(address: string): string {
  return splitAddress(address).hostname.split("%", 1)[0];
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.every((byte, i) => byte === other[i]);
}
