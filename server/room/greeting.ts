/**
 * Handles greetings: lets clients join, keeps them alive, moves them, and gives them names.
 *
 * @module
 */
import type { ClassicPacket, V1Packet } from "../../protocol.ts";
import { NAME_RULE, nameKey, normalizeName } from "../../protocol/names.ts";
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import type { Journal } from "../journal/journal.ts";
import { MAX_NAMES_PER_ADDRESS } from "./address_limits.ts";
import { isShortEnough } from "./address_validation.ts";
import { type Admission, holderOf } from "./admission.ts";
import type { Delivery } from "./delivery.ts";
import type { Expulsion } from "./expulsions.ts";
import type { Ignored } from "./ignored.ts";
import { type JoinAddress, joinInsteadOf } from "./join_address.ts";
import type { Limits } from "./limits.ts";
import { type Logins, SIGNED_IN_ELSEWHERE } from "./login.ts";
import type { Member } from "./members.ts";
import { type NameRefusal, nameRefusal, nameTaken, renamedOften, TOO_MANY_AT_ONCE } from "./name_refusal.ts";
import type { NameClaim } from "./names.ts";
import type { MuteHolder } from "./mutes.ts";
import type { Peer } from "./peer.ts";

/** What greetings need of the room. */
export interface GreetingContext {
  admission: Admission;
  delivery: Delivery;
  journal: Journal;
  limits: Limits;
  ignored: Ignored;
  /** Undefined if this server protects no names. */
  logins: Logins | undefined;
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
type SignIn = Extract<V1Packet, { type: "SIGN-IN" }> & { token: string };
type ClassicSignIn = Extract<ClassicPacket, { type: "SIGN-IN" }>;

/** A greeting from a peer that is validated. */
interface ValidGreeting {
  peer: Peer;
  packet: Greeting & { token: string };
}

/** A peer that has asked for a name. */
interface Applicant {
  peer: Peer;
  packet: SignIn | ClassicSignIn;
  /** When the names were asked, in milliseconds. */
  askedAt: number;
  /** Set once it has proven that it knows the name's password; with what the server proves itself in turn. */
  proven?: { verifier?: string };
}

/** The most wishes for a name that may wait for an answer. Further ones are ignored, and the clients repeat them. */
const MAX_WAITING_CLAIMS = 10_000;
/** After how long the names are asked again when a client repeats a wish that had no answer, in milliseconds. */
const ASK_AGAIN_MS = 5000;

/**
 * How many greetings a second are answered in all that come from a member's address without its token: a program that
 * was started again sends them. All members know these addresses, and a cookie takes time to make.
 */
const RESTART_RATE: TokenBucketOptions = { rate: 1000, burst: 1000 };

/** The greetings of one room. */
export class Greetings {
  readonly #context: GreetingContext;
  /** Who waits for an answer of the names, by the holder of the claim. */
  readonly #waiting = new Map<string, Applicant>();
  readonly #restarts = new TokenBucket(RESTART_RATE, 0);

