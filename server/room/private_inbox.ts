/**
 * Private messages from version 1 members to members that do not speak version 1: these have a connection, or speak
 * classic. The server takes the messages in their stead.
 *
 * @module
 */
import { linesOf, privateLine } from "../../protocol/lines.ts";
import type { MessagePacket } from "../../protocol/reliable/receive_stream.ts";
import { ReceiveStreams } from "../../protocol/reliable/receive_streams.ts";
import { printable } from "../../protocol/text.ts";
import type { Delivery } from "./delivery.ts";
import type { Ignored } from "./ignored.ts";
import type { Limits } from "./limits.ts";
import type { Member } from "./members.ts";

/** What the inbox needs of the room. */
export interface PrivateInboxContext {
  delivery: Delivery;
  limits: Limits;
  ignored: Ignored;
  /** Notes that a member reads what another has written to it. */
  shown: (from: Member, to: Member) => void;
}

/** A direct message with the pass of its pair. */
type DirectMessage = MessagePacket & { token?: undefined; pass: string };

/** Of how many pairs it is remembered what was shown: one that was forgotten may be shown a late repeat again. */
const MAX_PAIRS = 10_000;
/** The most messages that may be held, over all members. Further ones are dropped, and their senders repeat them. */
const MAX_HELD = 1000;

/** Shows each message once, in the order of its sender, and acknowledges it. */
export class PrivateInbox {
  readonly #context: PrivateInboxContext;
  /** By the passes of the pairs, the one that was longest without a new message first. */
  readonly #pairs = new Map<string, ReceiveStreams>();
  /** How many messages are held, over all members. */
  #held = 0;

  constructor(context: PrivateInboxContext) {
    this.#context = context;
  }

  /** Takes a message whose pass was checked. It may be dropped: its sender repeats what is not acknowledged. */
  receive(message: DirectMessage, from: Member, to: Member, now: number): void {
    const { limits, ignored } = this.#context;
    const known = this.#pairs.get(message.pass)?.get(message);
    // one to a single member must not be cheaper than one to all; a repeat shows nothing
    const isNew = !known || !known.isRepeat(message) && !known.isHeld(message);
    if (isNew && !limits.takeMessageTokenNow(from, now)) return ignored.count("fast-messages");
    const stream = isNew ? this.#take(message, from, to) : known;
    if (stream.next === 1) return;
    const { pass, stream: name } = message, { token } = from, { address } = to;
    const packet = { dialect: "v1", type: "ACK", pass, stream: name, id: stream.next - 1 } as const;
    this.#context.delivery.send(from, { dialect: "v1", type: "RELAY", token, address, packet });
  }

  #take(message: DirectMessage, from: Member, to: Member) {
    const streams = this.#streamsOf(message.pass), before = streams.heldCount;
    const stream = streams.of(message);
    stream.hold(message);
    for (let next; (next = stream.takeNext());) this.#show(next, from, to);
    this.#held += streams.heldCount - before;
    if (this.#held > MAX_HELD && stream.isHeld(message)) {
      stream.drop(message);
      this.#held--;
      this.#context.ignored.count("queue-full");
    }
    return stream;
  }

  /** The streams of a pair, which is now the last to be forgotten. */
  #streamsOf(pass: string): ReceiveStreams {
    const streams = this.#pairs.get(pass) ?? new ReceiveStreams();
    this.#pairs.delete(pass);
    this.#pairs.set(pass, streams);
    if (this.#pairs.size > MAX_PAIRS) {
      const [[first, { heldCount }]] = this.#pairs;
      this.#pairs.delete(first);
      this.#held -= heldCount;
    }
    return streams;
  }

  #show({ text, action }: MessagePacket, from: Member, to: Member): void {
    const { address, name } = from;
    this.#context.shown(from, to);
    for (const line of linesOf({ from: address, name, action, text: printable(text) }, privateLine)) {
      this.#context.delivery.send(to, { dialect: "classic", type: "INCOMING", line });
    }
  }
}
