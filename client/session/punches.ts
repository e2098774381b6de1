/**
 * Opens this side's NAT for the datagrams of members that want to send something.
 *
 * @module
 */
import type { Fact, Timed } from "./facts.ts";
import type { Send } from "./v1_link.ts";

/** The shortest time from one OPEN to the next, in milliseconds (Ta of RFC 8445, section 14.2). */
const PAUSE_MS = 50;
/** How many addresses may wait for their turn. The server repeats a PUNCH for as long as it is needed. */
const MAX_WAITING = 32;

/** Sends an OPEN to each address that the server names, one after the other. */
export class Punches implements Timed {
  readonly #send: Send;
  readonly #waiting: string[] = [];
  #sentAt = -Infinity;

  /** @param send Sends a packet to a peer. */
  constructor(send: Send) {
    this.#send = send;
  }

  get nextWake(): number | undefined {
    return this.#waiting.length > 0 ? this.#sentAt + PAUSE_MS : undefined;
  }

  /** Takes an address that datagrams will come from. */
  add(address: string, now: number): void {
    if (this.#waiting.length >= MAX_WAITING || this.#waiting.includes(address)) return;
    this.#waiting.push(address);
    this.wake(now);
  }

  wake(now: number): Fact[] {
    if (this.#waiting.length === 0 || now < this.#sentAt + PAUSE_MS) return [];
    this.#sentAt = now;
    // this datagram carries no message: it opens this side's NAT for the peer's datagrams (RFC 5128, section 3.3)
    this.#send({ dialect: "v1", type: "OPEN" }, this.#waiting.shift()!);
    return [];
  }
}
