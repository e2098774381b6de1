/**
 * Finds out which dialect the server speaks, and hands over what was typed between the two links.
 *
 * @module
 */
import type { ClassicPacket, Packet, V1Packet } from "../../protocol.ts";
import type { Draft } from "../../protocol/reliable/send_stream.ts";
import { ClassicLink } from "./classic_link.ts";
import { earliest, type LinkEvent, type Timed } from "./facts.ts";
import { NO_ANSWER_MS } from "./membership.ts";
import type { MembershipState } from "./state.ts";
import { V1Link, type V1LinkOptions } from "./v1_link.ts";

/**
 * How many more version 1 greetings must have no answer before the server is taken for a classic one. A version 1
 * server also sends classic packets when only the classic greeting has reached it.
 */
const GREETINGS_BEFORE_CLASSIC = 8;
/** How often a server that has never answered is greeted in the classic dialect, in milliseconds. */
const CLASSIC_EVERY_MS = 10_000;

/** A server that has not shown its dialect yet, and when it will count as a classic one. */
interface Unknown {
  is: "unknown";
  /** When it was last greeted in the classic dialect, in milliseconds; undefined for never. */
  greetedAt?: number;
  /** After so many greetings in version 1 a line is sent in the classic dialect on trial. */
  trialAfter: number;
  /** It has sent a classic packet: after so many greetings in version 1 it is taken for a classic server. */
  classicAfter?: number;
}

/** The two links to one server, of which one is right. */
export class Detection implements Timed {
  readonly v1: V1Link;
  readonly classic: ClassicLink;
  #dialect: Unknown | { is: "v1" } | { is: "classic" } = { is: "unknown", trialAfter: Infinity };

  constructor(options: V1LinkOptions) {
    this.v1 = new V1Link(options);
    this.classic = new ClassicLink(options.send);
  }

  get state(): MembershipState {
    return this.#dialect.is === "classic" ? "classic" : this.v1.membership.state;
  }

  get nextWake(): number | undefined {
    return earliest([this.v1, this.classic]);
  }

  /** How many messages wait to be sent or acknowledged. */
  get waiting(): number {
    return this.v1.waiting + this.classic.size;
  }

  /** Says something to everyone. */
  say(draft: Draft, now: number): void {
    if (this.#dialect.is === "classic") return this.classic.say(classicText(draft), now);
    this.v1.say(draft, now);
    this.#tryClassic(now);
    this.v1.transmit(now);
  }

  wake(now: number): LinkEvent[] {
    if (this.#dialect.is === "classic") return this.classic.wake(now);
    if (this.#isClassic(now)) return this.#becomeClassic(now);
    const events = this.v1.wake(now);
    this.#handOver(events, now);
    this.#tryClassic(now);
    this.#greetClassic(now);
    return [...events, ...this.classic.wake(now)];
  }

  /** Takes a packet from the server. */
  receive(packet: Packet, now: number): LinkEvent[] {
    if (packet.dialect === "classic") return this.#receiveClassic(packet, now);
    return this.#receiveV1(packet, now);
  }

  #receiveV1(packet: V1Packet, now: number): LinkEvent[] {
    const events = this.v1.receive(packet, now);
    if (this.v1.membership.hasAnswered) this.#dialect = { is: "v1" };
    this.#handOver(events, now);
    this.v1.transmit(now);
    return events;
  }

  #receiveClassic(packet: ClassicPacket, now: number): LinkEvent[] {
    if (packet.type !== "INCOMING" || this.#dialect.is === "v1") return [];
    if (this.#dialect.is === "classic") return this.classic.receive(packet.line, now);
    const { membership } = this.v1;
    // whoever refuses a name speaks version 1
    if (membership.state === "refused") return [];
    if (this.#dialect.classicAfter === undefined) {
      this.#dialect.classicAfter = membership.greetings + GREETINGS_BEFORE_CLASSIC;
      membership.hurry(GREETINGS_BEFORE_CLASSIC, now);
    }
    this.classic.keepEarly(packet.line);
    return [];
  }

  /** Whether the server has sent a classic packet, and no answer to a few more greetings in version 1. */
  #isClassic(now: number): boolean {
    if (this.#dialect.is !== "unknown" || this.#dialect.classicAfter === undefined) return false;
    const { state, greetings, greetsAt } = this.v1.membership;
    return state === "joining" && greetings >= this.#dialect.classicAfter && (greetsAt ?? now) <= now;
  }

  #becomeClassic(now: number): LinkEvent[] {
    this.#dialect = { is: "classic" };
    this.v1.stop();
    const text = "This server speaks the classic dialect: no names, no repeats of what is lost";
    const events: LinkEvent[] = [{ type: "notice", text }];
    for (const line of this.classic.takeEarly()) events.push(...this.classic.receive(line, now));
    for (const draft of this.v1.takeDrafts()) this.classic.say(classicText(draft), now);
    return events;
  }

  /** When a version 1 server has answered after all, it gets what was said on trial, before all that waits. */
  #handOver(events: LinkEvent[], now: number): void {
    if (!events.some(({ type }) => type === "joined")) return;
    if (this.classic.size === 0) return;
    // none of the waiting messages has been sent with its present id
    const drafts = [...this.classic.clear().map((text): Draft => ({ text })), ...this.v1.takeDrafts()];
    for (const draft of drafts) this.v1.say(draft, now);
    this.v1.transmit(now);
  }

  /** Greets a server that has never answered in the classic dialect too, now and then. */
  #greetClassic(now: number): void {
    const { membership } = this.v1;
    if (this.#dialect.is !== "unknown" || membership.state !== "joining" || membership.silence(now) < NO_ANSWER_MS) {
      return;
    }
    const { greetedAt } = this.#dialect;
    if (greetedAt !== undefined && now < greetedAt + CLASSIC_EVERY_MS) return;
    if (greetedAt === undefined) {
      this.#dialect.trialAfter = membership.greetings + GREETINGS_BEFORE_CLASSIC;
      membership.hurry(GREETINGS_BEFORE_CLASSIC, now);
    }
    this.#dialect.greetedAt = now;
    this.classic.greet();
  }

  /**
   * Sends the first message in the classic dialect on trial: a server that has never answered may be a classic one, and
   * shows this by sending the message back. If our own server has received the bare greeting but not the version 1
   * greeting before it, one of the version 1 greetings after it arrives, and the server answers that.
   */
  #tryClassic(now: number): void {
    if (this.#dialect.is !== "unknown" || this.v1.membership.state !== "joining") return;
    if (this.v1.membership.greetings < this.#dialect.trialAfter || this.classic.size > 0) return;
    const first = this.v1.takeOldestDraft();
    if (first) this.classic.say(classicText(first), now);
  }
}

function classicText({ text, action }: Draft): string {
  return action ? `* ${text}` : text;
}
