/**
 * Opens this side's NAT for the datagrams of members that want to send something.
 *
 * @module
 */
import { addressKey } from "../../protocol/address_key.ts";
import type { Fact, Timed } from "./facts.ts";
import type { Send } from "./v1_link.ts";

/** The shortest time from one OPEN to the next, in milliseconds (Ta of RFC 8445, section 14.2). */
const PAUSE_MS = 50;
/** How many addresses may wait for their turn in each queue. The server repeats a PUNCH for as long as it is needed. */
const MAX_WAITING = 32;

/**
 * Sends an OPEN to each address that the server names, one after the other.
 *
 * Those that have written before and the others have a queue each, and the queues take turns: in a flood of strangers
 * the known ones do not wait, and the other way round. In each queue an IP address has one place, whatever the port.
 */
export class Punches implements Timed {
  readonly #send: Send;
  /** The addresses that wait, by the part of them that counts as one place. */
  readonly #known = new Map<string, string>();
  readonly #strangers = new Map<string, string>();
  #sentAt = -Infinity;
  #wasKnown = false;

  /** @param send Sends a packet to a peer. */
  constructor(send: Send) {
    this.#send = send;
  }

  get nextWake(): number | undefined {
    return this.#known.size + this.#strangers.size > 0 ? this.#sentAt + PAUSE_MS : undefined;
  }

  /**
   * Takes an address that datagrams will come from.
   *
   * @param isKnown Whether who is there has written before.
   */
  add(address: string, isKnown: boolean, now: number): void {
    const queue = isKnown ? this.#known : this.#strangers, place = addressKey(address);
    if (queue.size >= MAX_WAITING || queue.has(place)) return;
    queue.set(place, address);
    this.wake(now);
  }

  wake(now: number): Fact[] {
    if (now < this.#sentAt + PAUSE_MS) return [];
    const [first, second] = this.#wasKnown ? [this.#strangers, this.#known] : [this.#known, this.#strangers];
    const queue = first.size > 0 ? first : second;
    for (const [place, address] of queue) {
      queue.delete(place);
      this.#wasKnown = queue === this.#known;
      this.#sentAt = now;
      // this datagram carries no message: it opens this side's NAT for the peer's datagrams (RFC 5128, section 3.3)
      this.#send({ dialect: "v1", type: "OPEN" }, address);
      break;
    }
    return [];
  }
}
