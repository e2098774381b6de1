/**
 * Members that may say nothing to all.
 *
 * A mute is of a token, or of a peer that has none, and of the name that was muted: so it does not end when its member
 * leaves and comes back. It ends with the server.
 *
 * @module
 */
import { nameKey } from "../../protocol/names.ts";
import { printable } from "../../protocol/text.ts";
import type { Announcements } from "./announcements.ts";
import { BoundedMap } from "./bounded_map.ts";
import type { Delivery } from "./delivery.ts";
import type { Limits } from "./limits.ts";
import { type Member, nameOf } from "./members.ts";
import type { OrderTargets } from "./order_targets.ts";
import { byWhom, forHowLong, listLines, readMinutes, whatIsLeft } from "./order_words.ts";
import { type Giver, type OrderCommand, OrderProblem, TOLD } from "./orders.ts";

/** What mutes need of the room. */
export interface MutesContext {
  announcements: Announcements;
  delivery: Delivery;
  limits: Limits;
  targets: OrderTargets;
  /** Notes whether anybody is muted. */
  note: (isAnybodyMuted: boolean) => void;
}

/** What a mute knows its member by. */
export type MuteHolder = Pick<Member, "token" | "key" | "name">;

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
/** What one reads whose mute is over. */
const MAY_SPEAK = "You may speak again";

