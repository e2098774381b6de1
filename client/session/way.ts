/**
 * The way to one peer: directly, or through the server where nothing comes back or the server says that there is no
 * direct way. While it is the server's for want of an answer, the direct way is checked again from time to time, and
 * whenever a packet of the peer has come directly: to where that came from, which the server may not know of (a
 * triggered check and a peer-reflexive address, RFC 8445, section 7.3.1).
 *
 * @module
 */
import { earliest } from "../../protocol/earliest.ts";
import { Retry } from "../../protocol/reliable/retry.ts";
import { type Check, newCheck } from "./check.ts";
import type { PeerPacket } from "./facts.ts";

/** Where a peer is, and what the server says of the way there. */
export type Found = Pick<PeerPacket, "address" | "relay" | "norelay" | "transport" | "classic" | "rate">;

/** The same of a peer that packets of version 1 can be sent to, or to the server in its stead. */
export type Reachable = Found & { pass: string };

/** For how long nothing may come back directly before packets go through the server, in milliseconds. */
const SILENCE_MS = 1000;
/** Without progress for so long messages that go directly only are given up, in milliseconds. A person waits for it. */
const DIRECT_DEADLINE_MS = 5000;
/**
 * The same for those that go through the server: each way has two hops, and of four datagrams that each get lost three
 * times in ten all arrive one time in four. Measured so, one of 3,000 messages is given up; it would be one of 45 after 5 s.
 */
const RELAYED_DEADLINE_MS = 10_000;
/** The same while the server has not said where the peer is: of 1,000 look-ups one has no answer within 5 s. */
const LOOK_UP_DEADLINE_MS = 10_000;
/** The shortest time from one check of the direct way to the next, in milliseconds. */
const CHECK_PAUSE_MS = 10_000;
/** The pauses after the copies of a check but the last, in milliseconds: the first may come before the peer knows its pass. */
const COPY_PAUSES_MS = [250, 750];
/** For how long after a packet has come directly an address is taken for open, in milliseconds: NATs close it later. */
const OPEN_FOR_MS = 30_000;

/** The way to one peer. Its user sends, and tells what came back. */
export class Way {
  #isRelayAllowed: boolean;
  #place: Reachable | undefined;
  /** Whether the server has said where the peer is since something began to wait. */
  #isLocated = false;
  #isRelayed = false;
  /** The address that has answered a check, if the server has not named it: what goes directly goes there. */
  #elsewhere: string | undefined;
  /** When something began to wait, the server first said where the peer is, or something was acknowledged, whichever is latest. */
  #progressAt = -Infinity;
  /** When the first packet of those that wait went directly, since that was tried anew. */
  #sentAt: number | undefined;
  /** When the last packet came directly. */
  #heardAt = -Infinity;
  /** Since when what waits has had the server's way without progress; undefined if it has not had it. */
  #relayedAt: number | undefined;
  /** The last check of the server's address, and the last one of another. */
  #check: Check | undefined;
  #checkElsewhere: Check | undefined;
  #checkedAt = -Infinity;
  readonly #copies = new Retry();

  /** @param isRelayAllowed Whether packets may go through the server. */
  constructor(isRelayAllowed: boolean) {
    this.#isRelayAllowed = isRelayAllowed;
  }

  /** Where the server has last said that the peer is. */
  get place(): Reachable | undefined {
    return this.#place;
  }

  /** Whether that was said since something began to wait. */
  get isLocated(): boolean {
    return this.#isLocated;
  }

  /** Where packets go that go directly. */
  get address(): string | undefined {
    return this.#elsewhere ?? this.#place?.address;
  }

  /** Whether the user lets packets go through the server. */
  get isRelayAllowed(): boolean {
    return this.#isRelayAllowed;
  }

  /** Whether packets go through the server. */
  get isRelayed(): boolean {
    return this.#isRelayed;
  }

  /** Whether there is no way at all: none directly, and none through the server. */
  get isClosed(): boolean {
    return this.#place?.relay === true && !this.#canRelay;
  }

  /** When the time began after which what waits is given up, in milliseconds. */
  get waitsSince(): number {
    return this.#relayedAt ?? this.#progressAt;
  }

