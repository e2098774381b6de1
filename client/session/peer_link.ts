/**
 * A lasting contact with one peer: where it is, and by which way packets go there, for as long as something passes
 * between the two. It is pinned to the pass of the two: whoever else has the name or the address later is another one.
 *
 * @module
 */
import type { FilePacket } from "../../protocol.ts";
import { earliest } from "../../protocol/earliest.ts";
import { Retry } from "../../protocol/reliable/retry.ts";
import { DirectPath } from "./direct_path.ts";
import type { DirectInbox } from "./direct_inbox.ts";
import type { Answer, PeerPacket, ReachQuestion } from "./facts.ts";
import type { KnownWays, Named } from "./known_ways.ts";
import { reasonOf } from "./refusals.ts";
import { relay } from "./relay.ts";
import type { Self, Send } from "./self.ts";
import type { Transactions } from "./transactions.ts";
import type { Reachable } from "./way.ts";
import { type Forbidden, whyNoAnswer, whyNoWay } from "./way_words.ts";
import { keyOf, nameOf, type Who } from "./who.ts";

/** What a link works with. */
export interface PeerLinkParts {
  transactions: Transactions;
  /** This member, as the server knows it. */
  self: Self;
  send: Send;
  /** Is told who has which pass, and limits what goes to addresses that the server has not named. */
  inbox: Pick<DirectInbox, "punched" | "mayCheck">;
  known: KnownWays;
  /** What forbids the way through the server; undefined if it may be used. */
  forbidden: () => Forbidden | undefined;
}

/** Whom a link is with. */
export interface LinkTarget {
  who: Who;
  /** What the two are known by to each other, if the server has said it already. */
  pass?: string;
  /** Until when it may be that nobody has the name, in milliseconds; by default not at all. */
  until?: number;
}

/** A packet about a file, without what the link adds. */
type Unaddressed<P> = P extends FilePacket ? Omit<P, "dialect" | "pass"> : never;
export type LinkPacket = Unaddressed<FilePacket>;

/** The way that is not an address. */
export const THROUGH_SERVER = "through the server";

/** The pauses after the first look-ups, and after each further one that had no answer, in milliseconds. */
const LOOK_UP_PAUSES_MS = [250, 500];
const LOOK_UP_PAUSE_MS = 1000;
/**
 * The pause once it is found, in milliseconds: the server's word on who has a pass is believed for 10 s, also when one
 * look-up is lost.
 */
const STAY_PAUSE_MS = 4000;
/** After how much silence a direct way that nothing may stand in for is given up, in milliseconds. */
const DIRECT_ONLY_MS = 4000;
/** For how long after a new start of the server others may still be on their way back, in milliseconds. */
const COME_BACK_MS = 5000;

/** The link to one peer. Its user sends, and asks after each event whether it is {@linkcode lost}. */
export class PeerLink {
  readonly #parts: PeerLinkParts;
  readonly #until: number;
  #who: Who;
  #name: string;
  #pass: string | undefined;
  #place: Reachable | undefined;
  /** Whether the server's last word is that the pass is good there: through the server another one is refused. */
  #isPassGood = true;
  readonly #path = new DirectPath();
  readonly #lookUps = new Retry();
  #question: ReachQuestion | undefined;
  #begunAnewAt = -Infinity;
  #lost: string | undefined;
  #isShut = false;

  constructor(parts: PeerLinkParts, { who, pass, until = -Infinity }: LinkTarget, now: number) {
    this.#parts = parts;
    this.#who = who;
    this.#name = nameOf(who);
    this.#pass = pass;
    this.#until = until;
    this.#lookUps.start(now);
    this.#lookUp(now);
  }

  /** What the peer is called. */
  get name(): string {
    return this.#name;
  }

  /** What the two are known by to each other; undefined until the server has said it. */
  get pass(): string | undefined {
    return this.#pass;
  }

