/**
 * The streams that one sender has used last: a program that starts anew takes a new one.
 *
 * @module
 */
import { type MessagePacket, ReceiveStream } from "./receive_stream.ts";

/** How many streams of one sender are remembered. */
const MAX_STREAMS = 4;

/** The receiving ends of the last few streams of one sender. */
export class ReceiveStreams<M extends MessagePacket = MessagePacket> {
  readonly #streams: Map<string, ReceiveStream<M>>;

  /** @param begun What {@linkcode begun} has said of the same sender before. */
  constructor(begun: readonly (readonly [name: string, next: number])[] = []) {
    this.#streams = new Map(begun.map(([name, next]) => [name, new ReceiveStream<M>(name, next)]));
  }

  /** From which streams messages were taken, and which id each waits for. */
  get begun(): [name: string, next: number][] {
    return [...this.#streams.values()].filter(({ isBegun }) => isBegun).map(({ name, next }) => [name, next]);
  }

  /** How many messages are held in all of them. */
  get heldCount(): number {
    let count = 0;
    for (const stream of this.#streams.values()) count += stream.heldCount;
    return count;
  }

  /** Drops all that is held in them, as if it had not come. */
  dropHeld(): void {
    for (const stream of this.#streams.values()) stream.dropHeld();
  }

  /** The stream of a message; undefined if it is new, or was forgotten. */
  get({ stream: name }: MessagePacket): ReceiveStream<M> | undefined {
    return this.#streams.get(name);
  }

  /** The stream of a message, which is begun if it is new. The one that was begun first may be forgotten for it. */
  of(message: MessagePacket): ReceiveStream<M> {
    const known = this.get(message);
    if (known) return known;
    const stream = new ReceiveStream<M>(message.stream);
    this.#streams.set(stream.name, stream);
    if (this.#streams.size > MAX_STREAMS) this.#streams.delete(this.#streams.keys().next().value!);
    return stream;
  }
}
