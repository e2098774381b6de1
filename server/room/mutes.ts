/**
 * Members that may say nothing to all.
 *
 * A mute is of a token, or of a peer that has none, and of the name that was muted: so it does not end when its member
 * leaves and comes back. It ends with the server.
 *
 * @module
 */
import { earliest } from "../../protocol/earliest.ts";
import { nameKey } from "../../protocol/names.ts";
import { printable } from "../../protocol/text.ts";
import type { Announcements } from "./announcements.ts";
import type { Member } from "./members.ts";
import type { OrderTargets } from "./order_targets.ts";
import { byWhom, forHowLong, nameOf, readMinutes, whatIsLeft } from "./order_words.ts";
import { type Giver, type OrderCommand, OrderProblem } from "./orders.ts";

/** What mutes need of the room. */
export interface MutesContext {
  announcements: Announcements;
  targets: OrderTargets;
}

interface Mute {
  /** How the one who is muted is called. */
  who: string;
  /** Its token, or the key of its peer. */
  holder: string;
  /** The key of its name, if it has one. */
  nameKey: string | undefined;
  /** In milliseconds of the room's clock; undefined for no end. */
  until: number | undefined;
}

/** The most mutes: each takes memory, also when its member has left. */
const MAX_MUTES = 10_000;

/** The mutes of one room. */
export class Mutes {
  readonly #context: MutesContext;
  readonly #byHolder = new Map<string, Mute>();
  readonly #byName = new Map<string, Mute>();
  #dueAt: number | undefined;
  readonly commands: readonly OrderCommand[] = [
    {
      word: "mute",
      parameters: ["NAME"],
      optional: "MINUTES",
      summary: "lets a member say nothing to all, for so long or until unmute",
      run: (giver, now, who, minutes) => this.#mute(giver, now, who, readMinutes(minutes)),
    },
    {
      word: "unmute",
      parameters: ["NAME"],
      summary: "lets it speak again",
      run: (giver, now, who) => this.#unmute(giver, now, who),
    },
  ];

  constructor(context: MutesContext) {
    this.#context = context;
  }

  /** When {@linkcode wake} is to be called, in milliseconds of the room's clock; undefined for never. */
  get dueAt(): number | undefined {
    return this.#dueAt;
  }

  /** Tells everybody whose mute is over. */
  wake(now: number): void {
    if (this.#dueAt === undefined || this.#dueAt > now) return;
    const over = [...this.#byHolder.values()].filter(({ until }) => until !== undefined && until <= now);
    for (const mute of over) this.#remove(mute);
    this.#schedule();
    for (const { who } of over) this.#context.announcements.tell(`${who} may speak again`, now);
  }

  /** Until when a member is muted, in words: `muted for 4 more minutes`; undefined if it is not. */
  of(member: Pick<Member, "token" | "key" | "name">, now: number): string | undefined {
    // each message asks, and mostly nobody is muted
    if (this.#byHolder.size === 0) return undefined;
    const [mute] = this.#find(member).filter(({ until = Infinity }) => until > now);
    if (!mute) return undefined;
    return `muted ${whatIsLeft(mute.until === undefined ? undefined : mute.until - now, "until an operator ends it")}`;
  }

  #mute(giver: Giver, now: number, who: string, ms: number | undefined): string {
    const { announcements, targets } = this.#context;
    const member = targets.findFor(giver, who), name = nameOf(member);
    for (const mute of this.#find(member)) this.#remove(mute);
    if (this.#byHolder.size >= MAX_MUTES) throw new OrderProblem(`${MAX_MUTES} are muted already; unmute one first`);
    const key = member.name === undefined ? undefined : nameKey(member.name);
    const until = ms === undefined ? undefined : now + ms;
    // a classic member that turns out to speak version 1 gets a token, and keeps its peer
    const mute: Mute = { who: name, holder: member.token || member.key, nameKey: key, until };
    this.#byHolder.set(mute.holder, mute);
    if (key !== undefined) this.#byName.set(key, mute);
    this.#schedule();
    announcements.tell(`${name} was muted${byWhom(giver)}${forHowLong(ms)}`, now);
    return `${name} is muted${forHowLong(ms)}`;
  }

  #unmute(giver: Giver, now: number, who: string): string {
    const { announcements, targets } = this.#context;
    const member = targets.find(who), left = this.#byName.get(nameKey(who));
    if (giver && member === giver) throw new OrderProblem("That is you");
    const mutes = [...member ? this.#find(member) : [], ...left ? [left] : []];
    if (mutes.length === 0) throw new OrderProblem(`${printable(who)} is not muted`);
    for (const mute of mutes) this.#remove(mute);
    this.#schedule();
    const name = member ? nameOf(member) : left!.who;
    announcements.tell(`${name} was unmuted${byWhom(giver)}`, now);
    return `${name} may speak again`;
  }

  /** The mutes that a member has: by its token or peer, and by its name. */
  #find({ token, key, name }: Pick<Member, "token" | "key" | "name">): Mute[] {
    const found = [this.#byHolder.get(token), this.#byHolder.get(key)];
    if (name !== undefined) found.push(this.#byName.get(nameKey(name)));
    return found.filter((mute) => mute !== undefined);
  }

  #remove(mute: Mute): void {
    this.#byHolder.delete(mute.holder);
    if (mute.nameKey !== undefined && this.#byName.get(mute.nameKey) === mute) this.#byName.delete(mute.nameKey);
  }

  /** Each packet asks when the room is due, so it is kept. */
  #schedule(): void {
    this.#dueAt = earliest([...this.#byHolder.values()].map(({ until }) => until));
  }
}
