/**
 * Opens this side's NAT for the datagrams of members that want to send something, and shows them from where it sends.
 *
 * @module
 */
import { addressKey } from "../../protocol/address_key.ts";
import type { Fact, PunchPacket, Timed } from "./facts.ts";
import type { Send } from "./self.ts";

/**
 * The shortest time from one OPEN to the next, in milliseconds. RFC 8445, section 14.2, recommends 50 for the checks of
 * ICE; but a class of 200 that writes to its teacher at once must be let in before it gives up, within 5 s.
 */
const PAUSE_MS = 10;
/** How many addresses may wait for their turn in each queue. The server repeats a PUNCH for as long as it is needed. */
const MAX_WAITING = 256;
/** For how long after an OPEN no further one goes to the same address, in milliseconds: its way is open already. */
const OPEN_FOR_MS = 1000;
/** Of how many addresses it is remembered when the last OPEN went there: more than are sent in that time. */
const MAX_OPENED = 1024;

/** A member that the server has named. */
type Target = Pick<PunchPacket, "address" | "pass">;

/**
 * Sends an OPEN to each address that the server names, one after the other.
 *
 * Those that have written before and the others have a queue each, and the queues take turns: in a flood of strangers
 * the known ones do not wait, and the other way round. In each queue an IP address has one place, whatever the port.
 */
export class Punches implements Timed {
  readonly #send: Send;
  /** The addresses that wait, with their passes, by the part of them that counts as one place. */
  readonly #known = new Map<string, Target>();
  readonly #strangers = new Map<string, Target>();
  /** When the last OPEN went to an address, in milliseconds, the one that was opened first before the others. */
  readonly #openedAt = new Map<string, number>();
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
   * Takes an address that datagrams will come from, with the pass of who is there.
   *
   * @param isKnown Whether who is there has written before.
   */
  add({ address, pass }: Target, isKnown: boolean, now: number): void {
    const queue = isKnown ? this.#known : this.#strangers, place = addressKey(address);
    if (queue.size >= MAX_WAITING || queue.has(place)) return;
    // otherwise whoever looks this client up again and again would always have the place of its IP address
    if (now < (this.#openedAt.get(address) ?? -Infinity) + OPEN_FOR_MS) return;
    queue.set(place, { address, pass });
    this.wake(now);
  }

  wake(now: number): Fact[] {
    if (now < this.#sentAt + PAUSE_MS) return [];
    const [first, second] = this.#wasKnown ? [this.#strangers, this.#known] : [this.#known, this.#strangers];
    const queue = first.size > 0 ? first : second;
    for (const [place, { address, pass }] of queue) {
      queue.delete(place);
      this.#wasKnown = queue === this.#known;
      this.#sentAt = now;
      this.#openedAt.delete(address);
      this.#openedAt.set(address, now);
      if (this.#openedAt.size > MAX_OPENED) this.#openedAt.delete(this.#openedAt.keys().next().value!);
      // this datagram carries no message: it opens this side's NAT for the peer's datagrams (RFC 5128, section 3.3). By
      // the pass the peer knows who it comes from, if the NAT has given this address another port than the server sees
      this.#send({ dialect: "v1", type: "OPEN", pass }, address);
      break;
    }
    return [];
  }
}
