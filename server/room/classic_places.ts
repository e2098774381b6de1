/**
 * Who speaks the classic dialect, and when each of them was last heard: in all, and of one IP address.
 *
 * @module
 */
import { detach } from "../../protocol/text.ts";
import { addressKey } from "./address_key.ts";
import { HeardOrder, type Ordered } from "./heard_order.ts";
import type { Peer } from "./peer.ts";

/** The place of one classic member. */
export interface ClassicPlace {
  /** The key of its peer. */
  readonly key: string;
  /** When it was last heard, in milliseconds. */
  heardAt: number;
}

/** A place as one order has it. */
interface Entry extends Ordered<Entry> {
  readonly place: ClassicPlace;
}

/** A place as both orders have it. */
interface Entries {
  readonly inAll: Entry;
  readonly ofAddress: Entry;
}

/** The places of the classic members. Each change and each question takes constant time. */
export class ClassicPlaces {
  /** By the keys of their peers. */
  readonly #entries = new Map<string, Entries>();
  readonly #all = new HeardOrder<Entry>();
  readonly #byAddress = new Map<string, HeardOrder<Entry>>();

  get size(): number {
    return this.#all.size;
  }

  /** How many of them have the IP address of a peer. */
  sizeAt({ address }: Pick<Peer, "address">): number {
    return this.#byAddress.get(addressKey(address))?.size ?? 0;
  }

  /** The place that has been silent for the longest time; of those with the IP address of a peer, if one is given. */
  longestSilent(peer?: Pick<Peer, "address">): ClassicPlace | undefined {
    const order = peer ? this.#byAddress.get(addressKey(peer.address)) : this.#all;
    return order?.longestSilent?.place;
  }

  add({ key, address }: Pick<Peer, "key" | "address">, now: number): void {
    const place = { key: detach(key), heardAt: now };
    const entries = { inAll: { place }, ofAddress: { place } };
    this.#entries.set(place.key, entries);
    this.#all.add(entries.inAll);
    const at = addressKey(address);
    let order = this.#byAddress.get(at);
    if (!order) this.#byAddress.set(detach(at), order = new HeardOrder());
    order.add(entries.ofAddress);
  }

  /** Notes that a member was heard that has a place. */
  heard({ key, address }: Pick<Peer, "key" | "address">, now: number): void {
    const { inAll, ofAddress } = this.#entries.get(key)!;
    inAll.place.heardAt = now;
    this.#all.heard(inAll);
    this.#byAddress.get(addressKey(address))!.heard(ofAddress);
  }

  /** Removes the place of a member, which must have one. */
  remove({ key, address }: Pick<Peer, "key" | "address">): void {
    const { inAll, ofAddress } = this.#entries.get(key)!;
    this.#entries.delete(key);
    this.#all.remove(inAll);
    const at = addressKey(address), order = this.#byAddress.get(at)!;
    order.remove(ofAddress);
    if (order.size === 0) this.#byAddress.delete(at);
  }
}
