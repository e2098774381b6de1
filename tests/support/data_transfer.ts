/**
 * A file on its way from one end to the other, in virtual time.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { DataReceiver } from "../../protocol/reliable/data_receiver.ts";
import { type DataSack, DataSender } from "../../protocol/reliable/data_sender.ts";
import { type Clock, OVERHEAD, type Path } from "./path.ts";

/** What a transfer is like. */
export interface TransferOptions {
  size: number;
  from?: number;
  random: () => number;
  /** The way of the data and the way back; may be replaced while it runs. */
  there: Path;
  back: Path;
  /** Milliseconds until a block is read, and until one is written. */
  disk?: number;
  /** How late the event loops are, in milliseconds, each time. */
  lateness?: () => number;
  /** Whether nothing is written before {@linkcode DataTransfer.freeDisk}. */
  isDiskStuck?: boolean;
  /** The octet of a place in the file. */
  octetAt?: (at: number) => number;
  /** What the receiver says; to let it lie. */
  forge?: (sack: DataSack) => DataSack;
}

/** A sender, a receiver, and what stands between them. */
export class DataTransfer {
  readonly sender: DataSender;
  readonly receiver: DataReceiver;
  there: Path;
  back: Path;
  /** When all has arrived; undefined before. */
  wholeAt: number | undefined;
  /** Whether the sender has found out a lie. */
  hasLied = false;
  written: number;
  /** The place behind the last octet that was read. */
  supplied: number;
  sacks = 0;
  readonly #clock: Clock;
  readonly #options: TransferOptions;
  #isReading = false;
  #isWriting = false;
  #wakeAt = Infinity;
  #ackAt = Infinity;

  constructor(clock: Clock, options: TransferOptions) {
    const { size, from = 0, random, there, back } = options;
    this.#clock = clock;
    this.#options = options;
    this.there = there;
    this.back = back;
    this.sender = new DataSender({ size, from, random }, clock.now);
    this.receiver = new DataReceiver({ size, from });
    this.written = this.supplied = from;
    this.#isWriting = options.isDiskStuck === true;
    this.#acknowledge(true);
    this.#send();
  }

  /** Lets the sender do what is due. */
  run(): void {
    this.#send();
  }

  freeDisk(): void {
    this.#isWriting = false;
    this.#write();
  }

  #late(): number {
    return this.#options.lateness?.() ?? 0;
  }

  #send(): void {
    const clock = this.#clock, { sender } = this, { disk = 0.2, octetAt = someOctet } = this.#options;
    for (const { id, at, octets } of sender.take(clock.now)) {
      const copy = octets.slice();
      this.there.send(copy.length + OVERHEAD, () => this.#arrive({ id, at, octets: copy }));
    }
    const { wanted } = sender;
    if (wanted && !this.#isReading) {
      this.#isReading = true;
      clock.at(clock.now + disk, () => {
        this.#isReading = false;
        this.supplied = wanted.at + wanted.length;
        const octets = new Uint8Array(wanted.length);
        for (let i = 0; i < octets.length; i++) octets[i] = octetAt(wanted.at + i);
        sender.supply(wanted.at, octets);
        this.#send();
      });
    }
    const wake = sender.nextWake;
    if (wake === undefined || wake >= this.#wakeAt) return;
    // as timers are: whole milliseconds, and one at least
    const time = this.#wakeAt = clock.now + Math.max(1, Math.ceil(wake - clock.now)) + this.#late();
    clock.at(time, () => {
      if (this.#wakeAt !== time) return;
      this.#wakeAt = Infinity;
      this.#send();
    });
  }

  #arrive(part: { id: number; at: number; octets: Uint8Array }): void {
    const run = () => {
      assert(this.receiver.receive(part, this.#clock.now) || this.#options.isDiskStuck);
      this.#write();
      this.#acknowledge();
    };
    const late = this.#late();
    if (late > 0) this.#clock.at(this.#clock.now + late, run);
    else run();
  }

  #write(): void {
    const block = this.#isWriting ? undefined : this.receiver.takeBlock(),
      { octetAt = someOctet, disk = 0.2 } = this.#options;
    if (!block) return;
    this.#isWriting = true;
    assertEquals(block.at, this.written);
    for (let i = 0; i < block.octets.length; i++) {
      if (block.octets[i] !== octetAt(block.at + i)) throw new Error(`another octet at ${block.at + i}`);
    }
    this.#clock.at(this.#clock.now + disk, () => {
      this.#isWriting = false;
      this.written += block.octets.length;
      this.receiver.written(this.written);
      if (this.written === this.#options.size) this.wholeAt ??= this.#clock.now;
      this.#write();
      this.#acknowledge();
    });
  }

  #acknowledge(isAsked = false): void {
    const clock = this.#clock, sack = this.receiver.takeSack(clock.now, isAsked);
    if (sack) {
      this.sacks++;
      const delay = Math.min(999, Math.round(sack.delay)), { forge = (it) => it } = this.#options;
      const told = forge({ ...sack, delay });
      this.back.send(80 + OVERHEAD, () => {
        if (this.hasLied) return;
        if (this.sender.acknowledge(told, clock.now) === "false") this.hasLied = true;
        else this.#send();
      });
    }
    const wake = this.receiver.nextWake;
    if (wake === undefined || wake >= this.#ackAt) return;
    const time = this.#ackAt = clock.now + Math.max(1, Math.ceil(wake - clock.now)) + this.#late();
    clock.at(time, () => {
      if (this.#ackAt !== time) return;
      this.#ackAt = Infinity;
      this.#acknowledge();
    });
  }
}

function someOctet(at: number): number {
  return (at * 31 + (at >> 8)) & 255;
}