/** The mutes of one room. */
export class Mutes {
  readonly #context: MutesContext;
  readonly #byHolder = new Map<string, Mute>();
  readonly #byName = new Map<string, Mute>();
  /** Whoever else has had a name that is muted: to give it up must not help. A mute that is over stays here. */
  readonly #bound = new BoundedMap<Mute>();
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
    {
      word: "mutes",
      parameters: [],
      summary: "lists who is muted, and for how long",
      isQuestion: true,
      run: (giver, now) => this.#list(giver, now),
    },
  ];

  constructor(context: MutesContext) {
    this.#context = context;
  }

  /** How many are muted. */
  get size(): number {
    return this.#byHolder.size;
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
    for (const mute of over) {
      const member = this.#memberOf(mute, now);
      this.#context.announcements.tell(`${member ? nameOf(member) : mute.who} may speak again`, now);
      if (member) this.#tell(member, MAY_SPEAK, now);
    }
  }

  /** Until when a member is muted, in words: `muted for 4 more minutes`; undefined if it is not. */
  of(member: MuteHolder, now: number): string | undefined {
    // each message asks, and mostly nobody is muted
    if (this.#byHolder.size === 0) return undefined;
    const [mute] = this.#valid(member, now);
    return mute && `muted ${this.#left(mute, now, "until an operator ends it")}`;
  }

  /** Notes that a member has come, or has another name: if that is muted, so is the member under each other name. */
  bind({ token, key, name }: MuteHolder): void {
    const mute = name === undefined ? undefined : this.#byName.get(nameKey(name)), holder = token || key;
    if (mute && mute.holder !== holder) this.#bound.set(holder, mute);
  }

  /** Why a member may not have a name, as a sentence: it is muted, and the name is not the one that was muted. */
  nameRefusal(member: MuteHolder, name: string, now: number): string | undefined {
    const mutes = this.#valid(member, now), key = nameKey(name);
    if (mutes.length === 0 || mutes.some((mute) => mute.nameKey === key)) return undefined;
    return `You are ${this.of(member, now)}: your name stays`;
  }

  #mute(giver: Giver, now: number, who: string, ms: number | undefined): string {
    const { announcements, targets } = this.#context;
    const member = targets.findFor(giver, who, now), name = targets.nameFor(member, who, now);
    for (const mute of this.#find(member)) this.#remove(mute);
    if (this.#byHolder.size >= MAX_MUTES) throw new OrderProblem(`${MAX_MUTES} are muted already; unmute one first`);
    const key = member.name === undefined ? undefined : nameKey(member.name);
    const until = ms === undefined ? undefined : now + ms;
    // a classic member that turns out to speak version 1 gets a token, and keeps its peer
    const mute: Mute = { who: nameOf(member), holder: member.token || member.key, nameKey: key, until };
    this.#byHolder.set(mute.holder, mute);
    if (key !== undefined) this.#byName.set(key, mute);
    this.#schedule();
    const how = `muted${byWhom(giver)}${forHowLong(ms)}`;
    announcements.tell(`${name} was ${how}`, now);
    this.#tell(member, `!! You were ${how}`, now);
    return TOLD;
  }

  #unmute(giver: Giver, now: number, who: string): string {
    const { announcements, targets } = this.#context;
    const member = targets.find(who, now), left = this.#byName.get(nameKey(who));
    if (giver && member === giver) throw new OrderProblem("That is you");
    const mutes = [...member ? this.#find(member) : [], ...left ? [left] : []];
    if (mutes.length === 0) throw new OrderProblem(`${printable(who)} is not muted`);
    for (const mute of mutes) this.#remove(mute);
    this.#schedule();
    const name = member ? nameOf(member) : left!.who;
    announcements.tell(`${name} was unmuted${byWhom(giver)}`, now);
    if (member) this.#tell(member, MAY_SPEAK, now);
    return TOLD;
  }

  #list(giver: Giver, now: number): string {
    const lines = [...this.#byHolder.values()].map((mute) => {
      const member = this.#memberOf(mute, now), who = member ? nameOf(member) : mute.who;
      return `${who} is muted ${this.#left(mute, now, `until you type ${giver ? "/" : ""}unmute ${who}`)}`;
    });
    return lines.length === 0 ? "Nobody is muted" : listLines(lines.reverse(), giver);
  }

  /** Tells the one concerned, where it speaks no version 1: there the notice to all has its name, or its address. */
  #tell(member: Member, line: string, now: number): void {
    const { delivery, limits } = this.#context;
    if (member.dialect === "v1" || member.dialect !== "line" && !limits.takeAnswerBytes(member, line, now)) return;
    delivery.send(member, { dialect: "classic", type: "INCOMING", line });
  }

  /** Who has a mute now, if it is here: its name may be another one than it was. */
  #memberOf({ holder, who, nameKey }: Mute, now: number): Member | undefined {
    const { targets } = this.#context;
    return targets.holding(holder) ?? (nameKey === undefined ? undefined : targets.find(who, now));
  }

  #left({ until }: Mute, now: number, endless: string): string {
    return whatIsLeft(until === undefined ? undefined : until - now, endless);
  }

  /** The mutes that a member has and that are not over. */
  #valid(member: MuteHolder, now: number): Mute[] {
    return this.#find(member).filter(({ until = Infinity }) => until > now);
  }

  /** The mutes that a member has: by its token or peer, and by its name. */
  #find({ token, key, name }: MuteHolder): Mute[] {
    const found = [this.#byHolder.get(token), this.#byHolder.get(key)];
    if (name !== undefined) found.push(this.#byName.get(nameKey(name)));
    const bound = this.#bound.get(token || key);
    if (bound && this.#byHolder.get(bound.holder) === bound) found.push(bound);
    return found.filter((mute) => mute !== undefined);
  }

  #remove(mute: Mute): void {
    this.#byHolder.delete(mute.holder);
    if (mute.nameKey !== undefined && this.#byName.get(mute.nameKey) === mute) this.#byName.delete(mute.nameKey);
  }

  /** Notes what has changed. Each packet asks when the room is due, so it is kept. */
  #schedule(): void {
    let dueAt = Infinity;
    for (const { until = Infinity } of this.#byHolder.values()) dueAt = Math.min(dueAt, until);
    this.#dueAt = dueAt === Infinity ? undefined : dueAt;
    this.#context.note(this.#byHolder.size > 0);
  }
}
