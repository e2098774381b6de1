/**
 * The sending end of a file's octets: what is sent when, and again until it has arrived.
 *
 * @module
 */
import { earliest } from "../earliest.ts";
import { MAX_DATA_BYTES } from "../packets.ts";
import { Bbr } from "./bbr.ts";
import type { CongestionControl } from "./congestion_control.ts";
import { Pacer } from "./pacer.ts";
import { PartStates } from "./part_states.ts";
import type { SeqRange } from "./requested_ranges.ts";
import { type Outcome, SentData } from "./sent_data.ts";

/** A part of a file, as DATA has it. */
export interface DataPart {
  /** Counts the packets: no two have the same. */
  id: number;
  /** Where in the file its octets belong. */
  at: number;
  octets: Uint8Array;
}

/** What has arrived of a file, as SACK has it. */
export interface DataSack {
  /** All octets before this place have arrived. */
  next: number;
  /** How many more are taken. */
  room: number;
  /** The numbers of the packets that have arrived, the greatest first; old ones may be missing. */
  ids: SeqRange[];
  /** For how long the one with the greatest number is there, in milliseconds. */
  delay: number;
}

/** How many octets are read from the file at once: as many as parts have that fit into 256 KiB. */
const BLOCK_BYTES = 262 * MAX_DATA_BYTES;
/** So many octets are here that were not sent yet, before the next block is wanted. */
const AHEAD_BYTES = BLOCK_BYTES;
/** How far behind the first octet that has not arrived is sent, whatever room the receiver has. */
const MAX_UNDER_WAY_BYTES = 4 << 20;
/** How many packets {@linkcode DataSender.take} gives at once. */
const MOST_AT_ONCE = 64;
/** How many packets a probe has (RFC 9002, section 6.2.4). */
const PROBE_PACKETS = 2;

/** Sends one file, from a place in it on. All times are milliseconds. */
export class DataSender {
  readonly #size: number;
  readonly #from: number;
  readonly #sent: SentData;
  readonly #parts = new PartStates();
  readonly #control: CongestionControl;
  readonly #pacer = new Pacer();
  /** What was read from the file and has not arrived, in order. */
  readonly #blocks: { at: number; octets: Uint8Array }[] = [];
  #suppliedUpTo: number;
  #next: number;
  /** The receiver takes octets before this place. */
  #end: number;
  /** Whether only the pace holds up what could be sent. */
  #isPaced = false;
  #packets = 0;
  #lost = 0;
  #repeated = 0;

  /**
   * @param options The size of the file; where the receiver goes on; `random` gives a number from 0 to 1.
   */
  constructor(
    { size, from, random = Math.random }: { size: number; from: number; random?: () => number },
    now: number,
  ) {
    this.#size = size;
    this.#from =
      this.#next =
      this.#end =
      this.#suppliedUpTo =
        from;
    this.#sent = new SentData(random);
    this.#control = new Bbr(now, random);
  }

  /** How many octets of the file are in order at the receiver. */
  get acknowledged(): number {
    return this.#next;
  }

  get isWhole(): boolean {
    return this.#next >= this.#size;
  }

