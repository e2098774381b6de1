/**
 * Handles greetings: lets clients join, keeps them alive, moves them, and gives them the names that they may have.
 *
 * @module
 */
import type { V1Packet } from "../../protocol.ts";
import { NAME_RULE, normalizeName } from "../../protocol/names.ts";
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import type { Journal } from "../journal/journal.ts";
import { isShortEnough } from "./address_validation.ts";
import type { Admission } from "./admission.ts";
import type { Delivery } from "./delivery.ts";
import type { EventCopies } from "./event_copies.ts";
import type { Ignored } from "./ignored.ts";
import { type JoinAddress, joinInsteadOf } from "./join_address.ts";
import type { Limits } from "./limits.ts";
import type { Logins } from "./login.ts";
import type { Member } from "./members.ts";
import { type Applicant, type ClassicSignIn, NameWishes, type WishAnswer } from "./name_wishes.ts";
import type { NameClaim } from "./names.ts";
import type { MuteHolder } from "./mutes.ts";
import type { Peer } from "./peer.ts";
import type { Refusal } from "./refusal.ts";

/** What greetings need of the room. */
export interface GreetingContext {
  admission: Admission;
  delivery: Delivery;
  journal: Journal;
  limits: Limits;
  ignored: Ignored;
  /** Undefined if this server protects no names. */
  logins: Logins | undefined;
  copies: Pick<EventCopies, "noteLoss">;
  /** Whether the sender of a message gets a copy too. */
  echo: boolean;
  joinAddress: JoinAddress;
  /** Whether a member may keep order. */
  isOperator: (member: Member) => boolean;
  /** Why one that is muted may not have a name, as a sentence; undefined if it may. */
  mutedNameOf: (member: MuteHolder, name: string, now: number) => string | undefined;
  /** What the room is about; undefined if nobody has said it. */
  topic: () => string | undefined;
}

/** A GREETING or SIGN-IN in version 1. */
export type Greeting = Extract<V1Packet, { type: "GREETING" | "SIGN-IN" }>;

/** A greeting from a peer that is validated. */
interface ValidGreeting {
  peer: Peer;
  packet: Greeting & { token: string };
}

/**
 * How many greetings a second are answered in all that come from a member's address without its token: a program that
 * was started again sends them. All members know these addresses, and a cookie takes time to make.
 */
const RESTART_RATE: TokenBucketOptions = { rate: 1000, burst: 1000 };

const ROOM_FULL: Refusal = { code: "room-full", text: "The room is full" };
const NAME_WANTED: Refusal = {
  code: "name-wanted",
  text: "This server lets in only who has an account: sign in with its name",
};

/** The greetings of one room. */
export class Greetings {
  readonly #context: GreetingContext;
  readonly #wishes: NameWishes;
  readonly #restarts = new TokenBucket(RESTART_RATE, 0);

