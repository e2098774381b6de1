/**
 * Messages that the server refuses because this client is muted: many that were under way are told in one line.
 *
 * @module
 */
import type { Draft } from "../../protocol/reliable/send_stream.ts";
import type { LinkEvent, Timed } from "./facts.ts";
import { type ErrorPacket, reasonOf, undelivered } from "./refusals.ts";

/** For how long further ones are waited for, in milliseconds. */
const GATHER_MS = 250;

/** The refused messages of which the user has not been told yet. */
export class MutedMessages implements Timed {
  #drafts: Draft[] = [];
  #reason = "";
  #tellAt: number | undefined;

  get nextWake(): number | undefined {
    return this.#tellAt;
  }

  /**
   * Takes a message that is refused. It counts at once; the user is told of it with the others that follow.
   *
   * @param isLast Whether nothing else is under way.
   */
  add(draft: Draft, packet: ErrorPacket, isLast: boolean, now: number): LinkEvent[] {
    this.#drafts.push(draft);
    this.#reason = reasonOf(packet);
    this.#tellAt ??= now + GATHER_MS;
    const counted: LinkEvent = { type: "shortfall", what: "undelivered", count: 1 };
    return [counted, ...(isLast ? this.tell() : [])];
  }

  wake(now: number): LinkEvent[] {
    return now >= (this.#tellAt ?? Infinity) ? this.tell() : [];
  }

  /** Tells the user now. */
  tell(): LinkEvent[] {
    this.#tellAt = undefined;
    if (this.#drafts.length === 0) return [];
    const told = undelivered(this.#drafts, this.#reason).filter(({ type }) => type === "problem");
    this.#drafts = [];
    return told;
  }
}
