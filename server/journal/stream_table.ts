/**
 * Which member a stream belongs to, and how far it is kept.
 *
 * @module
 */
import { detach } from "../../protocol/text.ts";
import type { KeptStream } from "./journal.ts";

/** How many streams are kept of members that have left: the ones that left last, as far as this run has seen it. */
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
  /** The owners that have left, in the order in which they left; first those of earlier runs. */
  readonly #absent = new Set<string>();

  get(name: string): KeptStream | undefined {
    return this.#byName.get(name);
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
      stream = { name: detach(name), owner, lastId: id - 1, appendedId: id };
      this.#byName.set(stream.name, stream);
      this.#byOwner.set(owner, stream);
    }
    stream.appendedId = Math.max(stream.appendedId, id);
    return stream;
  }

  /** Notes that a message is kept. Nothing happens if its stream has been replaced meanwhile. */
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

  /** @returns The owners whose streams are forgotten to make room. */
  ownerLeft(owner: string): string[] {
    const forgotten: string[] = [];
    if (this.#byOwner.has(owner)) this.#absent.add(owner);
    // after a restart there may be more than one too many
    for (const oldest of this.#absent) {
      if (this.#absent.size <= MAX_ABSENT) break;
      this.#absent.delete(oldest);
      this.#byName.delete(this.#byOwner.get(oldest)!.name);
      this.#byOwner.delete(oldest);
      forgotten.push(oldest);
    }
    return forgotten;
  }
}
