/**
 * Wishes for names: who may have the name that it asks for, and who waits for the answer of the names.
 *
 * @module
 */
import type { ClassicPacket, V1Packet } from "../../protocol.ts";
import { nameKey } from "../../protocol/names.ts";
import { MAX_NAMES_PER_ADDRESS } from "./address_limits.ts";
import type { Admission } from "./admission.ts";
import type { Ignored } from "./ignored.ts";
import type { Limits } from "./limits.ts";
import { type LoginAnswer, type Logins, SIGNED_IN_ELSEWHERE } from "./login.ts";
import { holderOf, type Member } from "./members.ts";
import type { MuteHolder } from "./mutes.ts";
import { nameRefusal, nameTaken, renamedOften, TOO_MANY_AT_ONCE } from "./name_refusal.ts";
import type { NameClaim } from "./names.ts";
import type { Peer } from "./peer.ts";
import type { Refusal } from "./refusal.ts";

type SignIn = Extract<V1Packet, { type: "SIGN-IN" }> & { token: string };
/** A SIGN-IN of a classic member, or of one that speaks in lines. */
export type ClassicSignIn = Extract<ClassicPacket, { type: "SIGN-IN" }>;

/** A peer that has asked for a name. */
export interface Applicant {
  peer: Peer;
  packet: SignIn | ClassicSignIn;
  /** When the names were asked, in milliseconds. */
  askedAt: number;
  /** Set once it has proven that it knows the name's password; with what the server proves itself in turn. */
  proven?: { verifier?: string };
}

/** The most wishes for a name that may wait for an answer. Further ones are ignored, and the clients repeat them. */
const MAX_WAITING_CLAIMS = 10_000;
/** After how long a member may ask again that has asked for too many names which it can't have, in milliseconds. */
const ASK_PAUSE_MS = 1000;
/** After how long the names are asked again when a client repeats a wish that had no answer, in milliseconds. */
const ASK_AGAIN_MS = 5000;

/**
 * What becomes of a wish: it is granted, which is undefined; it is refused; or its sender has to prove something first.
 */
export type WishAnswer = Refusal | V1Packet & { type: "CHALLENGE" } | undefined;

/** What wishes for names need of the room. */
export interface NameWishesContext {
  admission: Admission;
  ignored: Ignored;
  limits: Limits;
  /** Undefined if this server protects no names. */
  logins: Logins | undefined;
  /** Why one that is muted may not have a name, as a sentence; undefined if it may. */
  mutedNameOf: (member: MuteHolder, name: string, now: number) => string | undefined;
  /** Tells a classic member something in a line, within what may go to its address. */
  tell: (member: Member, line: string, now: number) => void;
  /** Gives an applicant its name, or tells it why not. */
  answer: (applicant: Applicant, answer: WishAnswer, now: number) => void;
}

/** The wishes for names of one room. */
export class NameWishes {
  readonly #context: NameWishesContext;
  /** Who waits for an answer of the names, by the holder of the claim. */
  readonly #waiting = new Map<string, Applicant>();

  constructor(context: NameWishesContext) {
    this.#context = context;
  }

