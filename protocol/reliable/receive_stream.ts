/**
 * The receiving end of a stream: puts the messages of one sender in order and gives each once.
 *
 * @module
 */
import { SEND_WINDOW, type V1Packet } from "../packets.ts";
import { detach } from "../utf8.ts";

/** A MESSAGE that was received. */
export type MessagePacket = Extract<V1Packet, { type: "MESSAGE" }>;

/**
 * Takes a sender's messages in any order and any number of times, and gives each once, in the order of the ids, when
 * its user wants the next one.
 *
 * It holds what was not taken yet, at most {@linkcode SEND_WINDOW} messages, with whatever its user has added to them.
 * The sender repeats those that are dropped here.
 */
export class ReceiveStream<M extends MessagePacket = MessagePacket> {
  readonly name: string;
  /** The id that is waited for. All messages before it have been taken, or their sender has settled them. */
  next: number;
  /** Whether any message was taken from it, so that there is something to acknowledge. */
  isBegun: boolean;
  readonly #held = new Map<number, M>();
  /** Ids that were refused and that a late copy may still have; undefined if there are none. */
  #refused: Set<number> | undefined;

  /** @param next The id behind the last that was taken from this stream before. */
  constructor(name: string, next = 1) {
    this.name = detach(name);
    this.next = next;
    this.isBegun = next > 1;
  }

  /** How many messages are held. */
  get heldCount(): number {
    return this.#held.size;
  }

  /** Whether the next message is here, so that {@linkcode takeNext} gives it. */
  get isReady(): boolean {
    return this.#held.has(this.next);
  }

  /** Whether the message was taken before. The sender repeats it when it has got no acknowledgement. */
  isRepeat(message: MessagePacket): boolean {
    return message.id < this.next;
  }

  /** Whether the message is held already. */
  isHeld({ id }: MessagePacket): boolean {
    return this.#held.has(id);
  }

  /** Holds a message until it is taken. Drops one that is here already, was taken, or is too early. */
  hold(message: M): void {
    this.#skipTo(message.first ?? message.id);
    const isTooEarly = message.id >= this.next + SEND_WINDOW;
    if (!isTooEarly && !this.isRepeat(message) && !this.isHeld(message)) this.#held.set(message.id, message);
  }

  /** Takes the message whose turn it is; undefined when it is not here. */
  takeNext(): M | undefined {
    const message = this.#held.get(this.next);
    if (!message) return undefined;
    this.#held.delete(this.next++);
    this.isBegun = true;
    return message;
  }

  /** Drops a message that is held, as if it had not come. */
  drop({ id }: MessagePacket): void {
    this.#held.delete(id);
  }

  /** All that is held, in the order in which it came. */
  get held(): M[] {
    return [...this.#held.values()];
  }

  /** Drops a message whose sender is told that it is not taken: it is not taken from a late copy either. */
  refuse({ id, first = id }: MessagePacket): void {
    this.#skipTo(first);
    this.#held.delete(id);
    // no honest sender is further on
    if (id < this.next + SEND_WINDOW) (this.#refused ??= new Set()).add(id);
  }

  /** Whether the message was refused. */
  isRefused({ id }: MessagePacket): boolean {
    return this.#refused?.has(id) ?? false;
  }

  /** Drops all that is held, as if it had not come. */
  dropHeld(): void {
    this.#held.clear();
  }

  /** Waits for `first`, if that is further on: the sender has settled the messages before it, and sends none again. */
  #skipTo(first: number): void {
    if (first <= this.next) return;
    for (const id of this.#held.keys()) if (id < first) this.#held.delete(id);
    for (const id of this.#refused ?? []) if (id < first) this.#refused!.delete(id);
    if (this.#refused?.size === 0) this.#refused = undefined;
    this.next = first;
  }
}