  /** Where the peer is by the server's last word; undefined until it has said so. */
  get place(): Reachable | undefined {
    return this.#place;
  }

  /** Why there is no link any more, in a sentence for people; undefined while there is one. */
  get lost(): string | undefined {
    return this.#lost;
  }

  /** Whether that is because no way to the peer is left, though it may be there. */
  get isShut(): boolean {
    return this.#isShut;
  }

  /** Whether packets can be sent. */
  get isOpen(): boolean {
    return this.#place !== undefined && this.#lost === undefined;
  }

  /** Whether they go through the server now. */
  isRelayed(now: number): boolean {
    return this.#canRelay && this.#path.isSilent(now);
  }

  /** The way that packets take now: it is another one when this is another text. */
  way(now: number): string {
    return this.isRelayed(now) ? THROUGH_SERVER : this.#path.address ?? "";
  }

  get nextWake(): number | undefined {
    if (this.#lost !== undefined) return undefined;
    return earliest([this.#question ? undefined : this.#lookUps.dueAt, this.#path.nextWake]);
  }

  /** Looks up, and checks the direct path, if it is time to. */
  wake(now: number): void {
    if (this.#lost !== undefined) return;
    // the user may have forbidden the way through the server
    if (this.#place && this.#isClosed) this.#shut(whyNoWay(this.#name, this.#place, this.#wayGiven));
    else if (this.#place && this.#isForbidden && now >= this.#path.silentAt + DIRECT_ONLY_MS) {
      this.#shut(whyNoAnswer(this.#name, { place: this.#place, isLocated: true }, this.#parts.forbidden()));
    }
    this.#lookUp(now);
    for (const { id, to } of this.#path.takeChecks(now)) {
      this.#parts.send({ dialect: "v1", type: "OPEN", pass: this.#pass, id }, to);
    }
  }

  /**
   * Sends a packet by the way that is in use. Nothing happens while the link is not open.
   *
   * @param throughServer Whether it goes through the server where it may, as what it answers has.
   */
  send(packet: LinkPacket, now: number, throughServer = false): void {
    if (!this.isOpen) return;
    const whole = { dialect: "v1", pass: this.#pass!, ...packet } as FilePacket;
    const { send, self } = this.#parts;
    const { address } = this.#path;
    if (this.isRelayed(now) || throughServer && this.#canRelay) send(relay(whole, self, this.#place!.address));
    else if (address !== undefined) send(whole, address);
  }

  /** Whether the server has named an address as the peer's, or it has answered from there. */
  knows(address: string): boolean {
    return address === this.#place?.address || address === this.#path.address;
  }

  /** Notes that a packet of the peer has come, from an address, or through the server. */
  heard(from: string | undefined, now: number): void {
    if (!this.#place) return;
    this.#parts.known.heard(this.#named, from, now);
    if (from === undefined || !this.#path.wants(from, now)) return;
    // a source address may be forged, so few packets go to one that the server has not named
    if (this.#parts.inbox.mayCheck(this.#pass!, from, now)) this.#path.heard(from, now);
  }

  /** Notes that something that was sent by the direct path has been answered. */
  prove(now: number): void {
    if (!this.isRelayed(now)) this.#path.prove(now);
  }

  /** Takes the answer to a check; returns whether it is one of this link. */
  answered(id: number, now: number): boolean {
    if (!this.#path.answered(id, now)) return false;
    this.#parts.known.heard(this.#named, this.#path.address, now);
    return true;
  }

  /** Looks the peer up at once: something was said that makes it doubtful that it is still there. */
  doubt(now: number): void {
    this.#lookUps.hasten(now);
    this.#lookUp(now);
  }

  /** Notes that the server has begun anew, so that for a while it does not know everybody. */
  beginAnew(now: number): void {
    this.#begunAnewAt = now;
  }

  /** Takes the server's word that the peer with the pass is at an address, as a PUNCH has it. */
  moved({ address, name }: Named, now: number): void {
    if (this.#place === undefined || this.#place.address === address) return;
    this.#place = { ...this.#place, address };
    if ("address" in this.#who) this.#call(name === undefined ? { address } : { name });
    this.#namePath(now);
  }

  /** Takes note that a member has another name now. */
  renamed(before: string, name: string): void {
    if ("name" in this.#who && keyOf(this.#who) === keyOf({ name: before })) this.#call({ name });
  }

  /** Whether an answer is to its question. */
  hasAsked(question: ReachQuestion): boolean {
    return this.#question === question;
  }

  /** Takes the server's answer to where the peer is; undefined when there was none in time. */
  located(answer: Answer | undefined, now: number): void {
    this.#question = undefined;
    if (answer?.type === "PEER") return this.#found(answer, now);
    // who was there and is not any more is not waited for
    const until = this.#pass === undefined ? this.#until : -Infinity;
    if (answer?.type !== "ERROR" || now < Math.max(until, this.#begunAnewAt + COME_BACK_MS)) return;
    if (answer.code !== "no-such-user") this.#lost = reasonOf(answer);
    else if (this.#pass !== undefined) this.#lost = `${this.#name} has left`;
    else this.#lost = "name" in this.#who ? "nobody here has that name" : "nobody is there any more";
  }

  #found(answer: PeerPacket, now: number): void {
    const { address, name, pass } = answer, { self } = this.#parts;
    if (address === self.address) {
      this.#lost = "that is you";
      return;
    }
    if (pass === undefined) {
      this.#lost = whyNoWay(this.#name, answer, this.#wayGiven);
      return;
    }
    // with it the server has said who has the pass, as with a PUNCH
    this.#parts.inbox.punched({ address, name, pass }, now);
    const isSame = (this.#pass ??= pass) === pass;
    // after a new start of the server all passes are new: the two go on with the old one as long as they can
    if (!isSame && this.#begunAnewAt === -Infinity) {
      this.#lost = `${this.#name} has left`;
      return;
    }
    this.#isPassGood = isSame;
    this.#lookUps.tried(now + STAY_PAUSE_MS);
    if (name !== undefined && "name" in this.#who) this.#name = name;
    this.#place = { ...answer, pass: this.#pass };
    this.#namePath(now);
    if (this.#isClosed) this.#shut(whyNoWay(this.#name, answer, this.#wayGiven));
  }

  #namePath(now: number): void {
    const { address, relay, classic } = this.#place!;
    this.#path.name(relay || classic ? undefined : address, now);
  }

  #lookUp(now: number): void {
    if (this.#question || !this.#lookUps.isDue(now)) return;
    this.#lookUps.tried(now + (LOOK_UP_PAUSES_MS[this.#lookUps.times] ?? LOOK_UP_PAUSE_MS));
    this.#question = { ask: "reach", who: this.#who };
    this.#parts.transactions.begin(this.#question, now);
  }

  #call(who: Who): void {
    this.#who = who;
    this.#name = nameOf(who);
    // an answer that is still to come is about the name before
    this.#question = undefined;
  }

  #shut(why: string): void {
    this.#lost = why;
    this.#isShut = true;
  }

  /** Whether there is nothing but the direct way, by the word of this user or of the server. */
  get #isForbidden(): boolean {
    return this.#parts.forbidden() !== undefined || this.#place?.norelay === true;
  }

  get #isClosed(): boolean {
    return !this.#canRelay && this.#path.address === undefined;
  }

  get #canRelay(): boolean {
    return this.#place !== undefined && this.#isPassGood && !this.#place.norelay &&
      this.#parts.forbidden() === undefined;
  }

  get #named(): Named {
    const { address } = this.#place!;
    return { address, pass: this.#pass!, ...("name" in this.#who ? { name: this.#name } : {}) };
  }

  get #wayGiven() {
    const { self: { address, join }, forbidden } = this.#parts;
    return { self: address, join, forbidden: forbidden() };
  }
}
