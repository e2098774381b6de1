/**
 * Shows each message of a stream once, and in the order of its sender, also when the server has forgotten everything.
 *
 * @module
 */
import type { EventPacket } from "../packets.ts";
import { detach } from "../utf8.ts";

/** How many senders' streams are remembered: the ones that spoke last. */
const MAX_STREAMS = 4096;
/** How many ranges of shown ids are remembered of a stream, those with the greatest ids: others count as not shown. */
const MAX_RANGES = 64;
/** How many messages are held back for an earlier one of their sender, over all streams. */
const MAX_HELD = 2048;
/** How many doubtful messages are remembered, those that became doubtful last. */
const MAX_DOUBTED = 4096;
/** How many texts are remembered that were shown for the place of a doubtful message in its stream. */
const MAX_DOUBTED_TEXTS = 4;
/**
 * How long a message is held back for an earlier one of its sender, in milliseconds.
 *
 * Its sender must notice that the server is new, greet it twice and repeat its messages, and the repeats must arrive
 * here. Measured in the simulated network, from this client's return to the repeat on its screen: at 30% loss each way
 * 1.8 s in the median, 6.1 s for 99% and 8.6 s for 99.9%; without loss 0.3 s in the median, and 1.1 s at most.
 */
const HOLD_MS = 10_000;

/** A message that belongs to a stream. */
export type StreamMessage = Extract<EventPacket, { type: "INCOMING" }> & { stream: string; id: number };

/** What is known of one stream. */
interface StreamState {
  readonly name: string;
  /** The ids that were shown, as ranges in order, with a gap between each two. */
  readonly shown: { first: number; last: number }[];
  /** The messages that wait for an earlier one, in the order of their ids. */
  readonly held: StreamMessage[];
}

/**
 * Keeps track of the messages of all streams.
 *
 * While a server keeps its memory, it takes each stream in order, and this only drops what was shown before. When it
 * has lost its memory, senders repeat what was not settled, with the same stream and ids, wherever they are by then.
 */
export class StreamOrder {
  readonly #streams = new Map<string, StreamState>();
  /** The streams with held messages, and until when these are held, in milliseconds; the first to hold comes first. */
  readonly #holding = new Map<string, number>();
  /** What was shown in the place of each doubtful message. */
  readonly #doubted = new Map<string, string[]>();
  #heldCount = 0;
  /** How many messages were dropped because they had been shown before. */
  duplicates = 0;

  /** How many messages are held back. */
  get heldCount(): number {
    return this.#heldCount;
  }

  /** When {@linkcode takeExpired} is to be called, in milliseconds; undefined while nothing is held. */
  get nextWake(): number | undefined {
    const [until] = this.#holding.values();
    return until;
  }

  /**
   * Takes a message that the server has put in order. Returns what can be shown now: first the held messages before it,
   * because its sender sends nothing before it any more; then itself; then the held ones that follow it directly.
   */
  take(message: StreamMessage): StreamMessage[] {
    const { id } = message;
    const shown: StreamMessage[] = [];
    const stream = this.#streamOf(message, shown);
    const { held } = stream;
    while (held.length > 0 && held[0].id < id) this.#show(stream, this.#takeHeld(held), shown);
    // what was held may be forged, and then the message is shown too
    if (held[0]?.id === id) this.#show(stream, this.#takeHeld(held), shown);
    this.#show(stream, message, shown);
    for (let next = id + 1; held[0]?.id === next; next++) this.#show(stream, this.#takeHeld(held), shown);
    if (held.length === 0) this.#holding.delete(stream.name);
    return shown;
  }

