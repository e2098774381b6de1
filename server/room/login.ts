/**
 * Protected names: who has to prove that it knows a password, before it gets one.
 *
 * @module
 */
import type { Proof, V1Packet } from "../../protocol.ts";
import { nameKey } from "../../protocol/names.ts";
import type { Account, Accounts } from "./accounts.ts";
import { activityOf } from "./activity.ts";
import type { Expulsion } from "./expulsions.ts";
import type { Member } from "./members.ts";
import type { NameRefusal } from "./name_refusal.ts";
import type { Peer } from "./peer.ts";
import { isSameProof, proofIn, type ProofRefusal, type Proofs } from "./proofs.ts";

/** What the logins need of the room. */
export interface LoginsContext {
  accounts: Accounts;
  proofs: Proofs;
  /** Whether nobody gets in without an account. */
  isForMembersOnly: boolean;
  /** Whether passwords are taken over a connection. */
  takesPlainPasswords: boolean;
}

/** Somebody who asks for a name in version 1. */
export interface Applicant {
  peer: Peer;
  packet: V1Packet & { type: "SIGN-IN" } & { token: string };
  /** The name that it has already, if it is a member. */
  present?: string;
}

/** What a wish for a protected name leads to. */
export type LoginAnswer = V1Packet & { type: "CHALLENGE" } | ProofRefusal | { verifier: string };

/** What is told to a member whose name somebody else has proven. */
export const SIGNED_IN_ELSEWHERE: Expulsion = {
  code: "signed-in-elsewhere",
  text: "Somebody has signed in elsewhere with your name and its password",
};

/** The protected names of one room. */
export class Logins {
  readonly isForMembersOnly: boolean;
  readonly #context: LoginsContext;

  constructor(context: LoginsContext) {
    this.#context = context;
    this.isForMembersOnly = context.isForMembersOnly;
  }

  /** Whether a name is given only to who proves that it knows the password, as far as anybody may know. */
  needsProof(name: string): boolean {
    return this.isForMembersOnly || this.isProtected(name);
  }

  isProtected(name: string | undefined): boolean {
    return name !== undefined && this.#context.accounts.get(name) !== undefined;
  }

  lookAlikeOf(name: string): Account | undefined {
    return this.#context.accounts.lookAlikeOf(name);
  }

  /** Answers who wants a name; undefined if it may have it without a proof, or has it already. */
  answer({ peer, packet, present }: Applicant, now: number): LoginAnswer | undefined {
    const { name, token, id } = packet, { proofs } = this.#context;
    const proof = proofIn(packet);
    const hasIt = present !== undefined && nameKey(present) === nameKey(name);
    if (!this.needsProof(name) || hasIt && !proof) return undefined;
    const claimant = { name, token, peer }, purpose = { word: "sign-in" } as const;
    const verdict = proof ? proofs.check(claimant, purpose, proof, now) : "stale";
    if (verdict !== "stale") return verdict;
    return { dialect: "v1", type: "CHALLENGE", id, token, ...proofs.challenge(claimant, purpose, now) };
  }

  /**
   * What answers a member that repeats, from the same address, the proof by which it has its name, because the WELCOME
   * was lost; undefined for another proof. Nothing is computed and nothing used up, so nobody else waits for it.
   */
  repeatedVerifier(packet: V1Packet & { type: "SIGN-IN" }, member: Member): string | undefined {
    const proof = proofIn(packet), taken = member.activity?.proven;
    const isRepeat = proof && taken && member.name === packet.name && member.key === taken.key &&
      isSameProof(proof, taken.proof);
    return isRepeat ? taken.verifier : undefined;
  }

  /** Notes that a member got its name by a proof, which is used up; in version 1 it may be repeated. */
  signedIn({ name, ...packet }: Proof & { name: string }, member: Member | undefined, verifier?: string): void {
    const proof = proofIn(packet);
    if (member && proof && verifier !== undefined) activityOf(member).proven = { proof, key: member.key, verifier };
    this.#context.proofs.use(name);
  }

  /** The refusal of a protected name to who can't prove anything. */
  refusal(name: string, isConnection: boolean): NameRefusal {
    const { takesPlainPasswords } = this.#context;
    const text = isConnection && takesPlainPasswords
      ? `The name ${name} is registered: /login ${name} PASSWORD takes it`
      : `The name ${name} is registered; choose another`;
    return { code: "name-taken", text };
  }
}
