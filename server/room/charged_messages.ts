/**
 * Remembers which messages through the server were charged for, so that their repeats cost their sender no further
 * token: on a bad network each goes out several times.
 *
 * @module
 */
import { type RelayedPacket, SEND_WINDOW } from "../../protocol.ts";
import { detach } from "../../protocol/utf8.ts";
import { BoundedMap } from "./bounded_map.ts";
import type { Member } from "./members.ts";

/** What the memory needs of a message. Only two members know its pass. */
type Message = Pick<RelayedPacket & { type: "MESSAGE" }, "pass" | "stream" | "id">;

/** The stream that one member uses to another, and the last messages of it that were charged for. */
interface Charged {
  stream: string;
  /** The greatest id that was charged for. */
  top: number;
  /**
   * How often each may be repeated, by the remainder of its id. At most as many are under way as there are remainders.
   */
  left: Uint8Array;
}

/**
 * How often a message may be repeated for what it has cost. A client gives one up before; who repeats one without end
 * pays again.
 */
const MAX_REPEATS = 30;

/** A window of the last ids for each pair, as that against replays in IPsec (RFC 4303, section 3.4.3). */
export class ChargedMessages {
  /** By the pass and the token of the sender. */
  readonly #pairs = new BoundedMap<Charged>();

  /** Whether any message was charged for that this member has sent to the one that shares the pass with it. */
  hasFrom({ token }: Pick<Member, "token">, pass: string): boolean {
    return this.#pairs.get(`${pass} ${token}`) !== undefined;
  }

  /**
   * Takes one of the repeats of a message; returns whether it was charged for and there was one left. One that is too
   * far behind the others counts as one that was not.
   */
  takeRepeat({ token }: Pick<Member, "token">, { pass, stream, id }: Message): boolean {
    const charged = this.#pairs.get(`${pass} ${token}`);
    if (charged?.stream !== stream || id > charged.top || id <= charged.top - SEND_WINDOW) return false;
    const { left } = charged, place = id % SEND_WINDOW;
    if (left[place] === 0) return false;
    left[place]--;
    return true;
  }

  /** Notes that a message is charged for. */
  add({ token }: Pick<Member, "token">, { pass, stream, id }: Message): void {
    const pair = `${pass} ${token}`, known = this.#pairs.get(pair);
    const charged = known?.stream === stream
      ? known
      : { stream: detach(stream), top: id, left: new Uint8Array(SEND_WINDOW) };
    const { left, top } = charged;
    if (id > top + SEND_WINDOW) left.fill(0);
    else for (let skipped = top + 1; skipped <= id; skipped++) left[skipped % SEND_WINDOW] = 0;
    charged.top = Math.max(top, id);
    if (id > charged.top - SEND_WINDOW) left[id % SEND_WINDOW] = MAX_REPEATS;
    this.#pairs.set(pair, charged);
  }
}
