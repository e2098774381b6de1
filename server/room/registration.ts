/**
 * Lets members protect their names by a password, change it, and give the protection up.
 *
 * @module
 */
import type { V1Packet } from "../../protocol.ts";
import { addressKey, isLoopback } from "../../protocol/address_key.ts";
import { fromHex, toHex } from "../../protocol/bytes.ts";
import type { CryptoFunctions, KeyPair } from "../../protocol/crypto_functions.ts";
import { open } from "../../protocol/hpke.ts";
import { ROUNDS } from "../../protocol/passwords.ts";
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import { serverSignature, unpackKeys } from "../../protocol/scram.ts";
import { type Account, type Accounts, MAX_ACCOUNTS } from "./accounts.ts";
import { activityOf } from "./activity.ts";
import { AnsweredRequests } from "./answered_requests.ts";
import type { Attempts } from "./attempts.ts";
import { BoundedMap } from "./bounded_map.ts";
import type { Delivery } from "./delivery.ts";
import type { Limits } from "./limits.ts";
import type { Member } from "./members.ts";
import { proofIn, type Proofs, type Purpose } from "./proofs.ts";
import type { Refusal } from "./refusal.ts";

/** What registrations need of the room. */
export interface RegistrationsContext {
  delivery: Delivery;
  limits: Limits;
  /** Undefined if this server protects no names. */
  parts: { accounts: Accounts; attempts: Attempts; crypto: CryptoFunctions; proofs: Proofs } | undefined;
  /** Whether nobody gets in without an account. */
  isForMembersOnly: boolean;
}

type Request = Extract<V1Packet, { type: "REGISTER" | "UNREGISTER" }>;
type Answer = Extract<V1Packet, { type: "REPLY" | "ERROR" | "CHALLENGE" }>;
/** An answer without the fields that show to whom and to what it is. */
type Words = Reply | { type: "ERROR" } & Refusal;
type Reply = { type: "REPLY"; verifier?: string; text: string };

type Verdict = { verifier?: string } | Refusal | "stale";

/** How long a key pair is in use at most, in milliseconds; then it is known for as long again, and no longer. */
const KEY_LIFETIME_MS = 300_000;
/** How many requests one that brings something sealed counts as: to open it takes as long as to answer so many. */
const OPENING_COST = 20;
/** How many names a second may be registered from one IP address that is not this machine's loopback. */
const ADDRESS_RATE: TokenBucketOptions = { rate: 1 / 60, burst: 5 };
/** How many names a second may be registered in all, so that nobody fills the accounts from many addresses. */
const TOTAL_RATE: TokenBucketOptions = { rate: 1 / 30, burst: 100 };
/** What passwords are sealed for; see PROTOCOL.md. */
const INFO = "udp-chat register";

/** A request of a member that has a name, at a server that protects names. */
interface Ask {
  packet: Request;
  member: Member;
  name: string;
  /** Of this name, if it is protected already. */
  account: Account | undefined;
}

/** The registrations of one room. */
export class Registrations {
  readonly #context: RegistrationsContext;
  readonly #addresses = new BoundedMap<TokenBucket>();
  readonly #total = new TokenBucket(TOTAL_RATE, 0);
  #pair: KeyPair | undefined;
  #previousPair: KeyPair | undefined;
  /** When the key pairs changed last, in milliseconds. */
  #changedAt = 0;

  constructor(context: RegistrationsContext) {
    this.#context = context;
  }

  /** When {@linkcode wake} is to be called, in milliseconds of the room's clock; undefined for never. */
  get dueAt(): number | undefined {
    return this.#pair || this.#previousPair ? this.#changedAt + KEY_LIFETIME_MS : undefined;
  }

  /** Forgets the key pairs that are old, so that nobody can ever open what was sealed for them. */
  wake(now: number): void {
    if (this.dueAt === undefined || now < this.dueAt) return;
    this.#previousPair = now < this.dueAt + KEY_LIFETIME_MS ? this.#pair : undefined;
    this.#pair = undefined;
    this.#changedAt = now;
  }

  /** Answers a REGISTER or an UNREGISTER, which is done once however often it is repeated. */
  receive(packet: Request, member: Member, now: number): void {
    const { delivery, limits } = this.#context;
    const opens = packet.type === "REGISTER" && packet.key !== undefined;
    if (!limits.takeRequestTokens(member, opens ? OPENING_COST : 1, now)) return;
    this.wake(now);
    const activity = activityOf(member), answered = activity.answered?.get(packet);
    if (answered) return delivery.send(member, answered);
    const answer = this.#answer(packet, member, now);
    if (answer.type !== "CHALLENGE") (activity.answered ??= new AnsweredRequests()).add(packet, answer);
    delivery.send(member, answer);
  }

