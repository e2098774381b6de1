/**
 * Remembers which messages through the server were charged for, so that their repeats cost their sender no further
 * token: on a bad network each goes out several times.
 *
 * @module
 */
import { SEND_WINDOW } from "../../protocol.ts";
import { detach } from "../../protocol/text.ts";
import { BoundedMap } from "./bounded_map.ts";
import type { Member } from "./members.ts";

/** The stream that one member uses to another, and the last messages of it that were charged for. */
interface Charged {
  stream: string;
  /** The greatest id that was charged for. */
  top: number;
  /**
   * Bit n is set if the message with the id `top - n` was charged for. At most as many are under way as there are bits.
   */
  bits: number;
}

/** A window of the last ids for each pair, as that against replays in IPsec (RFC 4303, section 3.4.3). */
export class ChargedMessages {
  /** By the tokens of the sender and the receiver. */
  readonly #pairs = new BoundedMap<Charged>();

  /** Whether a message was charged for. One that is too far behind the others counts as one that was not. */
  has(from: Pick<Member, "token">, to: Pick<Member, "token">, stream: string, id: number): boolean {
    const charged = this.#pairs.get(`${from.token} ${to.token}`);
    if (charged?.stream !== stream) return false;
    const behind = charged.top - id;
    return behind >= 0 && behind < SEND_WINDOW && (charged.bits >>> behind & 1) === 1;
  }

  /** Notes that a message is charged for. */
  add(from: Pick<Member, "token">, to: Pick<Member, "token">, stream: string, id: number): void {
    const pair = `${from.token} ${to.token}`, known = this.#pairs.get(pair);
    const charged = known?.stream === stream ? known : { stream: detach(stream), top: id, bits: 0 };
    const ahead = id - charged.top;
    if (ahead > 0) {
      charged.top = id;
      charged.bits = ahead < SEND_WINDOW ? charged.bits << ahead : 0;
    }
    const behind = charged.top - id;
    if (behind < SEND_WINDOW) charged.bits |= 1 << behind;
    this.#pairs.set(pair, charged);
  }
}
