/**
 * The packets that were sent of late, by their numbers.
 *
 * @module
 */

/** A packet that was sent. All times are milliseconds. */
export interface SentPacket {
  readonly id: number;
  /** Which part of the file it has: they count from 0. */
  readonly part: number;
  /** How many octets it has. */
  readonly length: number;
  readonly sentAt: number;
  /** What had been delivered when it was sent, and when: see delivery_rate.ts. */
  readonly delivered: number;
  readonly deliveredAt: number;
  /** When the packet was sent whose delivery was the last known one. */
  readonly firstSentAt: number;
  /** Whether the sender had nothing more to send then. */
  readonly isLimited: boolean;
  /** How many octets were under way, with it. */
  readonly underWay: number;
}

/** How many that are settled are kept before the memory is given back at once. */
const MANY_SETTLED = 1024;

/**
 * Packets in the order of their numbers. A packet that is settled leaves the number of the next one that may be open, as
 * in a disjoint-set forest (Tarjan 1975): to go through a range costs as much as there are open ones in it.
 */
export class SentLog {
  /** Packets, or where to go on. */
  #entries: (SentPacket | number)[] = [];
  /** The number of the first entry. */
  #base = 1;
  #low = 1;

  /** The lowest number that is remembered. */
  get low(): number {
    return this.#low;
  }

  /** The number behind the last. */
  get end(): number {
    return this.#base + this.#entries.length;
  }

  /** Adds the packet that has the number {@linkcode end}. */
  add(packet: SentPacket): void {
    this.#entries.push(packet);
  }

  /** Leaves the next number out. */
  skip(): void {
    this.#entries.push(this.end + 1);
  }

  /** The first packet from this number on that is not settled; undefined if there is none. */
  open(id: number): SentPacket | undefined {
    const entries = this.#entries, base = this.#base;
    let at = Math.max(id, this.#low) - base;
    for (let entry; typeof (entry = entries[at]) === "number";) {
      const next = entries[entry - base];
      // halves the path for the next one
      if (typeof next === "number") entries[at] = next;
      at = entry - base;
    }
    return entries[at] as SentPacket | undefined;
  }

  /** The packet of this number, unless it is settled or forgotten. */
  get(id: number): SentPacket | undefined {
    const entry = id < this.#low ? undefined : this.#entries[id - this.#base];
    return typeof entry === "object" ? entry : undefined;
  }

  /** Settles a packet that is open. */
  settle(id: number): void {
    this.#entries[id - this.#base] = id + 1;
  }

  /** Forgets the first ones: those that are settled, and those that are to be forgotten. */
  forget(isOld: (packet: SentPacket) => boolean): void {
    const end = this.end;
    for (; this.#low < end; this.#low++) {
      const entry = this.#entries[this.#low - this.#base];
      if (typeof entry === "object" && !isOld(entry)) break;
    }
    const settled = this.#low - this.#base;
    if (settled < MANY_SETTLED || settled < this.#entries.length / 2) return;
    this.#entries = this.#entries.slice(settled);
    this.#base = this.#low;
  }
}