  /** Packets that were sent, that were lost, those of them that were only late, and repeats; the round trip in milliseconds. */
  get statistics(): { sent: number; lost: number; late: number; repeated: number; roundTrip: number | undefined } {
    const { late, roundTrip } = this.#sent;
    return { sent: this.#packets, lost: this.#lost, late, repeated: this.#repeated, roundTrip };
  }

  /** The next block that is wanted from the file; undefined while there is enough. One is asked for at a time. */
  get wanted(): { at: number; length: number } | undefined {
    const at = this.#suppliedUpTo;
    if (this.isWhole || at >= this.#size || at - this.#sentUpTo > AHEAD_BYTES) return undefined;
    return { at, length: Math.min(BLOCK_BYTES, this.#size - at) };
  }

  /** Takes the block that was wanted, or the beginning of it. */
  supply(at: number, octets: Uint8Array): void {
    if (at !== this.#suppliedUpTo || octets.length === 0) return;
    this.#blocks.push({ at, octets });
    this.#suppliedUpTo += octets.length;
    this.#isPaced = true;
  }

  /** When {@linkcode take} is to be called again; undefined if it only waits for a block or an acknowledgement. */
  get nextWake(): number | undefined {
    if (this.isWhole) return undefined;
    const { lossDueAt, probeDueAt } = this.#sent;
    return earliest([this.#isPaced ? this.#pacer.nextAt : undefined, lossDueAt, probeDueAt]);
  }

  /**
   * What is to be sent now. It is called after each {@linkcode supply} and {@linkcode acknowledge}, and when
   * {@linkcode nextWake} is due. The octets are views of what was supplied.
   */
  take(now: number): DataPart[] {
    const taken: DataPart[] = [];
    if (this.isWhole) return taken;
    if (now >= this.#sent.lossDueAt!) this.#noteLost(now);
    if (now >= this.#sent.probeDueAt!) this.#probe(taken, now);
    this.#isPaced = false;
    while (taken.length < MOST_AT_ONCE) {
      const part = this.#parts.toRepeat ?? this.#newPart;
      if (part === undefined) {
        this.#sent.noteLimited();
        break;
      }
      const { window, pacing } = this.#control;
      if (this.#sent.underWay + MAX_DATA_BYTES > window) break;
      this.#isPaced = true;
      if (!this.#pacer.canSend(pacing, now)) break;
      this.#send(part, taken, now);
    }
    return taken;
  }

  /** Takes an acknowledgement. Returns "false" if something has arrived there that was never sent: it is a lie. */
  acknowledge({ next, room, ids, delay }: DataSack, now: number): "taken" | "false" {
    if (!this.#canBeNext(next, ids) || !this.#sent.canHaveArrived(ids)) return "false";
    const outcome = this.#sent.acknowledge(ids, delay, now);
    for (const { part } of outcome.arrived) this.#parts.arrived(part);
    if (next > this.#next) this.#settle(next);
    if (room > 0) this.#end = Math.max(this.#end, Math.min(next + room, this.#size));
    this.#report(outcome, now);
    return "taken";
  }

  /**
   * The packets take another way from now on: what was learned of the old one does not hold, and what is under way soon
   * counts as lost.
   */
  changeWay(now: number): void {
    this.#sent.changeWay(now);
    this.#control.changeWay(now);
    this.#pacer.restart(now);
    this.#isPaced = true;
  }

  /** The most octets a second that this way takes; undefined for no limit. */
  limitRate(bytesPerSecond: number | undefined): void {
    this.#control.limit((bytesPerSecond ?? Infinity) / 1000);
  }

  /** The place behind the last octet that was sent. */
  get #sentUpTo(): number {
    return Math.min(this.#size, this.#placeOf(this.#parts.end));
  }

  /**
   * Whether all octets before this place can have arrived: what had the last of them has a number, and `ids` has the
   * greatest of all that have arrived. Else a receiver could pretend that all arrives without a number that gives it away.
   */
  #canBeNext(next: number, ids: readonly SeqRange[]): boolean {
    if (!(next <= this.#sentUpTo)) return false;
    if (next <= this.#next) return true;
    const last = Math.ceil((next - this.#from) / MAX_DATA_BYTES) - 1, first = this.#parts.firstId(last);
    return ids.some(({ to }) => to >= first);
  }

  get #newPart(): number | undefined {
    const part = this.#parts.end, at = this.#placeOf(part), end = Math.min(this.#size, at + MAX_DATA_BYTES);
    const most = Math.min(this.#suppliedUpTo, this.#end, this.#next + MAX_UNDER_WAY_BYTES);
    return at < end && end <= most ? part : undefined;
  }

  #placeOf(part: number): number {
    return this.#from + part * MAX_DATA_BYTES;
  }

  #send(part: number, taken: DataPart[], now: number): void {
    const at = this.#placeOf(part), octets = this.#octets(at, Math.min(MAX_DATA_BYTES, this.#size - at));
    this.#packets++;
    if (part < this.#parts.end) this.#repeated++;
    const id = this.#sent.send(part, octets.length, now);
    this.#parts.sent(part, id);
    this.#pacer.sent(octets.length, this.#control.pacing, now);
    taken.push({ id, at, octets });
  }

  /** Nothing has come for long: the oldest is sent again, whatever the window is. */
  #probe(taken: DataPart[], now: number): void {
    const oldest = this.#sent.probe((part) => this.#parts.isHere(part));
    if (!oldest) return;
    if (this.#sent.probes > 1) this.#control.noteSilence();
    for (let i = 0; i < PROBE_PACKETS; i++) {
      const part = (i === 0 ? this.#firstOpen : undefined) ?? this.#parts.toRepeat ?? this.#newPart ?? oldest.part;
      this.#send(part, taken, now);
    }
  }

  /** The first part, which has not arrived, if it was sent. */
  get #firstOpen(): number | undefined {
    const part = Math.floor((this.#next - this.#from) / MAX_DATA_BYTES);
    return part < this.#parts.end ? part : undefined;
  }

  #settle(next: number): void {
    this.#next = next;
    const before = next >= this.#size ? this.#parts.end : Math.floor((next - this.#from) / MAX_DATA_BYTES);
    this.#parts.settle(before, (id) => this.#sent.settle(id));
    let settled = 0;
    for (let block; (block = this.#blocks[settled]) && block.at + block.octets.length <= this.#placeOf(before);) {
      settled++;
    }
    if (settled > 0) this.#blocks.splice(0, settled);
    if (this.isWhole) this.#blocks.length = 0;
  }

  #noteLost(now: number): void {
    const lost = this.#sent.detectLosses(now);
    this.#report({ arrived: [], lost, roundTrip: undefined, sample: undefined }, now);
  }

  #report({ arrived, lost, roundTrip, sample }: Outcome, now: number): void {
    for (const { part, id } of lost) this.#parts.lost(part, id);
    this.#lost += lost.length;
    const { delivered, underWay, wayFrom } = this.#sent;
    const amounts = { arrived: octetsOf(arrived, wayFrom), lost: octetsOf(lost, wayFrom), delivered, underWay };
    this.#control.note({ roundTrip, sample, ...amounts }, now);
  }

  #octets(at: number, length: number): Uint8Array {
    let index = this.#blocks.length - 1;
    while (this.#blocks[index].at > at) index--;
    let { at: start, octets } = this.#blocks[index];
    const within = octets.subarray(at - start, at - start + length);
    if (within.length === length) return within;
    const joined = new Uint8Array(length);
    joined.set(within);
    for (let done = within.length; done < length; done += octets.length) {
      ({ octets } = this.#blocks[++index]);
      octets = octets.subarray(0, length - done);
      joined.set(octets, done);
    }
    return joined;
  }
}

/** How many octets the packets have whose numbers are at least `from`. */
function octetsOf(packets: readonly { id: number; length: number }[], from: number): number {
  let octets = 0;
  for (const { id, length } of packets) if (id >= from) octets += length;
  return octets;
}
