/**
 * Whether datagrams go back and forth between this client and one peer directly. It is found out by checks, which only
 * whoever gets them can answer, and goes on being checked for as long as the path is used: what has answered a moment
 * ago may be cut, and a way that was shut may open (consent freshness, RFC 7675; connectivity checks, RFC 8445, section
 * 7).
 *
 * @module
 */
import { earliest } from "../../protocol/earliest.ts";
import { type Check, newCheck } from "./check.ts";

/** For how long a path that was never proven is taken for open, in milliseconds. */
const FIRST_SILENCE_MS = 1000;
/** The same for one that was proven, since the last time: four checks that all get lost. */
const SILENCE_MS = 2000;
/** The pauses after the first checks, and after each further one: while there are answers or it may soon be open; later. */
const CHECK_PAUSES_MS = [200, 300];
const CHECK_PAUSE_MS = 500;
const SHUT_CHECK_PAUSE_MS = 3000;
/** For how long without an answer the pauses stay short, in milliseconds. */
const HURRY_MS = 10_000;
/** How many checks may still be answered. */
const MAX_OPEN_CHECKS = 8;

/** The direct path to one peer. */
export class DirectPath {
  /** The address that the server has named; undefined while there is no direct way by the server's word. */
  #named: string | undefined;
  /** Another one that has answered. */
  #elsewhere: string | undefined;
  /** From where else a packet of the peer has come, and is to be checked once. */
  #candidate: string | undefined;
  /** Since when it is used, and when it was last proven, in milliseconds. */
  #begunAt = -Infinity;
  #provenAt = -Infinity;
  #checks: Check[] = [];
  #checkCount = 0;
  #checksAt: number | undefined;
  /** When {@linkcode takeChecks} was last called, in milliseconds. */
  #wokenAt = -Infinity;

  /** Where datagrams go; undefined if there is no direct way. */
  get address(): string | undefined {
    return this.#elsewhere ?? this.#named;
  }

  /** When {@linkcode takeChecks} is to be called, or the path falls silent, in milliseconds; undefined for never. */
  get nextWake(): number | undefined {
    if (this.#named === undefined) return undefined;
    return earliest([this.#checksAt, this.silentAt > this.#wokenAt ? this.silentAt : undefined]);
  }

  /** Takes the server's word on where the peer is; undefined if it says that there is no direct way there. */
  name(address: string | undefined, now: number): void {
    if (address === this.#named) return;
    this.#named = address;
    this.#elsewhere = this.#candidate = undefined;
    this.#checks = [];
    this.#begunAt = now;
    this.#provenAt = -Infinity;
    this.#checkCount = 0;
    this.#checksAt = address === undefined ? undefined : now;
  }

  /** Since when nothing has shown that datagrams arrive, or from when on nothing will have, in milliseconds. */
  get silentAt(): number {
    return Math.max(this.#begunAt + FIRST_SILENCE_MS, this.#provenAt + SILENCE_MS);
  }

  /** Whether nothing has shown for a while that datagrams arrive. */
  isSilent(now: number): boolean {
    return this.#named === undefined || now >= this.silentAt;
  }

  /** Notes that something that went directly has been answered. */
  prove(now: number): void {
    this.#provenAt = now;
  }

  /** Whether it is worth a check that a packet of the peer has come from an address. */
  wants(from: string, now: number): boolean {
    if (this.#named === undefined || from === this.address || from === this.#candidate) return false;
    // while an address answers there is no need of another
    return this.isSilent(now) || this.#provenAt <= this.#begunAt;
  }

  /** Notes from where a packet has come directly that is worth a check: a NAT may give another address than the server sees. */
  heard(from: string, now: number): void {
    this.#checksAt = now;
    this.#candidate = from;
  }

  /** The checks that are to be sent now. */
  takeChecks(now: number): Check[] {
    this.#wokenAt = now;
    if (this.#checksAt === undefined || now < this.#checksAt) return [];
    const isHurried = now < Math.max(this.#begunAt, this.#provenAt) + HURRY_MS;
    const pause = CHECK_PAUSES_MS[this.#checkCount++] ?? (isHurried ? CHECK_PAUSE_MS : SHUT_CHECK_PAUSE_MS);
    this.#checksAt = now + pause;
    const to = new Set([this.address!, ...(this.#candidate === undefined ? [] : [this.#candidate])]);
    // the server's address may answer again, too
    if (this.isSilent(now)) to.add(this.#named!);
    this.#candidate = undefined;
    const checks = [...to].map(newCheck);
    this.#checks = [...this.#checks, ...checks].slice(-MAX_OPEN_CHECKS);
    return checks;
  }

  /** Takes the answer to a check; returns whether it is one of the last. */
  answered(id: number, now: number): boolean {
    const check = this.#checks.find((check) => check.id === id);
    if (!check) return false;
    this.#checks = this.#checks.filter((other) => other !== check);
    this.#elsewhere = check.to === this.#named ? undefined : check.to;
    this.#provenAt = now;
    return true;
  }
}