  constructor(context: GreetingContext) {
    this.#context = context;
    this.#wishes = new NameWishes({
      ...context,
      answer: (...args) => this.#answer(...args),
      tell: (...args) => this.#sendLine(...args),
    });
  }

  /** Forgets the wish of a member that says goodbye: a late answer must not let it in again. */
  forgetToken(token: string): void {
    this.#wishes.forgetToken(token);
  }

  /** Forgets the wishes that came from a peer whose connection has ended. */
  forgetPeer(peer: Peer): void {
    this.#wishes.forgetPeer(peer);
  }

  /** Handles an answer of the names that came later. */
  claimed(claim: NameClaim, isGranted: boolean, now: number): void {
    this.#wishes.claimed(claim, isGranted, now);
  }

  /**
   * Handles a GREETING or SIGN-IN in version 1. A peer that has not shown that it gets what is sent to it is told its
   * cookie, and nothing else: its address may be forged.
   *
   * @param bytes The length of the datagram.
   */
  receive(packet: Greeting, peer: Peer, now: number, bytes: number): void {
    const { admission, limits } = this.#context;
    const { token, cookie } = packet;
    const member = token === undefined ? undefined : admission.members.withToken(token);
    const isHere = member?.key === peer.key;
    if (!isHere && admission.members.withKey(peer.key) && this.#restarts.take(RESTART_RATE, now) > 0) {
      return this.#context.ignored.count("fast-requests");
    }
    if (token === undefined || !isHere && !admission.isValidated(peer, cookie, now)) {
      // who follows the protocol half would go round in a circle without a clue
      if (cookie !== undefined) this.#context.ignored.noteCookie(token === undefined ? "no-token" : "wrong");
      return this.#sendCookie(packet, peer, now, bytes);
    }
    // what is found out about a name takes time
    if (!member && packet.type === "SIGN-IN" && !limits.takeApplicantToken(peer, now)) return;
    const welcome = { packet: { ...packet, token }, peer };
    if (!isHere && this.#keepOut(welcome, member, now)) return;
    if (packet.type === "GREETING") {
      if (member || !this.#context.logins?.isForMembersOnly) return this.#welcome(welcome, now);
      return this.#refuse(welcome, NAME_WANTED);
    }
    if (member?.name === packet.name && packet.proof === undefined) {
      // it may have asked for another name, and have thought better of it
      this.#wishes.forgetToken(token);
      return this.#welcome(welcome, now, member.name);
    }
    if (isHere) admission.members.touch(member, now);
    if (member && !limits.takeRequestTokens(member, 1, now)) return;
    const repeated = isHere ? this.#context.logins?.repeatedVerifier(packet, member) : undefined;
    if (repeated !== undefined) return this.#welcome(welcome, now, packet.name, repeated);
    if (!member && this.#isFullFor(peer)) return this.#refuse(welcome, ROOM_FULL);
    this.#wishes.claim({ peer, packet: { ...packet, token }, askedAt: now }, now);
  }

  /** Tells one who may not come in why, and one who has come to a banned address to go; returns whether it is so. */
  #keepOut(greeting: ValidGreeting, member: Member | undefined, now: number): boolean {
    const { admission, limits } = this.#context, { peer, packet } = greeting, { token, type } = packet;
    const name = type === "SIGN-IN" ? packet.name : undefined;
    const hasToProve = name !== undefined && this.#context.logins?.needsProof(name);
    const expulsion = member
      ? admission.rules.banOf({ peer }, now)
      : admission.rules.refusalOf({ peer, token, name, hasToProve }, now);
    if (!expulsion) return false;
    if (member) admission.expel(member, expulsion, now);
    else if (type === "GREETING" && !limits.takeApplicantToken(peer, now)) return true;
    this.#refuse(greeting, expulsion);
    return true;
  }

  /** Handles a SIGN-IN of a classic member. */
  receiveClassic(packet: ClassicSignIn, member: Member, now: number): void {
    const name = normalizeName(packet.name);
    if (name === undefined) this.#sendLine(member, NAME_RULE, now);
    else this.#wishes.claim({ peer: member, packet: { ...packet, name }, askedAt: now }, now);
  }

  /** Why a connection that is no member can't have a name that it has proven to be its own; undefined if it can. */
  refusalOfProven(name: string, peer: Peer, now: number): Refusal | undefined {
    return this.#wishes.refusalOfProven(name, peer, now);
  }

  /** Gives a name to a member with a connection that has proven that it knows its password. */
  receiveProven(name: string, member: Member, now: number): void {
    const packet = { dialect: "classic", type: "SIGN-IN", name } as const;
    this.#wishes.claim({ peer: member, packet, askedAt: now, proven: {} }, now);
  }

  /** Gives an applicant its name, or tells it why not. */
  #answer({ peer, packet, proven }: Applicant, answer: WishAnswer, now: number): void {
    if (answer && "type" in answer) this.#context.delivery.send({ ...peer, dialect: "v1" }, answer);
    else if (packet.dialect === "classic") this.#answerClassic(peer, packet.name, answer, now);
    else if (answer) this.#refuse({ packet, peer }, answer);
    else this.#welcome({ packet, peer }, now, packet.name, proven?.verifier);
  }

  #answerClassic(peer: Peer, name: string, refusal: Refusal | undefined, now: number): void {
    const { admission } = this.#context;
    const member = admission.members.withKey(peer.key);
    if (!member || member.dialect === "v1") return;
    if (refusal) return this.#sendLine(member, refusal.text, now);
    const topic = member.name === undefined ? this.#context.topic() : undefined;
    admission.rename(member, name, now);
    this.#sendLine(member, `Signed in as ${name}`, now);
    if (topic !== undefined) this.#sendLine(member, `The topic is: ${topic}`, now);
  }

  /** Tells a peer its cookie, if the datagram was long enough for an answer to an address that may be forged. */
  #sendCookie({ id }: Greeting, peer: Peer, now: number, bytes: number): void {
    const { admission, delivery, ignored } = this.#context;
    const retry = { dialect: "v1", type: "RETRY", id, cookie: admission.cookieFor(peer, now) } as const;
    if (!isShortEnough(retry, bytes)) return ignored.count("too-short");
    admission.noteGreeting(peer, now);
    delivery.send({ ...peer, dialect: "v1" }, retry);
  }

  /**
   * Answers a greeting from a validated peer: lets a newcomer join, keeps a member alive, or moves it to this peer.
   *
   * @param name The name that it has from now on.
   * @param verifier What the server proves itself with, if the greeting had a proof.
   */
  #welcome(greeting: ValidGreeting, now: number, name?: string, verifier?: string): void {
    const { admission, delivery, joinAddress, journal, copies, echo, isOperator, topic } = this.#context;
    const { members } = admission;
    const { peer, packet: { id, token, loss } } = greeting;
    const member = members.withToken(token) ?? admission.admit({ peer, token, name }, now);
    if (!member && this.#isFullFor(peer)) return this.#refuse(greeting, ROOM_FULL);
    // it has just said goodbye, and this greeting may have been under way since before
    if (!member) return;
    // the token identifies a member whose address has changed (another Wi-Fi, another port of a NAT)
    admission.moveTo(member, peer, now);
    members.touch(member, now);
    copies.noteLoss(member, loss);
    if (name !== undefined) admission.rename(member, name, now);
    delivery.send(member, {
      dialect: "v1",
      type: "WELCOME",
      id,
      address: peer.address,
      token,
      epoch: journal.epoch,
      seq: journal.seq,
      digest: journal.digest,
      name: member.name,
      keepalive: admission.keepAlive,
      noecho: !echo,
      join: joinInsteadOf(peer, admission.members, joinAddress),
      verifier,
      operator: isOperator(member),
      topic: topic(),
    });
  }

  #isFullFor(peer: Peer): boolean {
    const { admission } = this.#context;
    return admission.isFull && !admission.members.withKey(peer.key);
  }

  #refuse({ peer, packet: { id, token } }: ValidGreeting, { code, text }: Refusal): void {
    this.#context.delivery.send({ ...peer, dialect: "v1" }, { dialect: "v1", type: "ERROR", token, code, id, text });
  }

  /** Sends one classic member a line that reads well on its own. */
  #sendLine(member: Member, line: string, now: number): void {
    if (!this.#context.limits.takeAnswerBytes(member, line, now)) return;
    this.#context.delivery.send(member, { dialect: "classic", type: "INCOMING", line });
  }
}