  #answer(packet: Request, member: Member, now: number): Answer {
    const { id } = packet, { token, name } = member;
    const words = name === undefined
      ? error("no-name", "You have no name yet: sign in with one first")
      : this.#wordsFor(packet, member, name, now);
    if (words.type !== "CHALLENGE") return { dialect: "v1", id, token, ...words };
    return words;
  }

  #wordsFor(packet: Request, member: Member, name: string, now: number): Words | Answer & { type: "CHALLENGE" } {
    const { parts } = this.#context;
    if (!parts) return error("no-accounts", "This server protects no names: it runs without --state");
    const ask = { packet, member, name, account: parts.accounts.get(name) };
    if (packet.type === "UNREGISTER" && !ask.account) return error("no-name", `The name ${name} is not registered`);
    // who only asks what it takes has no proof yet
    const isQuestion = packet.type === "REGISTER" ? packet.key === undefined : packet.proof === undefined;
    if (isQuestion) return this.#challenge(ask, now);
    const verdict = ask.account ? this.#verdict(ask, now) : this.#newRefusal(ask, now) ?? {};
    if (verdict === "stale") return this.#challenge(ask, now);
    if ("code" in verdict) return { type: "ERROR", ...verdict };
    const { verifier } = verdict;
    if (packet.type === "UNREGISTER") return { ...this.#unregister(name), verifier };
    const words = this.#register(ask, packet, now);
    // if its key is no more, the client has to seal it for the present one
    return words ? { verifier, ...words } : this.#challenge(ask, now);
  }

  /** Whether the present password is proven. */
  #verdict({ packet, member, name }: Ask, now: number): Verdict {
    const proof = proofIn(packet), { token } = member;
    if (!proof) return "stale";
    return this.#context.parts!.proofs.check({ name, token, peer: member }, purposeOf(packet), proof, now);
  }

  /** Why a name can't become a protected one; undefined if it can. */
  #newRefusal({ member, name }: Ask, now: number): Refusal | undefined {
    const { accounts } = this.#context.parts!;
    const other = accounts.lookAlikeOf(name);
    if (other) return { code: "name-taken", text: `The name ${name} looks like ${other.name}, which is registered` };
    if (accounts.size >= MAX_ACCOUNTS) return { code: "too-many-tries", text: "There is no place for more names" };
    const ofAddress = this.#bucketOf(member, now)?.pause(ADDRESS_RATE, now) ?? 0;
    const pause = ofAddress || this.#total.pause(TOTAL_RATE, now);
    if (pause === 0) return undefined;
    const where = ofAddress > 0 ? "from your IP address" : "here";
    const text = `Too many names were registered ${where}; try again in ${Math.ceil(pause / 1000)} s`;
    return { code: "too-many-tries", text };
  }

  /** What may be registered from the IP address of a member; undefined for the server's own machine. */
  #bucketOf({ address }: Member, now: number): TokenBucket | undefined {
    if (isLoopback(address)) return undefined;
    const key = addressKey(address);
    let bucket = this.#addresses.get(key);
    if (!bucket) this.#addresses.set(key, bucket = new TokenBucket(ADDRESS_RATE, now));
    return bucket;
  }

  /** Protects a name, or changes its password; returns undefined if what is sealed can't be opened. */
  #register({ member, name, account }: Ask, sealed: V1Packet & { type: "REGISTER" }, now: number): Reply | undefined {
    const { accounts, attempts, crypto, proofs } = this.#context.parts!;
    const packed = this.#open(sealed, `${member.token} ${name}`), keys = packed && unpackKeys(packed);
    if (!keys) return undefined;
    const { rounds = ROUNDS, isOperator = false } = account ?? {};
    accounts.put({ name: account?.name ?? name, ...keys, rounds, isOperator });
    proofs.use(name);
    attempts.remember({ name, address: member.address });
    if (account) return { type: "REPLY", text: `The password of ${name} is changed` };
    this.#bucketOf(member, now)?.take(ADDRESS_RATE, now);
    this.#total.take(TOTAL_RATE, now);
    // who could not open what was sealed does not know this key
    const message = `register ${member.token} ${member.address} ${sealed.key} ${sealed.sealed}`;
    const verifier = toHex(serverSignature(keys, message, crypto));
    return { type: "REPLY", verifier, text: `The name ${name} is yours now: only who knows its password gets it` };
  }

  #open({ key, sealed }: V1Packet & { type: "REGISTER" }, additional: string): Uint8Array | undefined {
    const box = { key: fromHex(key!), sealed: fromHex(sealed!) }, { crypto } = this.#context.parts!;
    for (const pair of [this.#pair, this.#previousPair]) {
      const packed = pair && open(box, pair, { info: INFO, additional }, crypto);
      if (packed) return packed;
    }
  }

  /** Forgets the key pairs, since what was sealed for them would register a name again that is given up. */
  forgetKeys(): void {
    this.#pair = this.#previousPair = undefined;
  }

  #unregister(name: string): Reply {
    const { parts, isForMembersOnly } = this.#context;
    parts!.accounts.remove(name);
    this.forgetKeys();
    const text = `The name ${name} is not protected any more`;
    return { type: "REPLY", text: isForMembersOnly ? `${text}; nobody gets in here without an account` : text };
  }

  #challenge({ packet, member, name, account }: Ask, now: number): Answer & { type: "CHALLENGE" } {
    const { proofs } = this.#context.parts!, { id } = packet, { token, address } = member;
    const claimant = { name, token, peer: member };
    const fields = account ? proofs.challenge(claimant, purposeOf(packet), now) : { address, rounds: ROUNDS };
    const key = packet.type === "REGISTER" ? toHex(this.#presentPair(now).publicKey) : undefined;
    return { dialect: "v1", type: "CHALLENGE", id, token, ...fields, key };
  }

  #presentPair(now: number): KeyPair {
    if (this.dueAt === undefined) this.#changedAt = now;
    return this.#pair ??= this.#context.parts!.crypto.newX25519KeyPair();
  }
}

function purposeOf(packet: Request): Purpose {
  if (packet.type === "UNREGISTER") return { word: "unregister" };
  const { key, sealed } = packet;
  return { word: "register", also: `${key} ${sealed}` };
}

function error(code: string, text: string): Words {
  return { type: "ERROR", code, text };
}
