/**
 * Who may not come in, and why: those who were told to go, those who are banned, and anybody new while the room is
 * locked.
 *
 * @module
 */
import type { KeptBan } from "../journal/past.ts";
import type { Bans } from "./bans.ts";
import { type Expelled, type Expulsion, Expulsions } from "./expulsions.ts";
import type { Lock } from "./lock.ts";
import type { Member } from "./members.ts";
import { whatIsLeft } from "./order_words.ts";
import type { Peer } from "./peer.ts";

/** Whoever wants to come in. */
export interface Newcomer {
  peer: Pick<Peer, "key" | "address">;
  /** Undefined for one that has none. */
  token?: string;
  /** The name that it asks for. */
  name?: string;
  /** Whether it still has to prove that the name is its own: only then may it learn whether it is an operator's. */
  hasToProve?: boolean;
}

/** What the rules go by. */
export interface EntryRulesContext {
  bans: Bans;
  lock: Lock;
}

/** Who may come into one room. */
export class EntryRules {
  /** Who was told to go of late. */
  readonly expulsions: Expulsions = new Expulsions();
  readonly #context: EntryRulesContext;

  constructor(context: EntryRulesContext) {
    this.#context = context;
  }

  /** Notes that a member has to go, as {@linkcode Expulsions.add} does. */
  expel(member: Member, expulsion: Expulsion, now: number, how: Parameters<Expulsions["add"]>[3]): void {
    this.expulsions.add(member, expulsion, now, how);
    if (expulsion.code !== "signed-in-elsewhere") this.#context.lock.forgetSilentAt(member.address);
  }

  /** Why somebody may not come in; undefined if it may. */
  refusalOf(newcomer: Newcomer, now: number): Expulsion | undefined {
    const { peer, token, name, hasToProve } = newcomer;
    const expelled = this.expulsions.of(token, peer, now);
    const kick = expelled?.what !== undefined || name === undefined ? expelled : this.expulsions.ofName(name, now);
    if (kick?.what !== undefined) {
      return { code: kick.code, text: `Not yet: you were ${kick.what}; you may come back in ${seconds(kick, now)}` };
    }
    // a ban may have been ended since
    if (expelled && expelled.code !== "banned") return expelled;
    return this.banOf(newcomer, now) ??
      (hasToProve ? undefined : this.#context.lock.refusalOf(token || peer.key, name));
  }

  /** The ban that keeps somebody out, also one that is here already: it may have come to another address. */
  banOf({ peer, token, name }: Newcomer, now: number): Expulsion | undefined {
    const { bans } = this.#context;
    const ofAddress = bans.ofAddress(peer.address, now);
    if (ofAddress) return { code: "banned", text: `Your IP address is ${this.#words(ofAddress, now)}` };
    const ban = bans.ofHolder(token || peer.key, now);
    if (ban) return { code: "banned", text: `You are ${this.#words(ban, now)}` };
    const text = name === undefined ? undefined : this.nameBan(name, now);
    return text === undefined ? undefined : { code: "banned", text };
  }

  /**
   * Why nobody may have a name now, as a sentence; undefined if it is neither banned nor that of one who was kicked.
   */
  nameRefusal(name: string, now: number): string | undefined {
    const kick = this.expulsions.ofName(name, now);
    return this.nameBan(name, now) ??
      (kick && `The name ${name} was kicked, and is free again in ${seconds(kick, now)}`);
  }

  /** Why nobody may have a name, as a sentence; undefined if it is not banned. */
  nameBan(name: string, now: number): string | undefined {
    const ban = this.#context.bans.ofName(name, now);
    return ban && `The name ${name} is ${this.#words(ban, now)}`;
  }

  #words(ban: KeptBan, now: number): string {
    return `banned ${whatIsLeft(this.#context.bans.left(ban, now), "until an operator ends it")}`;
  }
}

/** After how long somebody may come back: `48 s`. It is rounded up. */
function seconds({ until }: Expelled, now: number): string {
  return `${Math.ceil((until - now) / 1000)} s`;
}
