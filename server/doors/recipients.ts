/**
 * Those whom a broadcast reaches, in slots without a gap, while some come and go in the middle of one.
 *
 * @module
 */
import { parseAddress } from "../../protocol/fields.ts";
import type { Recipient } from "../room/delivery.ts";
import type { DestinationTable } from "./linux/sendmmsg.ts";

/** What is needed of a table that sends to many slots by one system call. */
export type AddressTable = Pick<DestinationTable, "failed" | "add" | "remove" | "swap" | "send">;

/** The destinations of one dialect, and how far the broadcast that is under way has got among them. */
export class Recipients {
  readonly #table: AddressTable | undefined;
  readonly #bySlot: Recipient[] = [];
  /** Slots below `#served` have had their copy; those from `#end` on have come since the broadcast began. */
  #served = 0;
  #end = 0;

  /** @param table Where given, {@linkcode sendNext} sends by it; otherwise {@linkcode takeNext} says who is next. */
  constructor(table?: AddressTable) {
    this.#table = table;
  }

  get size(): number {
    return this.#bySlot.length;
  }

  /** How many destinations of the broadcast still wait for it. */
  get remaining(): number {
    return this.#end - this.#served;
  }

  /** Adds a destination, in constant time. */
  add(destination: Recipient): void {
    if (this.#table?.add(parseAddress(destination.address)!) === undefined && this.#table) return;
    destination.slot = this.#bySlot.length;
    this.#bySlot.push(destination);
  }

  /**
   * Takes a destination out, in constant time. The gap is closed so that nobody else gets two copies of the broadcast
   * under way, or none: the last who was served moves into it, then the last who waits, then the last of all.
   */
  remove(destination: Recipient): void {
    let gap = destination.slot;
    if (gap === undefined || this.#bySlot[gap] !== destination) return;
    if (gap < this.#served) gap = this.#exchange(gap, --this.#served);
    if (gap < this.#end) gap = this.#exchange(gap, --this.#end);
    this.#exchange(gap, this.#bySlot.length - 1);
    this.#table?.remove(this.#bySlot.length - 1);
    this.#bySlot.pop();
    destination.slot = undefined;
  }

  /** Begins a broadcast to all who are here now, but for one. */
  begin(except?: Recipient): void {
    this.#served = 0;
    this.#end = this.#bySlot.length;
    const slot = except?.slot;
    // the one who is left out counts as served
    if (slot !== undefined && this.#bySlot[slot] === except) this.#exchange(slot, this.#served++);
  }

  /**
   * Sends the broadcast's payload to the next who wait, at most so many, by the table.
   *
   * @returns Whether the socket took all of them.
   */
  sendNext(payload: Uint8Array, most: number): boolean {
    const to = Math.min(this.#end, this.#served + most);
    this.#served = this.#table!.send(payload, this.#served, to);
    return this.#served === to;
  }

  /** The addresses of the next who wait, at most so many; from now on they count as served. */
  takeNext(most: number): string[] {
    const from = this.#served;
    this.#served = Math.min(this.#end, from + most);
    return this.#bySlot.slice(from, this.#served).map(({ address }) => address);
  }

  #exchange(slot: number, other: number): number {
    if (slot !== other) {
      this.#table?.swap(slot, other);
      [this.#bySlot[slot], this.#bySlot[other]] = [this.#bySlot[other], this.#bySlot[slot]];
      this.#bySlot[slot].slot = slot;
      this.#bySlot[other].slot = other;
    }
    return other;
  }
}
