/**
 * Private messages from version 1 members to members that do not speak version 1: these have a connection, or speak
 * classic. The server takes the messages in their stead.
 *
 * @module
 */
import { linesOf, privateLine } from "../../protocol/lines.ts";
import { SEND_WINDOW } from "../../protocol.ts";
import type { MessagePacket, ReceiveStream } from "../../protocol/reliable/receive_stream.ts";
import { ReceiveStreams } from "../../protocol/reliable/receive_streams.ts";
import { printable } from "../../protocol/text.ts";
import type { Delivery } from "./delivery.ts";
import type { Ignored } from "./ignored.ts";
import type { Member } from "./members.ts";
import { Timeline } from "./timeline.ts";

/** What the inbox needs of the room. */
export interface PrivateInboxContext {
  delivery: Delivery;
  ignored: Ignored;
  /** Notes that a member reads what another has written to it. */
  shown: (from: Member, to: Member, now: number) => void;
}

/** A direct message with the pass of its pair. */
type DirectMessage = MessagePacket & { token?: undefined; pass: string };

/** What one member sends to another. */
interface Pair {
  streams: ReceiveStreams;
  /** The two, while messages are held: members that have left are not kept for what was shown. */
  between: { from: Member; to: Member } | undefined;
}

/** Of how many pairs it is remembered what was shown: one that was forgotten may be shown a late repeat again. */
const MAX_PAIRS = 10_000;
/**
 * How many messages may be held for earlier ones: of one pair, of one sender, and of all. Beyond that they are dropped,
 * of all those of the pair that has waited for the longest time; their senders repeat them.
 */
const MAX_HELD_OF_PAIR = SEND_WINDOW, MAX_HELD_OF_SENDER = 100, MAX_HELD = 1000;
/** How long a pair may hold messages while none is shown, in milliseconds: then their sender has given them up. */
const HELD_MS = 10_000;

/** Shows each message once, in the order of its sender, and acknowledges it. */
export class PrivateInbox {
  readonly #context: PrivateInboxContext;
  /** By their passes, the one that was longest without a new message first. */
  readonly #pairs = new Map<string, Pair>();
  /** Those that hold messages, and until when. */
  readonly #holding = new Timeline<Pair>();
  /** How many messages are held, over all members and of each sender. */
  #held = 0;
  readonly #heldOf = new WeakMap<Member, number>();

  constructor(context: PrivateInboxContext) {
    this.#context = context;
  }

  /** When {@linkcode wake} is to be called, in milliseconds of the room's clock; undefined for never. */
  get dueAt(): number | undefined {
    return this.#holding.dueAt;
  }

  /** Drops what was held for too long. */
  wake(now: number): void {
    for (const pair of this.#holding.takeDue(now)) this.#dropHeld(pair);
  }

  /** Drops what is held of and for a member that has left. */
  forget({ key }: Pick<Member, "key">): void {
    for (const pair of this.#holding) {
      const { from, to } = pair.between!;
      if (from.key === key || to.key === key) this.#dropHeld(pair);
    }
  }

  /** Takes a message whose pass was checked. It may be dropped: its sender repeats what is not acknowledged. */
  receive(message: DirectMessage, from: Member, to: Member, now: number): void {
    const known = this.#pairs.get(message.pass)?.streams.get(message);
    const isNew = !known || !known.isRepeat(message) && !known.isHeld(message);
    const stream = isNew ? this.#take(message, from, to, now) : known;
    if (stream.next === 1) return;
    const { pass, stream: name } = message, { token } = from, { address } = to;
    const packet = { dialect: "v1", type: "ACK", pass, stream: name, id: stream.next - 1 } as const;
    this.#context.delivery.send(from, { dialect: "v1", type: "RELAY", token, address, packet });
  }

  #take(message: DirectMessage, from: Member, to: Member, now: number): ReceiveStream {
    const pair = this.#pairOf(message.pass), { streams } = pair, before = streams.heldCount;
    const stream = streams.of(message), { next } = stream;
    stream.hold(message);
    for (let ready; (ready = stream.takeNext());) this.#show(ready, from, to, now);
    pair.between ??= { from, to };
    this.#count(pair, streams.heldCount - before);
    const isTooMuch = streams.heldCount > MAX_HELD_OF_PAIR || this.#heldOf.get(pair.between.from)! > MAX_HELD_OF_SENDER;
    if (isTooMuch && stream.isHeld(message)) {
      stream.drop(message);
      this.#count(pair, -1);
      this.#context.ignored.count("queue-full");
    }
    if (streams.heldCount === 0) this.#dropHeld(pair);
    else if (stream.next > next || !this.#holding.has(pair)) this.#holding.set(pair, now + HELD_MS);
    if (this.#held > MAX_HELD) {
      const [oldest] = this.#holding;
      this.#dropHeld(oldest);
      this.#context.ignored.count("queue-full");
    }
    return stream;
  }

  #dropHeld(pair: Pair): void {
    if (!pair.between) return;
    this.#count(pair, -pair.streams.heldCount);
    pair.streams.dropHeld();
    pair.between = undefined;
    this.#holding.delete(pair);
  }

  #count({ between }: Pair, change: number): void {
    const { from } = between!;
    this.#held += change;
    this.#heldOf.set(from, (this.#heldOf.get(from) ?? 0) + change);
  }

  /** A pair, which is now the last to be forgotten. */
  #pairOf(pass: string): Pair {
    const pair = this.#pairs.get(pass) ?? { streams: new ReceiveStreams(), between: undefined };
    this.#pairs.delete(pass);
    this.#pairs.set(pass, pair);
    if (this.#pairs.size > MAX_PAIRS) {
      const [[forgotten, oldest]] = this.#pairs;
      this.#dropHeld(oldest);
      this.#pairs.delete(forgotten);
    }
    return pair;
  }

  #show({ text, action }: MessagePacket, from: Member, to: Member, now: number): void {
    const { address, name } = from;
    this.#context.shown(from, to, now);
    for (const line of linesOf({ from: address, name, action, text: printable(text) }, privateLine)) {
      this.#context.delivery.send(to, { dialect: "classic", type: "INCOMING", line });
    }
  }
}
