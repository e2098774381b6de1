/**
 * The receiving end of a stream: puts the messages of one sender in order and delivers each once.
 *
 * @module
 */
import { SEND_WINDOW, type V1Packet } from "../packets.ts";
import { detach } from "../text.ts";

/** A MESSAGE that was received. */
export type MessagePacket = Extract<V1Packet, { type: "MESSAGE" }>;

/**
 * Takes a sender's messages in any order and any number of times, and delivers each once, in the order of the ids.
 *
 * It holds back early messages, at most {@linkcode SEND_WINDOW} of them. The sender repeats the messages that are
 * dropped here.
 */
export class ReceiveStream {
  readonly name: string;
  /** The id that is waited for. All messages before it have been delivered, or their sender has settled them. */
  next: number;
  readonly #early = new Map<number, MessagePacket>();

  /** @param next The id behind the last that was taken from this stream before. */
  constructor(name: string, next = 1) {
    this.name = detach(name);
    this.next = next;
  }

  /** How many messages are held back because one before them is missing. */
  get heldCount(): number {
    return this.#early.size;
  }

  /** Whether the message was delivered before. The sender repeats it when it has got no acknowledgement. */
  isRepeat(message: MessagePacket): boolean {
    return message.id < this.next;
  }

  /** Whether the message is held back already, because one before it is missing. */
  isHeld({ id }: MessagePacket): boolean {
    return this.#early.has(id);
  }

  /**
   * Takes a message, and returns the messages that can be delivered now.
   *
   * @param mayHold Whether the message may be held back when one before it is missing.
   */
  take(message: MessagePacket, mayHold = true): MessagePacket[] {
    this.#skipTo(message.first ?? message.id);
    if (this.isRepeat(message)) return [];
    if (message.id >= this.next + SEND_WINDOW) return [];
    if (message.id > this.next && !mayHold) return [];
    this.#early.set(message.id, message);
    return this.#takeReady();
  }

  /** Waits for `first`, if that is further on: the sender has settled the messages before it, and sends none again. */
  #skipTo(first: number): void {
    if (first <= this.next) return;
    for (const id of this.#early.keys()) if (id < first) this.#early.delete(id);
    this.next = first;
  }

  #takeReady(): MessagePacket[] {
    const ready: MessagePacket[] = [];
    for (let message; (message = this.#early.get(this.next)); this.next++) {
      this.#early.delete(this.next);
      ready.push(message);
    }
    return ready;
  }
}
