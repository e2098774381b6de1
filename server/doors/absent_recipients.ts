/**
 * The recipients that are set aside because nobody is at their addresses.
 *
 * @module
 */
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import type { Recipient } from "../room/delivery.ts";
import { hostnameOf, type Neighbours } from "./neighbours.ts";

/**
 * How many neighbours a second are tried again, and how long after the last time, in milliseconds. Those that were once
 * there have turns of their own: addresses that somebody has forged must not keep them waiting.
 */
const TRY_AGAIN_RATE: TokenBucketOptions = { rate: 4, burst: 4 };
const TRY_AGAIN_MS = 5000;

/** A neighbour that is not there, and the recipients that have its IP address. */
interface AbsentNeighbour {
  readonly recipients: Set<Recipient>;
  /** When something was last sent to one of them, in milliseconds. */
  triedAt: number;
}

/** Neighbours that are tried again in their turn; the one that was tried longest ago comes first. */
class Turns {
  readonly neighbours = new Map<string, AbsentNeighbour>();
  readonly #bucket: TokenBucket;

  constructor(now: number) {
    this.#bucket = new TokenBucket(TRY_AGAIN_RATE, now);
  }

  /** Takes one recipient of each neighbour whose turn it is. */
  take(now: number, except: Recipient | undefined): Recipient[] {
    const due: Recipient[] = [];
    for (const [hostname, neighbour] of this.neighbours) {
      if (now < neighbour.triedAt + TRY_AGAIN_MS || this.#bucket.take(TRY_AGAIN_RATE, now) > 0) break;
      neighbour.triedAt = now;
      this.neighbours.delete(hostname);
      this.neighbours.set(hostname, neighbour);
      for (const recipient of neighbour.recipients) {
        if (recipient === except) continue;
        due.push(recipient);
        break;
      }
    }
    return due;
  }
}

/** The absent recipients of one dialect. */
export class AbsentRecipients {
  readonly #neighbours: Neighbours;
  /** The neighbours that were once there, and the others. */
  readonly #known: Turns;
  readonly #unknown: Turns;
  #size = 0;

  constructor(neighbours: Neighbours, now: number) {
    this.#neighbours = neighbours;
    this.#known = new Turns(now);
    this.#unknown = new Turns(now);
  }

  get size(): number {
    return this.#size;
  }

  list(): Recipient[] {
    return this.#all().flatMap(([, { recipients }]) => [...recipients]);
  }

  add(recipient: Recipient, now: number): void {
    const hostname = hostnameOf(recipient.address);
    // who is validated was there when it joined
    const isKnown = recipient.validated || this.#neighbours.wasPresent(hostname);
    const { neighbours } = isKnown ? this.#known : this.#unknown;
    let neighbour = neighbours.get(hostname);
    if (!neighbour) neighbours.set(hostname, neighbour = { recipients: new Set(), triedAt: now });
    neighbour.recipients.add(recipient);
    this.#size++;
  }

  /** Removes a recipient; returns whether it was here. */
  delete(recipient: Recipient): boolean {
    const hostname = hostnameOf(recipient.address);
    for (const { neighbours } of [this.#known, this.#unknown]) {
      const neighbour = neighbours.get(hostname);
      if (!neighbour?.recipients.delete(recipient)) continue;
      if (neighbour.recipients.size === 0) neighbours.delete(hostname);
      this.#size--;
      return true;
    }
    return false;
  }

  /** Takes all recipients that are there again. */
  takePresent(): Recipient[] {
    const present = this.#all().filter(([hostname]) => this.#neighbours.isPresent(hostname));
    const recipients = present.flatMap(([, { recipients }]) => [...recipients]);
    for (const recipient of recipients) this.delete(recipient);
    return recipients;
  }

  /** Takes those whose turn it is to be tried again. When something is sent there, the system looks for them anew. */
  takeTurns(now: number, except?: Recipient): Recipient[] {
    return [...this.#known.take(now, except), ...this.#unknown.take(now, except)];
  }

  #all(): [hostname: string, AbsentNeighbour][] {
    return [...this.#known.neighbours, ...this.#unknown.neighbours];
  }
}
