/**
 * Decides who may join in the classic dialect.
 *
 * A classic greeting proves nothing: whoever forges its source address makes the server send everything that is said to
 * somebody who has not asked. So the dialect is taken only from networks nearby, and only from so many members.
 *
 * @module
 */
import { addressKey, isLoopback } from "../../protocol/address_key.ts";
import { splitAddress } from "../../protocol/fields.ts";
import { addressBytes, type IPNetwork, isInNetwork, parseNetwork } from "../../protocol/ip_network.ts";
import { Counter } from "./counter.ts";
import type { Peer } from "./peer.ts";

/** Who may speak the classic dialect. */
export interface ClassicPolicyOptions {
  /** Whether nobody gets in without an account, which takes version 1. Default false. */
  accountsOnly?: boolean;
  /** Where it is taken from: everywhere, nowhere, or from these networks beside those nearby. Default: no other ones. */
  from?: "any" | "off" | readonly IPNetwork[];
  /** Returns the networks that this machine is in; they are nearby too. It is called for each stranger. */
  localNetworks?: () => readonly IPNetwork[];
  /** The most classic members with one IP address that is not loopback. Default 500. */
  perAddress?: number;
  /** The most classic members in all. Default 5,000. */
  members?: number;
}

/**
 * Why a peer may not join in the classic dialect: it is switched `off`; the peer's `network` is not nearby; too many
 * members have its `address`; too many `members` are here; or nobody gets in without an account (`accounts`).
 */
export type ClassicRefusal = "off" | "network" | "address" | "members" | "accounts";

/** The networks whose addresses no router of the internet passes on, so that nobody far away has them. */
const NEARBY: readonly IPNetwork[] = [
  ...["127.0.0.0/8", "::1"],
  // private (RFC 1918, section 3; RFC 4193, section 3.1), link-local (RFC 3927; RFC 4291, section 2.5.6), and shared
  // by the customers of a provider (RFC 6598)
  ...["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "169.254.0.0/16", "fe80::/10", "100.64.0.0/10"],
].map((text) => parseNetwork(text)!);

/** Who may join in the classic dialect, and how many have. */
export class ClassicPolicy {
  readonly #isForAccounts: boolean;
  readonly #isOff: boolean;
  readonly #isForAll: boolean;
  readonly #networks: readonly IPNetwork[];
  readonly #localNetworks: () => readonly IPNetwork[];
  readonly #maxPerAddress: number;
  readonly #maxMembers: number;
  readonly #perAddress = new Counter();
  #members = 0;

  constructor(
    { accountsOnly = false, from = [], localNetworks = () => [], perAddress = 500, members = 5000 }:
      ClassicPolicyOptions = {},
  ) {
    this.#isForAccounts = accountsOnly;
    this.#isOff = from === "off";
    this.#isForAll = from === "any";
    this.#networks = typeof from === "string" ? NEARBY : [...NEARBY, ...from];
    this.#localNetworks = localNetworks;
    this.#maxPerAddress = perAddress;
    this.#maxMembers = members;
  }

  /** Returns why a peer may not join in the classic dialect; undefined if it may. */
  classicRefusal({ address, validated }: Pick<Peer, "address" | "validated">): ClassicRefusal | undefined {
    const { hostname } = splitAddress(address);
    const bytes = addressBytes(hostname)!;
    // nobody can forge the address of a connection
    if (!validated && this.#isOff) return "off";
    if (!validated && !this.#isForAll && !this.#isNear(bytes)) return "network";
    if (this.#isForAccounts) return "accounts";
    if (!isLoopback(address) && this.#perAddress.get(addressKey(address)) >= this.#maxPerAddress) {
      return "address";
    }
    return this.#members >= this.#maxMembers ? "members" : undefined;
  }

  /** Counts a classic member. */
  joined({ address }: Pick<Peer, "address">): void {
    this.#members++;
    this.#perAddress.add(addressKey(address));
  }

  /** Counts a classic member no more. */
  left({ address }: Pick<Peer, "address">): void {
    this.#members--;
    this.#perAddress.remove(addressKey(address));
  }

  #isNear(address: Uint8Array): boolean {
    return isInOneOf(address, this.#networks) || isInOneOf(address, this.#localNetworks());
  }
}

function isInOneOf(address: Uint8Array, networks: readonly IPNetwork[]): boolean {
  return networks.some((network) => isInNetwork(address, network));
}
