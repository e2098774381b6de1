/**
 * Finds out which dialect the server speaks, and hands over what was typed between the two links.
 *
 * @module
 */
import type { ClassicPacket, Packet, V1Packet } from "../../protocol.ts";
import { earlier } from "../../protocol/earliest.ts";
import type { Draft } from "../../protocol/reliable/send_stream.ts";
import { ClassicLink } from "./classic_link.ts";
import type { LinkEvent, Timed } from "./facts.ts";
import { NO_ANSWER_MS } from "./patience.ts";
import type { MembershipState } from "./state.ts";
import { V1Link, type V1LinkOptions } from "./v1_link.ts";

/**
 * How many version 1 greetings must have no answer after the first classic greeting before a line is sent in the
 * classic dialect, or the server is taken for a classic one. A version 1 server that only the classic greeting has
 * reached sends classic packets too, and would take the line as a classic member's.
 */
const GREETINGS_AFTER_CLASSIC = 8;
/**
 * The same after each further classic greeting, and how many version 1 greetings go out before one: if any of them
 * reaches a version 1 server, it ignores the classic greeting.
 */
const GREETINGS_AROUND_ANOTHER = 4;
/**
 * How many more there are at least when the server has sent back what this client has sent, how many when something
 * else classic has come, which may be anybody's, and for how long all of them last, in milliseconds.
 */
const GREETINGS_AFTER_ECHO = 3;
const GREETINGS_TO_BE_SURE = 8;
const TO_BE_SURE_MS = 1000;
/**
 * The pause before the second classic greeting to a server that has sent nothing at all, in milliseconds. Each further
 * one is twice as long, up to the longest: the server may have been started late, or may send everything as often as it
 * was greeted. The same for the greetings in version 1 to a server that is taken for a classic one, but for the factor.
 */
const CLASSIC_PAUSE_MS = 10_000;
const LONGEST_CLASSIC_PAUSE_MS = 300_000;
/** At 30% loss each way half of these greetings have no answer, so they are not rare at once. */
const PROBE_BACK_OFF = 1.5;
/** For how long after such a greeting an `Unknown command` is its answer, and not shown again, in milliseconds. */
const ANSWER_MS = 3000;

const SPEAKS_V1 = "This server speaks version 1 after all: it has names, and repeats what is lost";
const MAY_BE_LOST = "What you said last may be lost: the server has not sent it back";

/** A server that has not shown its dialect yet, and when it will count as a classic one. */
interface Unknown {
  is: "unknown";
  /** When it is to be greeted in the classic dialect again, in milliseconds; undefined if it never was. */
  greetsAt?: number;
  /** The pause before that, in milliseconds. */
  pause: number;
  /** It is time, and it is done after so many greetings in version 1. */
  greetAfter?: number;
  /** After so many greetings in version 1 lines are sent in the classic dialect on trial. */
  trialAfter: number;
  /** It has sent a classic packet: after so many greetings in version 1 it is taken for a classic server. */
  classicAfter?: number;
  /** What it answers each greeting in version 1 with, `Unknown command` or the like. */
  answer?: string;
}

/** A server that is taken for a classic one, and when it is greeted in version 1 again, since this may be wrong. */
interface Classic extends Pick<Unknown, "pause" | "answer"> {
  is: "classic";
  /** In milliseconds. */
  greetsAt: number;
  /** When it was last greeted, in milliseconds. */
  greetedAt: number;
}