  get #canRelay(): boolean {
    return this.#isRelayAllowed && !this.#place?.norelay;
  }

  /** Whether no answer can come directly: none from where no datagram comes, and none of a classic program. */
  get #isMute(): boolean {
    return this.#place?.relay === true || this.#place?.classic === true;
  }

  /** When {@linkcode wake} or {@linkcode takeCheck} is to be called, in milliseconds; undefined for never. */
  nextWake(isWaiting: boolean): number | undefined {
    return earliest([this.#copies.dueAt, ...(isWaiting ? [this.#changesAt, this.#deadline] : [])]);
  }

  /** Notes that something begins to wait. The peer may be elsewhere by now. */
  begin(now: number): void {
    this.#isLocated = false;
    this.#progressAt = now;
    this.#sentAt = this.#relayedAt = undefined;
    if (!this.#isOpen(now)) this.#elsewhere = undefined;
  }

  /**
   * Takes what the server says; returns whether what waits is due again at once, at another place or by another way.
   *
   * @param isSilent Whether there is a reason to believe that it does not answer directly, if it is new there.
   */
  locate(place: Reachable, now: number, isSilent = false): boolean {
    const before = this.#place, wasRelayed = this.#isRelayed, wasMute = this.#isMute;
    const isOther = place.address !== before?.address || place.pass !== before.pass;
    if (!this.#isLocated) this.#progressAt = now;
    this.#place = place;
    this.#isLocated = true;
    if (isOther || this.#isMute) this.#elsewhere = this.#checkElsewhere = undefined;
    if (this.#isMute || isOther || wasMute || !this.#canRelay) {
      this.#isRelayed = this.#canRelay && (this.#isMute || isOther && isSilent);
    }
    const isChanged = isOther || wasRelayed !== this.#isRelayed;
    if (isChanged) this.#tryAnew();
    if (this.#isRelayed) this.#relayedAt ??= now;
    const isDoubtful = this.#isRelayed && !this.#isMute;
    if (isDoubtful && now >= this.#checkedAt + CHECK_PAUSE_MS) {
      this.#checkedAt = now;
      this.#check = newCheck(place.address);
      this.#copies.start(now);
    }
    return isChanged;
  }

  /** Allows the way through the server, or takes it away; returns whether what waits is due again at once. */
  allowRelay(isAllowed: boolean, now: number): boolean {
    this.#isRelayAllowed = isAllowed;
    if (isAllowed || !this.#isRelayed) return false;
    this.#isRelayed = false;
    this.#progressAt = now;
    this.#relayedAt = undefined;
    this.#tryAnew();
    return true;
  }

  /** Notes that a packet went directly. */
  sent(now: number): void {
    this.#sentAt ??= now;
  }

  /** Notes that something was acknowledged for the first time, by either way. */
  progressed(now: number): void {
    this.#progressAt = now;
    this.#relayedAt = this.#isRelayed ? now : undefined;
  }

  /** Notes that an acknowledgement of a message came directly; returns whether what waits is due again at once. */
  heard(now: number): boolean {
    return !this.#isMute && this.#open(this.#elsewhere, now);
  }

  /** The address that a check with an id went to; undefined if it is not the last one there. */
  checked(id: number): string | undefined {
    return [this.#check, this.#checkElsewhere].find((check) => check?.id === id)?.to;
  }

  /** Notes that an address has answered a check; returns whether what waits is due again at once. */
  answered(address: string, now: number): boolean {
    this.#check = this.#checkElsewhere = undefined;
    if (this.#isMute || !this.#place) return false;
    return this.#open(address === this.#place.address ? undefined : address, now);
  }

  /** Whether it is worth a check that a packet of the peer has come directly from an address. */
  wantsCheck(from: string, now: number): boolean {
    if (this.#isMute || !this.#place) return false;
    // a check of the server's address is under way already
    if (from === this.#place.address && this.#copies.dueAt !== undefined) return false;
    return this.#isRelayed || from !== this.address && !this.#isOpen(now);
  }

  /** Makes a check of the address that a packet of the peer has come from directly; returns its id. */
  check(from: string): number {
    this.#checkElsewhere = newCheck(from);
    return this.#checkElsewhere.id;
  }

  /**
   * Leaves an address that has fallen silent, if that is due: for the way through the server, or for the address that the
   * server has named. Returns whether it has, so that what waits is due again.
   */
  wake(now: number): boolean {
    const at = this.#changesAt;
    if (at === undefined || now < at) return false;
    this.#heardAt = -Infinity;
    this.#elsewhere = undefined;
    if (this.#canRelay) {
      this.#isRelayed = true;
      this.#relayedAt ??= now;
    }
    return true;
  }

  /** Whether there was no progress for so long that what waits is given up. */
  isOver(now: number): boolean {
    return now >= this.#deadline;
  }

  /** The id of a check that is to be sent to the server's address now; undefined when none is. */
  takeCheck(now: number): number | undefined {
    if (!this.#copies.isDue(now)) return undefined;
    const pause = COPY_PAUSES_MS[this.#copies.times];
    if (pause === undefined) this.#copies.stop();
    else this.#copies.tried(now + pause);
    return this.#check?.id;
  }

  #open(elsewhere: string | undefined, now: number): boolean {
    this.#heardAt = now;
    if (!this.#isRelayed && elsewhere === this.#elsewhere) return false;
    this.#isRelayed = false;
    this.#elsewhere = elsewhere;
    this.#tryAnew();
    return true;
  }

  #isOpen(now: number): boolean {
    return now < this.#heardAt + OPEN_FOR_MS;
  }

  #tryAnew(): void {
    this.#sentAt = undefined;
    this.#check = undefined;
    this.#copies.stop();
  }

  get #changesAt(): number | undefined {
    if (this.#isRelayed || !this.#isLocated) return undefined;
    const silentAt = this.#sentAt === undefined ? undefined : Math.max(this.#sentAt, this.#heardAt) + SILENCE_MS;
    if (!this.#canRelay) return this.#elsewhere === undefined ? undefined : silentAt;
    // however often the place changes, or whatever the peer answers
    const lateAt = this.#relayedAt === undefined ? this.#progressAt + DIRECT_DEADLINE_MS : undefined;
    return earliest([silentAt, lateAt]);
  }

  get #deadline(): number {
    if (!this.#isLocated) return this.#progressAt + LOOK_UP_DEADLINE_MS;
    return this.#relayedAt === undefined
      ? this.#progressAt + DIRECT_DEADLINE_MS
      : this.#relayedAt + RELAYED_DEADLINE_MS;
  }
}
