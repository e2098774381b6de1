/**
 * The way to one peer: directly, or through the server where nothing comes back or the server says that there is no
 * direct way. While it is the server's for want of an answer, the direct way is checked again from time to time.
 *
 * @module
 */
import { earliest } from "../../protocol/earliest.ts";
import { Retry } from "../../protocol/reliable/retry.ts";
import type { PeerPacket } from "./facts.ts";

/** Where a peer is, and what the server says of the way there. */
export type Peer = Pick<PeerPacket, "address" | "relay" | "norelay" | "transport">;

/** The same of a peer that can be written to. */
export type Place = Peer & { pass: string };

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

/** The way to one peer. Its user sends, and tells what came back. */
export class Way {
  #isForbidden: boolean;
  #place: Place | undefined;
  /** Whether the server has said where the peer is since something began to wait. */
  #isLocated = false;
  #isRelayed = false;
  /** When something began to wait, the server first said where the peer is, or something was acknowledged, whichever is latest. */
  #progressAt = -Infinity;
  /** When the first packet of those that wait went directly, since that was tried anew. */
  #sentAt: number | undefined;
  /** When the last packet came directly. */
  #heardAt = -Infinity;
  /** When the way first became the server's since {@linkcode #progressAt}. */
  #relayedAt: number | undefined;
  #checkId = 0;
  #checkedAt = -Infinity;
  readonly #copies = new Retry();

  /** @param isForbidden Whether nothing may go through the server. */
  constructor(isForbidden: boolean) {
    this.#isForbidden = isForbidden;
  }

  /** Where the server has last said that the peer is. */
  get place(): Place | undefined {
    return this.#place;
  }

  /** Whether that was said since something began to wait. */
  get isLocated(): boolean {
    return this.#isLocated;
  }

  /** Whether packets go through the server. */
  get isRelayed(): boolean {
    return this.#isRelayed;
  }

  /** Whether there is no way at all: none directly, and none through the server. */
  get isClosed(): boolean {
    return this.#place?.relay === true && !this.#mayRelay;
  }

  /** From when the time counts after which what waits is given up, in milliseconds. */
  get waitsSince(): number {
    return this.#relayedAt ?? this.#progressAt;
  }

  get #mayRelay(): boolean {
    return !this.#isForbidden && !this.#place?.norelay;
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
  }

  /** Takes what the server says; returns whether what waits is due again at once, at another place or by another way. */
  locate(place: Place, now: number): boolean {
    const before = this.#place, wasRelayed = this.#isRelayed;
    const isOther = place.address !== before?.address || place.pass !== before.pass;
    if (!this.#isLocated) this.#progressAt = now;
    this.#place = place;
    this.#isLocated = true;
    if (place.relay || isOther || before?.relay || !this.#mayRelay) {
      this.#isRelayed = place.relay === true && this.#mayRelay;
    }
    const isChanged = isOther || wasRelayed !== this.#isRelayed;
    if (isChanged) this.#tryAnew();
    if (this.#isRelayed) this.#relayedAt ??= now;
    const isDoubtful = this.#isRelayed && !place.relay;
    if (isDoubtful && now >= this.#checkedAt + CHECK_PAUSE_MS) this.#check(now);
    return isChanged;
  }

  /** Forbids or allows the way through the server; returns whether what waits is due again at once. */
  forbid(isForbidden: boolean, now: number): boolean {
    this.#isForbidden = isForbidden;
    if (!isForbidden || !this.#isRelayed) return false;
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

  /** Notes that a packet of the peer came directly; returns whether what waits is due again at once. */
  heard(now: number): boolean {
    this.#heardAt = now;
    if (!this.#isRelayed || this.#place?.relay) return false;
    this.#isRelayed = false;
    this.#tryAnew();
    return true;
  }

  /** Takes the answer to a check, which came directly; returns whether what waits is due again at once. */
  answered(id: number, now: number): boolean {
    return this.#checkId > 0 && id === this.#checkId && this.heard(now);
  }

  /** Changes to the way through the server when that is due; returns whether it has, so that what waits is due again. */
  wake(now: number): boolean {
    const at = this.#changesAt;
    if (at === undefined || now < at) return false;
    this.#isRelayed = true;
    this.#relayedAt ??= now;
    return true;
  }

  /** Whether there was no progress for so long that what waits is given up. */
  isOver(now: number): boolean {
    return now >= this.#deadline;
  }

  /** The id of a check that is to be sent directly now; undefined when none is. */
  takeCheck(now: number): number | undefined {
    if (!this.#copies.isDue(now)) return undefined;
    const pause = COPY_PAUSES_MS[this.#copies.times];
    if (pause === undefined) this.#copies.stop();
    else this.#copies.tried(now + pause);
    return this.#checkId;
  }

  #check(now: number): void {
    this.#checkedAt = now;
    this.#checkId++;
    this.#copies.start(now);
  }

  #tryAnew(): void {
    this.#sentAt = undefined;
    this.#copies.stop();
  }

  get #changesAt(): number | undefined {
    if (this.#isRelayed || !this.#mayRelay || !this.#isLocated) return undefined;
    const silentAt = this.#sentAt === undefined ? undefined : Math.max(this.#sentAt, this.#heardAt) + SILENCE_MS;
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