  /**
   * Takes a message that arrived before an earlier event, whose server has forgotten everything in between. Holds it
   * back if its sender may still repeat an earlier message. Returns what can be shown now.
   *
   * @param isDoubtful Whether it may be forged.
   */
  takeEarly(message: StreamMessage, isDoubtful: boolean, now: number): StreamMessage[] {
    const { id } = message;
    const shown: StreamMessage[] = [];
    const stream = this.#streamOf(message, shown);
    if (isDoubtful && !isIn(stream, id)) this.#doubt(message, []);
    if (id === 1 || isIn(stream, id - 1)) {
      this.#show(stream, message, shown);
      return shown;
    }
    const place = stream.held.findIndex((other) => other.id >= id);
    if (stream.held[place]?.id === id || this.#wasShown(stream, message)) {
      this.duplicates++;
      return shown;
    }
    stream.held.splice(place < 0 ? stream.held.length : place, 0, message);
    this.#heldCount++;
    if (!this.#holding.has(stream.name)) this.#holding.set(stream.name, now + HOLD_MS);
    if (this.#heldCount > MAX_HELD) this.#releaseFirst(shown);
    return shown;
  }

  /**
   * Notes that a message that was shown may have been forged. It can't be found out any more, so another text with the
   * same stream and id will be shown too, and the same text will not.
   */
  doubt(message: StreamMessage): void {
    const stream = this.#streams.get(message.stream);
    if (stream && isIn(stream, message.id)) {
      this.#doubt(message, this.#doubted.get(keyOf(message)) ?? [wordsOf(message)]);
    }
  }

  #doubt(message: StreamMessage, texts: string[]): void {
    const key = keyOf(message);
    this.#doubted.delete(key);
    this.#doubted.set(key, texts);
    if (this.#doubted.size <= MAX_DOUBTED) return;
    const [oldest] = this.#doubted.keys();
    this.#doubted.delete(oldest);
  }

  /** Forgets that a message was shown: it was forged, and the true one may still come. */
  forget(message: StreamMessage): void {
    const { stream: name, id } = message;
    const texts = this.#doubted.get(keyOf(message));
    if (texts?.includes(wordsOf(message))) texts.splice(texts.indexOf(wordsOf(message)), 1);
    if (texts && texts.length > 0) return;
    const shown = this.#streams.get(name)?.shown ?? [];
    const place = shown.findIndex(({ first, last }) => id >= first && id <= last);
    if (place < 0) return;
    const { first, last } = shown[place];
    const parts = [{ first, last: id - 1 }, { first: id + 1, last }].filter(({ first, last }) => first <= last);
    shown.splice(place, 1, ...parts);
  }

  /** Takes the messages that were held for long enough. */
  takeExpired(now: number): StreamMessage[] {
    const shown: StreamMessage[] = [];
    for (let until; (until = this.nextWake) !== undefined && until <= now;) this.#releaseFirst(shown);
    return shown;
  }

  #releaseFirst(shown: StreamMessage[]): void {
    const [name] = this.#holding.keys();
    this.#release(this.#streams.get(name)!, shown);
  }

  /** Shows all that a stream holds. */
  #release(stream: StreamState, shown: StreamMessage[]): void {
    this.#holding.delete(stream.name);
    while (stream.held.length > 0) this.#show(stream, this.#takeHeld(stream.held), shown);
  }

  #takeHeld(held: StreamMessage[]): StreamMessage {
    this.#heldCount--;
    return held.shift()!;
  }

  /** The state of a stream, which now is the one that spoke last. A stream that is forgotten shows what it holds. */
  #streamOf({ stream: name }: StreamMessage, shown: StreamMessage[]): StreamState {
    const stream = this.#streams.get(name) ??
      { name: detach(name), shown: [], held: [] };
    this.#streams.delete(name);
    this.#streams.set(stream.name, stream);
    if (this.#streams.size > MAX_STREAMS) {
      const [oldest] = this.#streams.values();
      this.#release(oldest, shown);
      this.#streams.delete(oldest.name);
    }
    return stream;
  }

  /** Whether a message was shown before; of a doubtful one, with these words. */
  #wasShown(stream: StreamState, message: StreamMessage): boolean {
    return isIn(stream, message.id) && (this.#doubted.get(keyOf(message))?.includes(wordsOf(message)) ?? true);
  }

  /** Shows a message, unless it was shown before. */
  #show(stream: StreamState, message: StreamMessage, shown: StreamMessage[]): void {
    const { id } = message;
    if (this.#wasShown(stream, message)) {
      this.duplicates++;
      return;
    }
    shown.push(message);
    const texts = this.#doubted.get(keyOf(message));
    if (texts && texts.push(wordsOf(message)) > MAX_DOUBTED_TEXTS) texts.shift();
    if (isIn(stream, id)) return;
    const ranges = stream.shown;
    // most messages follow the last one
    let place = ranges.length;
    while (place > 0 && ranges[place - 1].first > id) place--;
    const before = ranges[place - 1], after = ranges[place];
    const follows = before?.last === id - 1, precedes = after?.first === id + 1;
    if (follows && precedes) {
      before.last = after.last;
      ranges.splice(place, 1);
    } else if (follows) before.last = id;
    else if (precedes) after.first = id;
    else ranges.splice(place, 0, { first: id, last: id });
    if (ranges.length > MAX_RANGES) ranges.shift();
  }
}

/** Whether an id was shown, with whatever text. */
function isIn({ shown }: StreamState, id: number): boolean {
  return shown.some(({ first, last }) => id >= first && id <= last);
}

function keyOf({ stream, id }: StreamMessage): string {
  return `${stream} ${id}`;
}

/** What its sender has said, wherever and whenever the server has put it. */
function wordsOf({ action, text }: StreamMessage): string {
  return `${action ? "action" : "says"} ${text}`;
}
