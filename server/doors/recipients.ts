/**
 * The recipients of broadcasts, in slots without a gap. Recipients may join and leave in the middle of a broadcast.
 *
 * @module
 */
import { splitAddress } from "../../protocol/fields.ts";
import type { AddressTable } from "./linux/sendmmsg.ts";
import type { Recipient } from "../room/delivery.ts";

/** The part of {@linkcode AddressTable} that is needed to send to many slots with one system call. */
export type RecipientTable = Pick<AddressTable, "failed" | "add" | "remove" | "swap" | "send">;

/** The recipients of one dialect, and the progress of the current broadcast among them. */
export class Recipients {
  readonly #table: RecipientTable | undefined;
  readonly #bySlot: Recipient[] = [];
  /** Slots below `#served` have got their copy. Slots from `#end` on joined after the broadcast began. */
  #served = 0;
  #end = 0;

  /** @param table If given, {@linkcode sendNext} sends with it. Otherwise {@linkcode takeNext} returns who is next. */
  constructor(table?: RecipientTable) {
    this.#table = table;
  }

  get size(): number {
    return this.#bySlot.length;
  }

  /** All of them, as they are now. */
  list(): Recipient[] {
    return [...this.#bySlot];
  }

  /** How many recipients still wait for the current broadcast. */
  get remaining(): number {
    return this.#end - this.#served;
  }

  /** Adds a recipient, in constant time. Ignores a recipient that the table can't send to. */
  add(recipient: Recipient): void {
    if (this.#table?.add(splitAddress(recipient.address)) === undefined && this.#table) return;
    recipient.slot = this.#bySlot.length;
    this.#bySlot.push(recipient);
  }

  /**
   * Removes a recipient, in constant time. Up to three moves close the gap, so that every other recipient still
   * gets exactly one copy of the current broadcast: the last recipient that was served moves into the gap, then the
   * last one that waits moves into the new gap, then the last one of all.
   */
  remove(recipient: Recipient): void {
    let gap = recipient.slot;
    if (gap === undefined || this.#bySlot[gap] !== recipient) return;
    if (gap < this.#served) gap = this.#swapSlots(gap, --this.#served);
    if (gap < this.#end) gap = this.#swapSlots(gap, --this.#end);
    this.#swapSlots(gap, this.#bySlot.length - 1);
    this.#table?.remove(this.#bySlot.length - 1);
    this.#bySlot.pop();
    recipient.slot = undefined;
  }

  /** Begins a broadcast to all current recipients except one. */
  begin(except?: Recipient): void {
    this.#served = 0;
    this.#end = this.#bySlot.length;
    const slot = except?.slot;
    // the excluded recipient counts as served
    if (slot !== undefined && this.#bySlot[slot] === except) this.#swapSlots(slot, this.#served++);
  }

  /**
   * Sends the broadcast's payload to the next waiting recipients, at most `limit`, with the table.
   *
   * @returns Whether the socket took all of them.
   */
  sendNext(payload: Uint8Array, limit: number): boolean {
    const to = Math.min(this.#end, this.#served + limit);
    this.#served = this.#table!.send(payload, this.#served, to);
    return this.#served === to;
  }

  /** Returns the addresses of the next waiting recipients, at most `limit`. From now on they count as served. */
  takeNext(limit: number): string[] {
    const from = this.#served;
    this.#served = Math.min(this.#end, from + limit);
    return this.#bySlot.slice(from, this.#served).map(({ address }) => address);
  }

  #swapSlots(slot: number, other: number): number {
    if (slot !== other) {
      this.#table?.swap(slot, other);
      [this.#bySlot[slot], this.#bySlot[other]] = [this.#bySlot[other], this.#bySlot[slot]];
      this.#bySlot[slot].slot = slot;
      this.#bySlot[other].slot = other;
    }
    return other;
  }
}