  constructor(context: GreetingContext) {
    this.#context = context;
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
    const welcome = { packet: { ...packet, token }, peer };
    if (!isHere && this.#keepOut(welcome, member, now)) return;
    if (packet.type === "GREETING") {
      if (member || !this.#context.logins?.isForMembersOnly) return this.#welcome(welcome, now);
      return this.#refuse(welcome, "name-wanted", "This server lets in only who has an account: sign in with its name");
    }
    if (member?.name === packet.name && packet.proof === undefined) {
      // it may have asked for another name, and have thought better of it
      this.#waiting.delete(token);
      return this.#welcome(welcome, now, member.name);
    }
    if (isHere) admission.members.touch(member, now);
    if (member && !limits.takeRequestTokens(member, 1, now)) return;
    const repeated = isHere ? this.#context.logins?.repeatedVerifier(packet, member) : undefined;
    if (repeated !== undefined) return this.#welcome(welcome, now, packet.name, repeated);
    if (!member && this.#isFullFor(peer)) return this.#refuse(welcome, "room-full", "The room is full");
    this.#claim({ peer, packet: { ...packet, token }, askedAt: now }, now);
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
    else if (!limits.takeApplicantToken(peer, now)) return true;
    this.#refuse(greeting, expulsion.code, expulsion.text);
    return true;
  }

  /** Handles a SIGN-IN of a classic member. */
  receiveClassic(packet: ClassicSignIn, member: Member, now: number): void {
    const name = normalizeName(packet.name);
    if (name === undefined) this.#sendLine(member, NAME_RULE, now);
    else this.#claim({ peer: member, packet: { ...packet, name }, askedAt: now }, now);
  }

  /** Gives a name to a member with a connection that has proven that it knows its password. */
  receiveProven(name: string, member: Member, now: number): void {
    const packet = { dialect: "classic", type: "SIGN-IN", name } as const;
    this.#claim({ peer: member, packet, askedAt: now, proven: {} }, now);
  }

  /** Forgets the wish of a member that says goodbye: a late answer must not let it in again. */
  forgetToken(token: string): void {
    this.#waiting.delete(token);
  }

  /** Forgets the wishes that came from a peer whose connection has ended. */
  forgetPeer({ key }: Peer): void {
    for (const [holder, { peer }] of this.#waiting) if (peer.key === key) this.#waiting.delete(holder);
  }

  /** Handles an answer of the names that came later. */
  claimed(claim: NameClaim, isGranted: boolean, now: number): void {
    const applicant = this.#waiting.get(claim.holder);
    this.#waiting.delete(claim.holder);
    if (applicant && nameKey(applicant.packet.name) === nameKey(claim.name)) {
      return this.#decide(applicant, claim, isGranted, now);
    }
    // meanwhile it has asked for another name
    if (isGranted) this.#releaseUnused(claim);
    if (applicant) this.#claim({ ...applicant, askedAt: now }, now);
  }

  #claim(applicant: Applicant, now: number): void {
    const { admission: { members, names }, ignored } = this.#context;
    const { peer, packet } = applicant;
    const token = packet.dialect === "v1" ? packet.token : undefined;
    const holder = token ?? peer.key;
    // it repeats its wish, or has another one: the latest packet is the one that is answered
    const waiting = this.#waiting.get(holder);
    if (waiting && now < waiting.askedAt + ASK_AGAIN_MS) {
      const proven = nameKey(waiting.packet.name) === nameKey(packet.name) ? waiting.proven : undefined;
      return void this.#waiting.set(holder, { proven, ...applicant, askedAt: waiting.askedAt });
    }
    this.#waiting.delete(holder);
    const there = members.withKey(peer.key);
    const replaces = there && holderOf(there) !== holder ? holderOf(there) : undefined;
    const claim = { name: packet.name, holder, replaces };
    if (!this.#maySignIn(applicant, claim, now) || !this.#mayRename(applicant, claim, now)) return;
    if (this.#waiting.size >= MAX_WAITING_CLAIMS && !this.#forgetOldest(now)) return ignored.count("queue-full");
    if (!this.#claimRefusal(applicant, claim, true, now)) this.#makeWay(applicant, claim, now);
    const isGranted = names.claim(claim);
    if (isGranted === undefined) this.#waiting.set(holder, applicant);
    else this.#decide(applicant, claim, isGranted, now);
  }

  /**
   * Whether the names may be asked for an applicant. In version 1 it is told why not, unless it asks too often: it has
   * sent back its cookie, so the answer goes to nobody else. Notes its proof, if the name takes one.
   */
  #maySignIn(applicant: Applicant, claim: NameClaim, now: number): boolean {
    const { admission: { members }, delivery, limits, logins } = this.#context;
    const { peer, packet } = applicant, isNew = !this.#hasName(applicant);
    if (packet.dialect === "classic") return !isNew || limits.takeSignInToken(peer, now);
    if (isNew && !limits.takeApplicantToken(peer, now)) return false;
    // a name that it can't have takes nothing from the others with its IP address
    let refusal: { code: string; text: string } | undefined = isNew
      ? this.#nameRefusal(applicant, claim, now)
      : this.#mutedName(applicant, now);
    if (!refusal) {
      const answer = logins?.answer({ peer, packet, present: members.withToken(packet.token)?.name }, now);
      if (answer && "type" in answer) {
        delivery.send({ ...peer, dialect: "v1" }, answer);
        return false;
      }
      if (answer && "verifier" in answer) applicant.proven = answer;
      else refusal = answer;
    }
    if (!refusal && isNew && !limits.takeSignInToken(asValidated(applicant), now)) refusal = TOO_MANY_AT_ONCE;
    if (refusal) this.#refuse({ peer, packet }, refusal.code, refusal.text);
    return refusal === undefined;
  }

  /** Whether a member that has a name may have another one so soon. One that it can't have takes nothing. */
  #mayRename(applicant: Applicant, claim: NameClaim, now: number): boolean {
    const member = this.#memberOf(applicant);
    if (member?.name === undefined || member.name === claim.name || this.#claimRefusal(applicant, claim, true, now)) {
      return true;
    }
    const pause = this.#context.limits.takeRenameToken(member, now);
    if (pause > 0) this.#answer(applicant, renamedOften(pause), now);
    return pause === 0;
  }

  /**
   * Removes another member that has the name of an applicant which has proven that it is the owner. Takes the name from a
   * classic member that has been silent for long.
   */
  #makeWay({ proven }: Applicant, { name, holder, replaces }: NameClaim, now: number): void {
    const { admission } = this.#context, other = admission.members.withName(name);
    if (!other || [holder, replaces].includes(holderOf(other))) return;
    if (proven) admission.expel(other, SIGNED_IN_ELSEWHERE, now);
    else if (admission.nameFreeIn(other, now) === 0) admission.rename(other, undefined, now);
  }

  /** Why an applicant may not have another name: each new one would be told to all. */
  #mutedName(applicant: Applicant, now: number): NameRefusal | undefined {
    const { peer, packet } = applicant, token = packet.dialect === "v1" ? packet.token : "";
    const holder = this.#memberOf(applicant) ?? { token, key: peer.key, name: undefined };
    const text = this.#context.mutedNameOf(holder, packet.name, now);
    return text === undefined ? undefined : { code: "bad-name", text };
  }

  /** Why nobody, or not this one, may have a name. */
  #nameRefusal(applicant: Applicant, claim: NameClaim, now: number): NameRefusal | undefined {
    const muted = this.#mutedName(applicant, now);
    if (muted) return muted;
    const { admission, logins } = this.#context, keptOut = admission.rules.nameRefusal(claim.name, now);
    if (keptOut !== undefined) return { code: "bad-name", text: `${keptOut}; choose another` };
    const freeIn = (member: Member) => admission.nameFreeIn(member, now);
    return nameRefusal(claim, { members: admission.members, logins, freeIn });
  }

  /** Forgets the wish that has waited longest, if it has waited for long; returns whether it had. */
  #forgetOldest(now: number): boolean {
    const [[holder, { askedAt }]] = this.#waiting;
    return now >= askedAt + ASK_AGAIN_MS && this.#waiting.delete(holder);
  }

