/**
 * What the room is about.
 *
 * @module
 */
import { MAX_TOPIC_BYTES } from "../../protocol.ts";
import { printable } from "../../protocol/text.ts";
import { byteLength } from "../../protocol/utf8.ts";
import type { Announcements } from "./announcements.ts";
import { nameOf } from "./members.ts";
import { type Giver, type OrderCommand, OrderProblem, TOLD } from "./orders.ts";

/** What the topic needs of the room. */
export interface TopicContext {
  announcements: Announcements;
  /** The topic of an earlier run of the server. */
  text?: string;
  /** Keeps it for the next run. */
  keep?: (text: string | undefined) => void;
}

/** What one room is about. */
export class Topic {
  readonly #context: TopicContext;
  /** Undefined if there is none. */
  text: string | undefined;
  readonly commands: readonly OrderCommand[] = [{
    word: "topic",
    parameters: [],
    optional: "TEXT",
    summary: "says what the room is about, or changes it; - for nothing",
    isForAllAlone: true,
    run: (giver, now, text) => text === undefined ? this.words : this.#change(giver, now, text),
  }];

  constructor(context: TopicContext) {
    this.#context = context;
    this.text = context.text;
  }

  /** What the room is about, as a sentence. */
  get words(): string {
    return this.text === undefined ? "There is no topic" : `The topic is: ${this.text}`;
  }

  #change(giver: Giver, now: number, typed: string): string {
    const { announcements, keep } = this.#context, text = printable(typed);
    if (byteLength(text) > MAX_TOPIC_BYTES) throw new OrderProblem(`A topic has at most ${MAX_TOPIC_BYTES} bytes`);
    const topic = text === "-" ? undefined : text;
    keep?.(topic);
    this.text = topic;
    const words = topic === undefined ? "There is no topic any more" : `The topic is now: ${topic}`;
    const told = topic === undefined ? "has taken the topic away" : `has changed the topic: ${topic}`;
    announcements.tell(giver ? `${nameOf(giver)} ${told}` : words, now);
    return TOLD;
  }
}
