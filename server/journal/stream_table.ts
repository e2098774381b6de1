/**
 * Which member a stream belongs to, and how far it is kept.
 *
 * @module
 */
import { detach } from "../../protocol/text.ts";
import type { KeptStream } from "./journal.ts";

/** How many streams are kept of members that have left: the ones that left last. */
const MAX_ABSENT = 10_000;

/** A stream as the table changes it. */
interface StreamRecord extends KeptStream {
  lastId: number;
  appendedId: number;
}

/**
 * The streams of the members, by name. Each is bound to one token at its first use. So no member can speak in the stream
 * of another, and a repeat is known even when its sender has left and come back.
 */
export class StreamTable {
  readonly #byName = new Map<string, StreamRecord>();
  readonly #byOwner = new Map<string, StreamRecord>();
  /** The owners that have left, in the order in which they left. */
  readonly #absent = new Set<string>();

  get(name: string): KeptStream | undefined {
    return this.#byName.get(name);
  }

  /** Every stream. */
  values(): IterableIterator<KeptStream> {
    return this.#byName.values();
  }

  /**
   * Notes that a message was appended. Binds the stream to the owner, unless it is bound already; then the stream that
   * the owner had before is forgotten.
   *
   * @returns The stream, if it belongs to this owner.
   */
  append(name: string, owner: string, id: number): KeptStream | undefined {
    let stream = this.#byName.get(name);
    if (stream && stream.owner !== owner) return undefined;
    if (!stream) {
      const before = this.#byOwner.get(owner);
      if (before) this.#byName.delete(before.name);
      stream = { name: detach(name), owner, lastId: 0, appendedId: 0 };
      this.#byName.set(stream.name, stream);
      this.#byOwner.set(owner, stream);
    }
    stream.appendedId = Math.max(stream.appendedId, id);
    return stream;
  }

  /** Notes that a message is kept. */
  keep(name: string, id: number): void {
    const stream = this.#byName.get(name);
    if (stream) stream.lastId = Math.max(stream.lastId, id);
  }

  /** Adds a stream of an earlier run of the server. Its owner counts as absent until it joins. */
  restore({ name, owner, lastId }: Pick<KeptStream, "name" | "owner" | "lastId">): void {
    const stream = { name, owner, lastId, appendedId: lastId };
    this.#byName.set(name, stream);
    this.#byOwner.set(owner, stream);
    this.#absent.add(owner);
  }

  ownerJoined(owner: string): void {
    this.#absent.delete(owner);
  }

  /** @returns The owner whose stream is forgotten to make room, if there is one. */
  ownerLeft(owner: string): string | undefined {
    if (!this.#byOwner.has(owner)) return undefined;
    this.#absent.add(owner);
    if (this.#absent.size <= MAX_ABSENT) return undefined;
    const forgotten = this.#absent.values().next().value!;
    this.#absent.delete(forgotten);
    this.#byName.delete(this.#byOwner.get(forgotten)!.name);
    this.#byOwner.delete(forgotten);
    return forgotten;
  }
}
