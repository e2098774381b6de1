/**
 * The commands that ban names and addresses.
 *
 * @module
 */
import { parseAddress } from "../../protocol/fields.ts";
import { addressBytes, formatNetwork, type IPNetwork, isInNetwork, parseNetwork } from "../../protocol/ip_network.ts";
import { reservedBecause } from "../../protocol/look_alikes.ts";
import { normalizeName } from "../../protocol/names.ts";
import { pluralize, printable } from "../../protocol/text.ts";
import type { Admission } from "./admission.ts";
import type { Announcements } from "./announcements.ts";
import { type Bans, MAX_BANS } from "./bans.ts";
import { type Member, nameOf } from "./members.ts";
import type { OrderTargets } from "./order_targets.ts";
import { byWhom, forHowLong, listLines, readMinutes, whatIsLeft } from "./order_words.ts";
import { type Giver, type OrderCommand, OrderProblem, TOLD } from "./orders.ts";

/** What the commands need of the room. */
export interface BanCommandsContext {
  admission: Admission;
  announcements: Announcements;
  bans: Bans;
  targets: OrderTargets;
  /** The time that is shown to people, in Unix milliseconds. */
  time: (now: number) => number;
}

interface BanOrder {
  giver: Giver;
  now: number;
  /** In Unix milliseconds; undefined for no end. */
  until: number | undefined;
  /** For how long, as the end of a sentence. */
  how: string;
}

/** How many of those that a ban hits are called by their names. */
const MAX_NAMED = 5;
const ALL_IPV4 = parseNetwork("0.0.0.0/0")!;
const LOOPBACK = parseNetwork("127.0.0.0/8")!;

/** The commands that ban, end a ban, and list the bans. */
export function banCommands(context: BanCommandsContext): OrderCommand[] {
  const { admission, announcements, bans } = context;
  return [
    {
      word: "ban",
      parameters: ["NAME|ADDRESS[/PREFIX]"],
      optional: "MINUTES",
      summary: "keeps a name, or all with an IP address, out: for so long or until unban",
      run: (giver, now, who, minutes) => ban(context, giver, now, who, readMinutes(minutes)),
    },
    {
      word: "unban",
      parameters: ["NAME|ADDRESS[/PREFIX]"],
      summary: "lets it in again, also before the minute of a kick is over",
      run: (giver, now, who) => {
        const network = networkIn(who), what = network ? formatNetwork(network) : who;
        bans.clear(now);
        const isLifted = admission.rules.expulsions.lift(who, now);
        const inside = network ? bans.removeInside(network) : 0;
        if (!bans.remove(what) && !isLifted && inside === 0) {
          throw new OrderProblem(notBanned(context, network, giver, who, now));
        }
        const also = inside > 0 ? `, which ends ${pluralize(inside, "ban")} inside it` : "";
        announcements.tell(`${what} was unbanned${byWhom(giver)}${also}`, now);
        return TOLD;
      },
    },
    {
      word: "bans",
      parameters: [],
      summary: "lists who is banned, and for how long",
      isQuestion: true,
      run: (giver, now) => list(bans, giver, now),
    },
  ];
}

function ban(context: BanCommandsContext, giver: Giver, now: number, who: string, ms: number | undefined): string {
  const { bans, targets, time } = context, until = ms === undefined ? undefined : time(now) + ms;
  const network = networkIn(who), name = network ? undefined : normalizeName(who);
  if (!network && name === undefined) throw new OrderProblem(`'${printable(who)}' is no name and no IP address`);
  if (name !== undefined && !targets.find(name, now)) {
    // who mistypes an address would believe that somebody is kept out
    if (/^\p{Nd}+(?:\.\p{Nd}*){2,}$/u.test(name)) throw new OrderProblem(`'${name}' is no IP address`);
    if (reservedBecause(name) !== undefined) throw new OrderProblem(`Nobody may be called ${name}`);
  }
  bans.clear(now);
  const isNew = !bans.has(network ? formatNetwork(network) : name!);
  if (isNew && bans.size >= MAX_BANS) throw new OrderProblem(`There are ${MAX_BANS} bans; unban somebody first`);
  const order = { giver, now, until, how: forHowLong(ms) };
  return network ? banNetwork(context, network, order) : banName(context, name!, order);
}

