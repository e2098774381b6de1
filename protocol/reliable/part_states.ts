/**
 * What has become of each part of a file that is being sent.
 *
 * @module
 */

/** States of a part besides the number of the packet that has it. */
const HERE = -1, LOST = -2;
/** How many are settled before the memory is given back at once. */
const MANY_SETTLED = 1024;

/** The parts from the first that is not settled to the last that was sent. They count from 0. */
export class PartStates {
  /** Of each part the number of the packet that was sent last with it, or a state. */
  #states: number[] = [];
  /** Of each part the number of the packet that was sent first with it. They grow. */
  #firsts: number[] = [];
  #base = 0;
  #low = 0;
  /** Parts that were lost, in the order in which that was noticed; some may have arrived since. */
  #lost: number[] = [];
  #lostAt = 0;

  /** The part behind the last one that was sent. */
  get end(): number {
    return this.#base + this.#states.length;
  }

  /** Notes that a packet has been sent with this part, which was sent before or is {@linkcode end}. */
  sent(part: number, id: number): void {
    if (part === this.end) this.#firsts.push(id);
    this.#states[part - this.#base] = id;
  }

  arrived(part: number): void {
    if (part >= this.#low) this.#states[part - this.#base] = HERE;
  }

  /** Notes that the packet is lost. The part is to be sent again, unless another packet has it. */
  lost(part: number, id: number): void {
    if (part < this.#low || this.#states[part - this.#base] !== id) return;
    this.#states[part - this.#base] = LOST;
    this.#lost.push(part);
  }

  /** The number of the first packet that had this part, which was sent and is not settled. */
  firstId(part: number): number {
    return this.#firsts[part - this.#base];
  }

  isHere(part: number): boolean {
    return part < this.#low || this.#states[part - this.#base] === HERE;
  }

  /** The next part that is to be sent again; undefined if there is none. */
  get toRepeat(): number | undefined {
    if (this.#lostAt >= MANY_SETTLED && this.#lostAt >= this.#lost.length / 2) {
      this.#lost = this.#lost.slice(this.#lostAt);
      this.#lostAt = 0;
    }
    const lost = this.#lost;
    for (; this.#lostAt < lost.length; this.#lostAt++) {
      const part = lost[this.#lostAt];
      if (part >= this.#low && this.#states[part - this.#base] === LOST) return part;
    }
    if (lost.length > 0) this.#lost = [];
    this.#lostAt = 0;
    return undefined;
  }

  /** Settles all parts before this one; `settled` gets the number of each packet that had one and was not known to arrive. */
  settle(before: number, settled: (id: number) => void): void {
    for (; this.#low < before; this.#low++) {
      const id = this.#states[this.#low - this.#base];
      if (id > 0) settled(id);
    }
    const count = this.#low - this.#base;
    if (count < MANY_SETTLED || count < this.#states.length / 2) return;
    this.#states = this.#states.slice(count);
    this.#firsts = this.#firsts.slice(count);
    this.#base = this.#low;
    this.#lost = this.#lost.slice(this.#lostAt);
    this.#lostAt = 0;
  }
}