  /** Forgets the wish of who has a token. */
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
    if (applicant) this.claim({ ...applicant, askedAt: now }, now);
  }

  /** Why a peer that is no member can't have a name that it has proven to be its own; undefined if it can. */
  refusalOfProven(name: string, peer: Peer, now: number): Refusal | undefined {
    const applicant = {
      peer,
      packet: { dialect: "classic", type: "SIGN-IN", name } as const,
      askedAt: now,
      proven: {},
    };
    return this.#claimRefusal(applicant, { name, holder: peer.key }, true, now);
  }

  /** Asks for a name, unless the names are asked for it already; the answer may come later. */
  claim(applicant: Applicant, now: number): void {
    const { admission: { members, names }, answer, ignored } = this.#context;
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
    const found = this.#maySignIn(applicant, claim, now);
    if (found === "too often") return;
    if (found && !("verifier" in found)) return answer(applicant, found, now);
    if (found) applicant.proven = found;
    const tooSoon = this.#renamedOften(applicant, claim, now);
    if (tooSoon) return answer(applicant, tooSoon, now);
    if (this.#waiting.size >= MAX_WAITING_CLAIMS && !this.#forgetOldest(now)) return ignored.count("queue-full");
    if (!this.#claimRefusal(applicant, claim, true, now)) this.#makeWay(applicant, claim, now);
    const isGranted = names.claim(claim);
    if (isGranted === undefined) this.#waiting.set(holder, applicant);
    else this.#decide(applicant, claim, isGranted, now);
  }

  /**
   * Whether the names may be asked for an applicant; if the name takes a proof, what the server proves itself with in
   * turn. In version 1 it is told why not, unless it asks too often: it has sent back its cookie, so the answer goes to
   * nobody else.
   */
  #maySignIn(applicant: Applicant, claim: NameClaim, now: number): LoginAnswer | Refusal | "too often" | undefined {
    const { admission: { members }, limits, logins } = this.#context;
    const { peer, packet } = applicant, isNew = !this.#hasName(applicant);
    // some names take a millisecond to look at
    const tooSoon = this.#mayNotAsk(applicant, now);
    if (tooSoon) return tooSoon;
    // a proof was slow enough, and its sender must not go without an answer
    if (applicant.proven) return undefined;
    if (packet.dialect === "classic") return isNew && !limits.takeSignInToken(peer, now) ? "too often" : undefined;
    // one that is no member has been asked for it already
    if (isNew && members.withToken(packet.token) && !limits.takeApplicantToken(peer, now)) return "too often";
    // a name that it can't have takes nothing from the others with its IP address
    const refusal = isNew ? this.#nameRefusal(applicant, claim, now) : this.#mutedName(applicant, now);
    if (refusal) return refusal;
    const login = logins?.answer({ peer, packet, present: members.withToken(packet.token)?.name }, now);
    if (login && !("verifier" in login)) return login;
    return isNew && !limits.takeSignInToken(asValidated(applicant), now) ? TOO_MANY_AT_ONCE : login;
  }

  /**
   * Why a member that has a name may not ask for another one so soon, whatever name that is: nothing is found out about
   * it.
   */
  #mayNotAsk(applicant: Applicant, now: number): Refusal | undefined {
    const { limits } = this.#context, member = this.#memberOf(applicant);
    if (member?.name === undefined || member.name === applicant.packet.name) return undefined;
    const missing = limits.renamePause(member, now);
    if (missing) return renamedOften(missing);
    const mayAsk = limits.takeApplicantToken(applicant.peer, now);
    return mayAsk ? undefined : renamedOften({ pause: ASK_PAUSE_MS, isShared: false });
  }

  /** Why a member that has a name may not have another one so soon. One that it can't have takes nothing. */
  #renamedOften(applicant: Applicant, claim: NameClaim, now: number): Refusal | undefined {
    const member = this.#memberOf(applicant);
    if (member?.name === undefined || member.name === claim.name || this.#claimRefusal(applicant, claim, true, now)) {
      return undefined;
    }
    const missing = this.#context.limits.takeRenameToken(member, now);
    return missing && renamedOften(missing);
  }

  /**
   * Removes another member that has the name of an applicant which has proven that it is the owner. Takes the name from
   * a classic member that has been silent for long.
   */
  #makeWay({ proven }: Applicant, { name, holder, replaces }: NameClaim, now: number): void {
    const { admission } = this.#context, other = admission.members.withName(name);
    if (!other || [holder, replaces].includes(holderOf(other))) return;
    if (proven) admission.expel(other, SIGNED_IN_ELSEWHERE, now);
    else if (admission.nameFreeIn(other, now) === 0) {
      const text = `You were silent, and another has the name ${other.name} now: SIGN-IN takes another one`;
      admission.rename(other, undefined, now);
      this.#context.tell(other, text, now);
    }
  }

  /** Why an applicant may not have another name: each new one would be told to all. */
  #mutedName(applicant: Applicant, now: number): Refusal | undefined {
    const { peer, packet } = applicant, token = packet.dialect === "v1" ? packet.token : "";
    const holder = this.#memberOf(applicant) ?? { token, key: peer.key, name: undefined };
    const text = this.#context.mutedNameOf(holder, packet.name, now);
    return text === undefined ? undefined : { code: "bad-name", text };
  }

  /** Why nobody, or not this one, may have a name. */
  #nameRefusal(applicant: Applicant, claim: NameClaim, now: number): Refusal | undefined {
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
    this.#context.answer(applicant, refusal, now);
    if (proven && !refusal) this.#context.logins!.signedIn(packet, this.#memberOf(applicant), proven.verifier);
    if (isGranted) this.#releaseUnused(claim);
  }

  /** Why an applicant can't have a name; undefined if it can. */
  #claimRefusal(applicant: Applicant, claim: NameClaim, isGranted: boolean, now: number): Refusal | undefined {
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

  /** Gives a name back that was given to a holder which has left, or which was not let in. */
  #releaseUnused({ name, holder }: NameClaim): void {
    const { members, names } = this.#context.admission;
    const member = members.withName(name);
    if (!member || holderOf(member) !== holder) names.release(name, holder);
  }
}

/** The peer of an applicant as a validated one, if it asks in version 1: it has sent back its cookie. */
function asValidated({ peer: { address, validated }, packet }: Applicant): Pick<Peer, "address" | "validated"> {
  return { address, validated: validated || packet.dialect === "v1" };
}
