/**
 * Which member a stream belongs to, and how far it is kept.
 *
 * @module
 */
import { detach } from "../../protocol/utf8.ts";
import type { KeptStream } from "./journal.ts";

/**
 * Of how many members that have left the streams are kept: of those that left last, as far as this run has seen it. Who
 * has said goodbye and who has fallen silent is counted apart, so that a flood of goodbyes does not make the table forget
 * a member that will come back.
 */
const MAX_ABSENT = 10_000;
/**
 * How many streams one owner may have. A program needs one, and another one when that is taken. An owner's earlier
 * streams stay its own: if it could free one, it could speak in the stream of another and then give it back.
 */
const MAX_STREAMS = 8;

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
  /** The names of the streams of each owner. */
  readonly #byOwner = new Map<string, string[]>();
  /** The owners that have fallen silent, in the order in which they left; first those of earlier runs. */
  readonly #silent = new Set<string>();
  /** The owners that have said goodbye, in the same order. */
  readonly #gone = new Set<string>();

  get(name: string): KeptStream | undefined {
    return this.#byName.get(name);
  }

  /** Whether an owner may speak in a stream: it is the owner's, or nobody's and the owner may have another one. */
  isFreeFor(owner: string, name: string): boolean {
    const stream = this.#byName.get(name);
    return stream ? stream.owner === owner : (this.#byOwner.get(owner)?.length ?? 0) < MAX_STREAMS;
  }

  /**
   * Notes that a message was appended. Binds the stream to the owner if it is free.
   *
   * @returns The stream, if it belongs to this owner.
   */
  append(name: string, owner: string, id: number): KeptStream | undefined {
    if (!this.isFreeFor(owner, name)) return undefined;
    let stream = this.#byName.get(name);
    if (!stream) {
      stream = { name: detach(name), owner, lastId: id - 1, appendedId: id };
      this.#bind(stream);
    }
    stream.appendedId = Math.max(stream.appendedId, id);
    return stream;
  }

  /** Notes that a message is kept. Nothing happens if its stream has been forgotten meanwhile. */
  keep(name: string, id: number): void {
    const stream = this.#byName.get(name);
    if (stream) stream.lastId = Math.max(stream.lastId, id);
  }

  /** Adds a stream of an earlier run of the server. Its owner counts as absent until it joins. */
  restore({ name, owner, lastId }: Pick<KeptStream, "name" | "owner" | "lastId">): void {
    const stream = { name, owner, lastId, appendedId: lastId };
    this.#bind(stream);
    this.#silent.add(owner);
  }

  ownerJoined(owner: string): void {
    this.#silent.delete(owner);
    this.#gone.delete(owner);
  }

  /**
   * @param isForGood Whether it has said goodbye.
   * @returns The owners whose streams are forgotten to make room.
   */
  ownerLeft(owner: string, isForGood: boolean): string[] {
    const absent = isForGood ? this.#gone : this.#silent;
    if (this.#byOwner.has(owner)) absent.add(owner);
    const forgotten: string[] = [];
    // after a restart there may be more than one too many
    for (const oldest of absent) {
      if (absent.size <= MAX_ABSENT) break;
      absent.delete(oldest);
      for (const name of this.#byOwner.get(oldest)!) this.#byName.delete(name);
      this.#byOwner.delete(oldest);
      forgotten.push(oldest);
    }
    return forgotten;
  }

  #bind(stream: StreamRecord): void {
    this.#byName.set(stream.name, stream);
    const names = this.#byOwner.get(stream.owner);
    if (names) names.push(stream.name);
    else this.#byOwner.set(stream.owner, [stream.name]);
  }
}
