/**
 * The receiving end of a file's octets: puts them in order, and says what has arrived.
 *
 * @module
 */
import { MAX_SACK_RANGES } from "../packets.ts";
import { ArrivedIds } from "./arrived_ids.ts";
import { ArrivedOctets } from "./arrived_octets.ts";
import type { DataPart, DataSack } from "./data_sender.ts";
import { earlier } from "../earliest.ts";

/** How many octets are kept that are not on the disk yet. */
export const MAX_ROOM_BYTES = 4 << 20;
/** How many octets are handed out to be written at once, and how many there are at least, but for the last ones. */
const BLOCK_BYTES = 256 << 10, MIN_BLOCK_BYTES = 64 << 10;
/**
 * An acknowledgement is due after so many packets. After two it is too (RFC 9000, section 13.2.2) if the last one is some
 * time ago, in milliseconds: at low rates it answers each second packet, at high rates it costs little.
 */
const MANY_PACKETS = 16, FEW_PACKETS = 2, PAUSE_MS = 2;
/** A single packet is acknowledged after so long, in milliseconds. */
const DELAY_MS = 4;
/** The pause before a gap is told, in milliseconds, so that not each lost packet has an acknowledgement of its own. */
const GAP_PAUSE_MS = 0.5;
/** So many new gaps are told at once: an acknowledgement has room for three times as many. */
const MANY_GAPS = 8;
/**
 * When nothing comes, a sign of life is sent after so long, in milliseconds; each pause is longer, up to a limit.
 * The first ones are short: before the sender knows where to go on it sends nothing.
 */
const FIRST_PAUSE_MS = 250, SIGN_PAUSE_MS = 1000, SIGN_GROWTH = 1.5, MAX_SIGN_PAUSE_MS = 5000;

/** Receives one file, from a place in it on. All times are milliseconds. */
export class DataReceiver {
  readonly #size: number;
  readonly #octets: ArrivedOctets;
  readonly #ids = new ArrivedIds(MAX_SACK_RANGES);
  #handedOut: number;
  /** When the greatest number has come. */
  #greatestCameAt = 0;
  /** What has come since the last acknowledgement. */
  #packets = 0;
  #gaps = 0;
  #toldAt = -Infinity;
  /** How far the last acknowledgement has allowed to send. */
  #toldEnd = 0;
  /** When the next acknowledgement is due. The first one is due at once: it says where to go on. */
  #dueAt: number | undefined = 0;
  #signAt: number | undefined;
  #signPause = FIRST_PAUSE_MS;

  /** @param options The size of the file, and where to go on in it. */
  constructor({ size, from }: { size: number; from: number }) {
    this.#size = size;
    this.#handedOut = from;
    this.#octets = new ArrivedOctets(size, from, MAX_ROOM_BYTES);
  }

  /** How many octets of the file are here in order. */
  get received(): number {
    return this.#octets.next;
  }

  get isWhole(): boolean {
    return this.received >= this.#size;
  }

  /** When {@linkcode takeSack} will have one; undefined for not before something comes. */
  get nextWake(): number | undefined {
    return earlier(this.#dueAt, this.isWhole ? undefined : this.#signAt);
  }

  /** Takes a part. Returns false if it can't be one of this file, or there is no room for it: it is dropped. */
  receive({ id, at, octets }: DataPart, now: number): boolean {
    const wasWhole = this.isWhole;
    if (octets.length === 0 || !this.#octets.add(at, octets)) return false;
    if (id > this.#ids.greatest) this.#greatestCameAt = now;
    if (this.#ids.add(id)) this.#gaps++;
    this.#packets++;
    this.#signPause = SIGN_PAUSE_MS;
    const isSoon = this.#packets >= MANY_PACKETS || this.#gaps >= MANY_GAPS || this.isWhole && !wasWhole;
    if (isSoon) this.#dueAt = now;
    else if (this.#gaps > 0) this.#dueBy(Math.max(now, this.#toldAt + GAP_PAUSE_MS));
    else if (this.#packets >= FEW_PACKETS) this.#dueBy(Math.max(now, this.#toldAt + PAUSE_MS));
    else this.#dueBy(now + DELAY_MS);
    return true;
  }

  /**
   * The octets that are next in order and not handed out yet, to be written: 64 to 256 KiB, less only at the end of the
   * file; undefined if there are not enough.
   */
  takeBlock(): { at: number; octets: Uint8Array } | undefined {
    const at = this.#handedOut, length = Math.min(BLOCK_BYTES, this.received - at);
    if (length <= 0 || length < MIN_BLOCK_BYTES && !this.isWhole) return undefined;
    this.#handedOut += length;
    return { at, octets: this.#octets.read(at, length) };
  }

  /** Notes that the disk has all octets before this place: there is room for more. */
  written(upTo: number): void {
    this.#octets.free(Math.min(upTo, this.#handedOut));
    const { end } = this.#octets, told = this.#toldEnd - this.received;
    // a sender that has nearly no room left would not ask
    if (told < MAX_ROOM_BYTES / 2 && end - this.#toldEnd >= Math.min(MAX_ROOM_BYTES / 8, this.#size - this.#toldEnd)) {
      if (end > this.#toldEnd) this.#dueAt = 0;
    }
  }

  /** The acknowledgement that is due, or that the sender has asked for; undefined if none is. */
  takeSack(now: number, isAsked = false): DataSack | undefined {
    const isSign = !this.isWhole && this.#signAt !== undefined && now >= this.#signAt;
    if (!isAsked && !isSign && !(now >= this.#dueAt!)) return undefined;
    if (isSign) this.#signPause = Math.min(MAX_SIGN_PAUSE_MS, this.#signPause * SIGN_GROWTH);
    this.#signAt = now + this.#signPause;
    this.#dueAt = undefined;
    this.#packets = this.#gaps = 0;
    this.#toldAt = now;
    const next = this.received, ids = this.#ids.ranges;
    this.#toldEnd = this.#octets.end;
    return { next, room: this.#toldEnd - next, ids, delay: ids.length > 0 ? now - this.#greatestCameAt : 0 };
  }

  #dueBy(time: number): void {
    this.#dueAt = earlier(this.#dueAt, time);
  }
}
