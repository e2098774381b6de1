/**
 * Remembers which messages through the server were paid for, so that their repeats cost their sender no further token:
 * on a bad network each goes out several times.
 *
 * @module
 */
import { SEND_WINDOW } from "../../protocol.ts";
import { detach } from "../../protocol/text.ts";
import { BoundedMap } from "./bounded_map.ts";
import type { Member } from "./members.ts";

/** The stream that one member uses to another, and the last messages of it that were paid for. */
interface Paid {
  stream: string;
  /** The greatest id that was paid for. */
  top: number;
  /** Bit n is set if the message with the id `top - n` was paid for. As many are under way at most as there are bits. */
  bits: number;
}

/** A window of the last ids for each pair, as that against replays in IPsec (RFC 4303, section 3.4.3). */
export class PaidMessages {
  /** By the tokens of the sender and the receiver. */
  readonly #pairs = new BoundedMap<Paid>();

  /** Whether a message was paid for. One that is too far behind the others counts as one that was not. */
  has(from: Pick<Member, "token">, to: Pick<Member, "token">, stream: string, id: number): boolean {
    const paid = this.#pairs.get(`${from.token} ${to.token}`);
    if (paid?.stream !== stream) return false;
    const behind = paid.top - id;
    return behind >= 0 && behind < SEND_WINDOW && (paid.bits >>> behind & 1) === 1;
  }

  /** Notes that a message is paid for. */
  add(from: Pick<Member, "token">, to: Pick<Member, "token">, stream: string, id: number): void {
    const pair = `${from.token} ${to.token}`, known = this.#pairs.get(pair);
    const paid = known?.stream === stream ? known : { stream: detach(stream), top: id, bits: 0 };
    const ahead = id - paid.top;
    if (ahead > 0) {
      paid.top = id;
      paid.bits = ahead < SEND_WINDOW ? paid.bits << ahead : 0;
    }
    const behind = paid.top - id;
    if (behind < SEND_WINDOW) paid.bits |= 1 << behind;
    this.#pairs.set(pair, paid);
  }
}