  /** Acts on the answer of the names. The applicant may have left or joined in the meantime. */
  #decide(applicant: Applicant, claim: NameClaim, isGranted: boolean, now: number): void {
    const { packet, proven } = applicant;
    const refusal = this.#claimRefusal(applicant, claim, isGranted, now);
    // nobody has to go for one that may not come in
    if (!refusal) this.#makeWay(applicant, claim, now);
    this.#answer(applicant, refusal, now);
    if (proven && !refusal) this.#context.logins!.signedIn(packet, this.#memberOf(applicant), proven.verifier);
    if (isGranted) this.#releaseUnused(claim);
  }

  /** Why an applicant can't have a name; undefined if it can. */
  #claimRefusal(
    applicant: Applicant,
    claim: NameClaim,
    isGranted: boolean,
    now: number,
  ): NameRefusal | Expulsion | undefined {
    const { admission, logins } = this.#context, { members } = admission, { proven, packet, peer } = applicant;
    // it may have been told to go while the names were asked
    const isNew = packet.dialect === "v1" && !members.withToken(packet.token);
    const expulsion = isNew ? admission.rules.refusalOf({ peer, ...packet }, now) : undefined;
    if (expulsion) return expulsion;
    const present = this.#memberOf(applicant)?.name;
    const isProven = proven !== undefined || present !== undefined && nameKey(present) === nameKey(packet.name);
    if (!isProven && logins?.needsProof(packet.name)) return logins.refusal(packet.name, peer.validated);
    // a member may have taken it, or one that looks like it, while the names were asked
    const refusal = this.#nameRefusal(applicant, claim, now) ?? (isGranted ? undefined : nameTaken(claim.name));
    if (refusal) return refusal;
    if (this.#hasName(applicant) || members.namesAt(asValidated(applicant)) < MAX_NAMES_PER_ADDRESS) return undefined;
    return { code: "room-full", text: "Too many names from your address" };
  }

  /** Whether an applicant is a member with a name, and only wants another one. */
  #hasName(applicant: Applicant): boolean {
    return this.#memberOf(applicant)?.name !== undefined;
  }

  #memberOf({ peer, packet }: Applicant): Member | undefined {
    const { members } = this.#context.admission;
    return packet.dialect === "v1" ? members.withToken(packet.token) : members.withKey(peer.key);
  }

  /** Gives an applicant its name, or refuses it, and tells it so. */
  #answer({ peer, packet, proven }: Applicant, refusal: NameRefusal | Expulsion | undefined, now: number): void {
    if (packet.dialect === "classic") this.#answerClassic(peer, packet.name, refusal, now);
    else if (refusal) this.#refuse({ packet, peer }, refusal.code, refusal.text);
    else this.#welcome({ packet, peer }, now, packet.name, proven?.verifier);
  }

  #answerClassic(peer: Peer, name: string, refusal: NameRefusal | Expulsion | undefined, now: number): void {
    const { admission } = this.#context;
    const member = admission.members.withKey(peer.key);
    if (!member || member.dialect === "v1") return;
    if (refusal) return this.#sendLine(member, refusal.text, now);
    const topic = member.name === undefined ? this.#context.topic() : undefined;
    admission.rename(member, name, now);
    this.#sendLine(member, `Signed in as ${name}`, now);
    if (topic !== undefined) this.#sendLine(member, `The topic is: ${topic}`, now);
  }

  /** Gives a name back that was given to a holder which has left, or which was not let in. */
  #releaseUnused({ name, holder }: NameClaim): void {
    const { members, names } = this.#context.admission;
    const member = members.withName(name);
    if (!member || holderOf(member) !== holder) names.release(name, holder);
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
    const { admission, delivery, joinAddress, journal, echo, isOperator, topic } = this.#context;
    const { members } = admission;
    const { peer, packet: { id, token } } = greeting;
    const member = members.withToken(token) ?? admission.admit({ peer, token, name }, now);
    if (!member && this.#isFullFor(peer)) return this.#refuse(greeting, "room-full", "The room is full");
    // it has just said goodbye, and this greeting may have been under way since before
    if (!member) return;
    // the token identifies a member whose address has changed (another Wi-Fi, another port of a NAT)
    admission.moveTo(member, peer, now);
    members.touch(member, now);
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

  #refuse({ peer, packet: { id, token } }: ValidGreeting, code: string, text: string): void {
    this.#context.delivery.send({ ...peer, dialect: "v1" }, { dialect: "v1", type: "ERROR", token, code, id, text });
  }

  /** Sends one classic member a line that reads well on its own. */
  #sendLine(member: Member, line: string, now: number): void {
    if (!this.#context.limits.takeAnswerBytes(member, line, now)) return;
    this.#context.delivery.send(member, { dialect: "classic", type: "INCOMING", line });
  }
}

/** The peer of an applicant as a validated one, if it asks in version 1: it has sent back its cookie. */
function asValidated({ peer: { address, validated }, packet }: Applicant): Pick<Peer, "address" | "validated"> {
  return { address, validated: validated || packet.dialect === "v1" };
}