function banName(
  { admission, announcements, bans, targets }: BanCommandsContext,
  name: string,
  { giver, now, until, how }: BanOrder,
): string {
  const { members } = admission, there = members.withName(name) ?? admission.formerNames.holderOf(name, now);
  // somebody may have a name that looks like it
  const hit = [...new Set([...there ? [there] : [], ...members.lookAlikesOf(name)])];
  for (const member of hit) targets.check(giver, member);
  targets.checkName(giver, name);
  const [first] = hit;
  // the port of a connection is another one next time
  const holder = first === undefined || first.dialect === "line" ? "" : first.token || first.key;
  const others = hit.map(nameOf).filter((other) => other !== name);
  bans.add({ what: name, holder, until });
  const text = `You were banned${byWhom(giver)}${how}`;
  for (const member of hit) admission.expel(member, { code: "banned", text }, now);
  announcements.tell(`${name} was banned${byWhom(giver)}${how}`, now);
  if (hit.length === 0) return `${name} is banned${how}; nobody here has this name`;
  return `${name} is banned${how}${others.length > 0 ? `: ${listed(others)} had to go` : ""}`;
}

function banNetwork(
  { admission, announcements, bans, targets }: BanCommandsContext,
  network: IPNetwork,
  { giver, now, until, how }: BanOrder,
): string {
  const what = formatNetwork(network), isOne = network.prefixLength === 128;
  const isLoopback = isInNetwork(network.bytes, LOOPBACK) && network.prefixLength >= LOOPBACK.prefixLength;
  if (isLoopback || isOne && bans.isOwn(network.bytes)) {
    throw new OrderProblem(`${what} is this server's own machine, which no ban hits`);
  }
  if (giver && network.prefixLength < minPrefixOf(network)) {
    throw new OrderProblem(
      `${what} is too wide: an operator may ban a /16, or with IPv6 a /32; the server's terminal may ban more`,
    );
  }
  const hit: Member[] = [];
  for (const member of admission.members.all()) {
    const bytes = addressBytes(parseAddress(member.address)!.hostname)!;
    if (!isInNetwork(bytes, network) || bans.isOwn(bytes)) continue;
    if (member === giver) throw new OrderProblem(`You are at ${what} too: ban a name instead`);
    targets.check(giver, member);
    hit.push(member);
  }
  // who has gone has no name any more
  const whom = listed(hit.map(nameOf));
  bans.add({ what, holder: "", until });
  const text = `Your IP address was banned${byWhom(giver)}${how}`;
  for (const member of hit) admission.expel(member, { code: "banned", text }, now);
  announcements.tell(`${what} was banned${byWhom(giver)}${how}${hit.length > 0 ? `: ${whom} had to go` : ""}`, now);
  if (hit.length === 0) return `${what} is banned${how}; nobody here is there`;
  const nat = isOne && hit.length > 1 ? ` (${pluralize(hit.length, "member")} had this IP address: perhaps a NAT)` : "";
  return `${what} is banned${how}: ${whom} had to go${nat}`;
}

/**
 * The shortest prefix that an operator may ban, of 128 bits: a wider network might keep out all other operators. A
 * short prefix of IPv6 may have all of IPv4 in it.
 */
function minPrefixOf(network: IPNetwork): number {
  return isInNetwork(network.bytes, ALL_IPV4) || isInNetwork(ALL_IPV4.bytes, network) ? 96 + 16 : 32;
}

/** Why a ban that somebody wants to end is none: the network around the address may be banned. */
function notBanned(
  { bans }: BanCommandsContext,
  network: IPNetwork | undefined,
  giver: Giver,
  who: string,
  now: number,
) {
  const around = network && bans.around(network, now);
  if (around) return `${printable(who)} is in ${around.what}, which is banned: unban that`;
  return `${printable(who)} is not banned; ${giver ? "/" : ""}bans lists who is`;
}

/** The network that an order is about: `10.0.0.0/24`, `10.0.0.7`, or the IP address of `10.0.0.7:52207`. */
function networkIn(who: string): IPNetwork | undefined {
  const host = parseAddress(who)?.hostname ?? who.replace(/^\[([^\]]*)\]/, "$1");
  return parseNetwork(host.replace(/%[^/]*/, ""));
}

/** Names in a sentence: `Bob, Carol and 3 more`. */
function listed(names: string[]): string {
  if (names.length <= MAX_NAMED) return names.join(", ");
  return `${names.slice(0, MAX_NAMED).join(", ")} and ${names.length - MAX_NAMED} more`;
}

function list(bans: Bans, giver: Giver, now: number): string {
  const lines = bans.all(now).map((ban) => {
    const endless = `until you type ${giver ? "/" : ""}unban ${ban.what}`;
    return `${ban.what} is banned ${whatIsLeft(bans.left(ban, now), endless)}`;
  });
  return lines.length === 0 ? "Nobody is banned" : listLines(lines, giver);
}
