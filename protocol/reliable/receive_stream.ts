/**
 * The run of messages that one member sends: put in order, each passed on once.
 *
 * @module
 */
import { SEND_WINDOW, type V1Packet } from "../packets.ts";
import { detach } from "../text.ts";

/** A MESSAGE as it came from a member. */
export type MessagePacket = Extract<V1Packet, { type: "MESSAGE" }>;

/**
 * Takes a sender's messages in any order and any number of times, and gives each once, in the order of the ids.
 *
 * Those that come early are held back, at most {@linkcode SEND_WINDOW} of them; whatever is dropped here, the sender
 * repeats.
 */
export class ReceiveStream {
  readonly name: string;
  /** The id that is expected next: all before it have been given. */
  next: number;
  readonly #early = new Map<number, MessagePacket>();

  constructor(name: string, next: number) {
    this.name = detach(name);
    this.next = next;
  }

  /** How many messages are held back because one before them is missing. */
  get early(): number {
    return this.#early.size;
  }

  /** Whether the message was given before: its sender has not heard of it yet. */
  isRepeat(message: MessagePacket): boolean {
    return message.id < this.next;
  }

  /** Whether the message is held back already, because one before it is missing. */
  holds({ id }: MessagePacket): boolean {
    return this.#early.has(id);
  }

  /**
   * Takes a message, and returns those that can be given now.
   *
   * @param mayHold Whether the message may be held back, should one before it be missing.
   */
  take(message: MessagePacket, mayHold = true): MessagePacket[] {
    this.#settle(message.first);
    if (this.isRepeat(message)) return [];
    if (message.id >= this.next + SEND_WINDOW) return [];
    if (message.id > this.next && !mayHold) return [];
    this.#early.set(message.id, message);
    return this.#ready();
  }

  /** The sender keeps nothing before `first`, so there is nothing before it to wait for. */
  #settle(first: number): void {
    if (first <= this.next) return;
    // what is held back from before it was acknowledged by nobody, and given up by its sender
    for (const id of this.#early.keys()) if (id < first) this.#early.delete(id);
    this.next = first;
  }

  #ready(): MessagePacket[] {
    const ready: MessagePacket[] = [];
    for (let message; (message = this.#early.get(this.next)); this.next++) {
      this.#early.delete(this.next);
      ready.push(message);
    }
    return ready;
  }
}