/** The two links to one server, of which one is right. */
export class Detection implements Timed {
  readonly v1: V1Link;
  readonly classic: ClassicLink;
  /** Whether nothing is said to a server that can't prove that it knows the password that was given. */
  readonly #isStrict: boolean;
  /** Whether the server has passed on a greeting of version 1, so that others may know its id. */
  #passesOn = false;
  #dialect: Unknown | { is: "v1" } | Classic = {
    is: "unknown",
    pause: CLASSIC_PAUSE_MS,
    trialAfter: Infinity,
  };

  constructor(options: V1LinkOptions) {
    const { name, passwords } = options;
    this.v1 = new V1Link(options);
    this.#isStrict = name !== undefined && passwords?.given !== undefined && !passwords.canAsk;
    this.classic = new ClassicLink(options.send);
  }

  get state(): MembershipState {
    return this.#dialect.is === "classic" ? "classic" : this.v1.membership.state;
  }

  /** Whether the server has answered in version 1. */
  get speaksV1(): boolean {
    return this.#dialect.is === "v1";
  }

  get nextWake(): number | undefined {
    const { v1, classic } = this;
    return earlier(earlier(v1.nextWake, this.#isOpen ? classic.nextWake : undefined), this.#probesAt);
  }

  /** How many messages wait to be sent or acknowledged. */
  get waiting(): number {
    return this.v1.waiting + this.classic.size;
  }

  /** Says something to everyone. */
  say(draft: Draft, now: number): void {
    if (this.#dialect.is === "classic") return this.classic.say(draft, now);
    this.v1.say(draft, now);
    this.#tryClassic(now);
    this.v1.transmit(now);
  }

  wake(now: number): LinkEvent[] {
    if (this.#dialect.is === "classic") {
      this.#probe(this.#dialect, now);
      return this.classic.wake(now);
    }
    if (this.#isClassic(now)) return this.#becomeClassic(now);
    const events = this.v1.wake(now);
    this.#handOver(events, now);
    this.#greetClassic(now);
    this.#tryClassic(now);
    return this.#isOpen ? [...events, ...this.classic.wake(now)] : events;
  }

  /**
   * Takes a packet from the server.
   *
   * @param isBeside Whether it comes from another port of the server's IP address, which {@linkcode hearsBeside}
   * allows.
   */
  receive(packet: Packet, now: number, isBeside = false): LinkEvent[] {
    if (packet.dialect === "classic") return this.#receiveClassic(packet, now, isBeside);
    // no server of version 1 greets: this one passes on what it does not know
    if (packet.type === "GREETING" || packet.type === "SIGN-IN") {
      this.#passesOn = true;
      this.#noteSign(now, !isBeside);
    }
    return isBeside ? [] : this.#receiveV1(packet, now);
  }

  /**
   * Whether other ports of the server's IP address are heard: some classic servers send from a second socket, but any
   * other program of that machine may do the same. No classic server knows this client before it was greeted.
   */
  get hearsBeside(): boolean {
    return this.#dialect.is !== "v1" && this.classic.hasGreeted;
  }

  /**
   * Whether the server may answer from another address than that which was greeted: nobody else can know of greetings.
   */
  get answersElsewhere(): boolean {
    return this.#dialect.is !== "classic" && !this.#passesOn;
  }

  /**
   * Whether lines may go out in the classic dialect now: none do while a few more greetings find out if they should.
   */
  get #isOpen(): boolean {
    return this.#dialect.is !== "v1" && !this.#isDoubtful;
  }

  #receiveV1(packet: V1Packet, now: number): LinkEvent[] {
    const events = this.v1.receive(packet, now);
    if (this.v1.membership.hasAnswered) {
      if (this.#dialect.is === "classic") events.unshift({ type: "notice", text: SPEAKS_V1 });
      this.#dialect = { is: "v1" };
    }
    this.#handOver(events, now);
    this.v1.transmit(now);
    return events;
  }

  #receiveClassic(packet: ClassicPacket, now: number, isBeside: boolean): LinkEvent[] {
    const line = packet.type === "INCOMING" ? packet.line : undefined, dialect = this.#dialect;
    if (dialect.is === "classic") {
      if (line === undefined || line === dialect.answer && now < dialect.greetedAt + ANSWER_MS) return [];
      return this.classic.receive({ line, isBeside }, now);
    }
    this.#noteSign(now, line !== undefined && !isBeside && this.classic.isOwn(line));
    if (dialect.is !== "unknown" || !this.#isDoubtful || line === undefined) return [];
    if (this.classic.keepEarly({ line, isBeside })) dialect.answer = line;
    return [];
  }

  /**
   * Notes that something has come that a server of version 1 hardly ever sends.
   *
   * @param isEcho Whether the server itself has sent back what this client has sent.
   */
  #noteSign(now: number, isEcho: boolean): void {
    const { membership } = this.v1;
    // whoever refuses a name speaks version 1
    if (this.#isStrict || this.#dialect.is !== "unknown" || this.#isDoubtful || membership.state === "refused") return;
    const { greetings } = membership.contact, { trialAfter } = this.#dialect;
    const more = isEcho ? GREETINGS_AFTER_ECHO : GREETINGS_TO_BE_SURE;
    this.#dialect.classicAfter = Math.max(greetings + more, trialAfter === Infinity ? 0 : trialAfter);
    const missing = this.#dialect.classicAfter - greetings;
    membership.contact.hurry({ greetings: missing, pause: Math.floor(TO_BE_SURE_MS / (missing + 1)) }, now);
  }

  /** Whether it may be a classic server, as a classic packet has come. */
  get #isDoubtful(): boolean {
    return this.#dialect.is === "unknown" && this.#dialect.classicAfter !== undefined;
  }

  /** Whether the server has sent a classic packet, and no answer to a few more greetings in version 1. */
  #isClassic(now: number): boolean {
    if (this.#dialect.is !== "unknown" || this.#dialect.classicAfter === undefined) return false;
    const { state, contact: { greetings, greetsAt } } = this.v1.membership;
    return state === "joining" && greetings >= this.#dialect.classicAfter && (greetsAt ?? now) <= now;
  }

  #becomeClassic(now: number): LinkEvent[] {
    const { answer } = this.#dialect as Unknown, pause = CLASSIC_PAUSE_MS;
    this.#dialect = { is: "classic", answer, pause, greetsAt: now + pause, greetedAt: now };
    this.v1.stop();
    // one that answers the greetings now, and did not before, was started after the classic greeting
    if (!this.classic.hasGreeted || answer !== undefined) this.classic.greet();
    const text = "This server speaks the classic dialect: no names, no repeats of what is lost";
    const events: LinkEvent[] = [{ type: "notice", text }, ...this.classic.settle(now)];
    for (const draft of this.v1.takeDrafts()) this.classic.say(draft, now);
    return events;
  }

  /**
   * When a server that is taken for a classic one is greeted in version 1; never again once it has confirmed a line.
   */
  get #probesAt(): number | undefined {
    return this.#dialect.is === "classic" && !this.classic.hasConfirmed ? this.#dialect.greetsAt : undefined;
  }

  /** Greets a server in version 1 that is taken for a classic one: all answers may have been lost, or late. */
  #probe(dialect: Classic, now: number): void {
    if (now < (this.#probesAt ?? Infinity)) return;
    dialect.greetedAt = now;
    dialect.pause = Math.min(PROBE_BACK_OFF * dialect.pause, LONGEST_CLASSIC_PAUSE_MS);
    dialect.greetsAt = now + dialect.pause;
    // once, without repeats
    this.v1.membership.start(now);
    this.v1.membership.contact.stop();
  }

  /** When a version 1 server has answered after all, it gets what no classic server has, before all that waits. */
  #handOver(events: LinkEvent[], now: number): void {
    if (!events.some(({ type }) => type === "joined")) return;
    const { unconfirmed } = this.classic, sent = this.classic.clear();
    if (this.classic.unconfirmed > unconfirmed) events.push({ type: "notice", text: MAY_BE_LOST });
    if (sent.length === 0) return;
    // none of the waiting messages has been sent with its present id
    for (const draft of [...sent, ...this.v1.takeDrafts()]) this.v1.say(draft, now);
    this.v1.transmit(now);
  }

  /** Greets a server that has sent nothing yet in the classic dialect too, now and then. */
  #greetClassic(now: number): void {
    const { membership } = this.v1, dialect = this.#dialect;
    if (this.#isStrict || dialect.is !== "unknown" || this.#isDoubtful || membership.state !== "joining") return;
    if (membership.contact.silence(now) < NO_ANSWER_MS || this.classic.unsent > 0 || now < (dialect.greetsAt ?? now)) {
      return;
    }
    const isFirst = dialect.greetsAt === undefined;
    if (!isFirst && dialect.greetAfter === undefined) {
      dialect.greetAfter = membership.contact.greetings + GREETINGS_AROUND_ANOTHER;
      return membership.contact.hurry({ greetings: GREETINGS_AROUND_ANOTHER }, now);
    }
    if (membership.contact.greetings < (dialect.greetAfter ?? 0)) return;
    dialect.greetAfter = undefined;
    dialect.greetsAt = now + dialect.pause;
    dialect.pause = Math.min(2 * dialect.pause, LONGEST_CLASSIC_PAUSE_MS);
    dialect.trialAfter = membership.contact.greetings + (isFirst ? GREETINGS_AFTER_CLASSIC : GREETINGS_AROUND_ANOTHER);
    this.classic.greet();
  }

  /**
   * Sends what waits in the classic dialect on trial: a server that has never answered may be a classic one, and may
   * show this by sending it back. If our own server has received the bare greeting but not the version 1 greetings
   * before it, it has answered one of those after it by then. What is on trial is kept for its answer.
   */
  #tryClassic(now: number): void {
    if (this.#dialect.is !== "unknown" || this.#isDoubtful || this.v1.membership.state !== "joining") return;
    const { trialAfter } = this.#dialect, { greetings } = this.v1.membership.contact;
    if (trialAfter === Infinity || this.v1.waiting === 0) return;
    if (greetings < trialAfter) return this.v1.membership.contact.hurry({ greetings: trialAfter - greetings }, now);
    for (const draft of this.v1.takeDrafts()) this.classic.say(draft, now);
  }
}
