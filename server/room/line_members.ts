/**
 * The members that have a connection and speak in lines of text: programs of TCP assignments, `nc` and `telnet`.
 *
 * Such a member joins when its connection is there and leaves when that ends. It gets nothing on its arrival, because many
 * programs take the first line that they read for a message.
 *
 * @module
 */
import type { EventPacket, Presence, Renamed } from "../../protocol.ts";
import { presenceLines, renamedLines, usersLine } from "../../protocol/lines.ts";
import { printable } from "../../protocol/text.ts";
import { byteLength } from "../../protocol/utf8.ts";
import type { Admission } from "./admission.ts";
import { NEEDS_ACCOUNT } from "./classic_entry.ts";
import type { Delivery } from "./delivery.ts";
import type { Directory } from "./directory.ts";
import type { Expulsion } from "./expulsions.ts";
import type { Greetings } from "./greeting.ts";
import type { Ignored } from "./ignored.ts";
import type { Limits } from "./limits.ts";
import { lineHelp, type LineRequest, readLine } from "./line_commands.ts";
import { type LineLogins, LOGIN_PAUSE_MS } from "./line_login.ts";
import type { Logins } from "./login.ts";
import { type Member, nameOf } from "./members.ts";
import type { Messages } from "./messages.ts";
import type { Operators } from "./operators.ts";
import type { Peer } from "./peer.ts";
import type { PrivateMessages } from "./private_messages.ts";

/** What the members with a connection need of the room. */
export interface LineMembersContext {
  admission: Admission;
  delivery: Delivery;
  directory: Directory;
  greetings: Greetings;
  ignored: Ignored;
  limits: Limits;
  /** Undefined if this server protects no names. */
  logins: Logins | undefined;
  /** Undefined if it takes no passwords over a connection. */
  lineLogins: LineLogins | undefined;
  messages: Messages;
  operators: Operators;
  privateMessages: PrivateMessages;
  /** Whether private messages may pass through the server. */
  isRelaying: boolean;
}

/** How much of a word is repeated in an answer, in bytes. */
const MAX_QUOTED_BYTES = 128;
/** After how long the next line is looked at of who asks too often without being a member, in milliseconds. */
const OUTSIDE_PAUSE_MS = 1000;
const ROOM_IS_FULL = "The room is full";
const UNLOCKED = "The room is unlocked";
const NO_PLAIN_PASSWORDS =
  "This server takes no password here, where others on the way can read it: use the udp-chat client";

/** The members of one room that speak in lines. */
export class LineMembers {
  readonly #context: LineMembersContext;
  readonly #help: readonly string[];
  /** Those that have a connection and are no members yet, by their keys: they have to log in first. */
  readonly #outside = new Map<string, Peer>();

  constructor(context: LineMembersContext) {
    this.#context = context;
    this.#help = lineHelp(context.isRelaying, context.lineLogins !== undefined);
  }

  /** Lets a connection join; returns whether it has. */
  connected(peer: Peer, now: number): boolean {
    const { admission, ignored, lineLogins, logins } = this.#context;
    const hasToLogIn = logins?.isForMembersOnly === true, refusal = admission.rules.refusalOf({ peer }, now);
    // one that logs in may be an operator, whom the lock does not concern
    const isOutside = lineLogins !== undefined && (hasToLogIn || refusal?.code === "locked");
    const expulsion = isOutside && refusal?.code === "locked" ? undefined : refusal;
    if (expulsion) {
      ignored.count("kept-out", expulsion.code);
      this.#tellPeer(peer, `!! ${expulsion.text}`);
      return false;
    }
    if (isOutside) {
      this.#outside.set(peer.key, peer);
      if (!hasToLogIn) this.#tellPeer(peer, lockedLine(refusal!));
      return true;
    }
    if (!hasToLogIn && admission.admitConnection(peer, now)) return true;
    this.#tellPeer(peer, hasToLogIn ? NEEDS_ACCOUNT : ROOM_IS_FULL);
    return false;
  }

  /** Handles the end of a connection. */
  hungUp({ key }: Peer): void {
    this.#outside.delete(key);
  }

  /** Handles a line of a connection that is no member. Returns as {@linkcode receive} does. */
  receiveOutside(line: string, peer: Peer, now: number): number {
    const { admission, ignored, limits, lineLogins, logins } = this.#context;
    const connection = this.#outside.get(peer.key);
    if (!lineLogins || !connection) {
      ignored.count("not-joined");
      return 0;
    }
    if (lineLogins.isBusy(peer)) return LOGIN_PAUSE_MS;
    if (line.trim() === "") return 0;
    if (!limits.takeApplicantToken(peer, now)) return OUTSIDE_PAUSE_MS;
    const request = readLine(line, false);
    if (request.do !== "log in" && !logins!.isForMembersOnly) return this.#enterUnlocked(line, peer, now);
    if (request.do !== "log in") {
      this.#tellPeer(peer, "Log in first: /login NAME PASSWORD (others on the way can read the password)");
      return 0;
    }
    lineLogins.logIn(request, peer, now, (result, now) => {
      // another one may have the same address by now
      if (this.#outside.get(peer.key) !== connection) return;
      if ("problem" in result) {
        this.#tellPeer(peer, result.problem);
        return this.#enterIfUnlocked(peer, now);
      }
      const expulsion = admission.rules.refusalOf({ peer, name: result.name }, now);
      if (expulsion) return this.#tellPeer(peer, `!! ${expulsion.text}`);
      // nobody comes in without the name
      const refusal = this.#context.greetings.refusalOfProven(result.name, peer, now);
      if (refusal) return this.#tellPeer(peer, refusal.text);
      const member = admission.admitConnection(peer, now);
      if (!member) return this.#tellPeer(peer, ROOM_IS_FULL);
      this.#outside.delete(peer.key);
      this.#nameProven(result.name, member, now);
    });
    return 0;
  }

  /** Lets in those that the lock has kept out, and tells each, when the room is not locked any more. */
  unlocked(now: number): void {
    for (const peer of [...this.#outside.values()]) {
      // what becomes of its login decides
      if (!this.#context.lineLogins?.isBusy(peer)) this.#enterIfUnlocked(peer, now);
    }
  }

  #enterIfUnlocked(peer: Peer, now: number): void {
    const { admission, logins } = this.#context;
    if (logins?.isForMembersOnly || admission.rules.refusalOf({ peer }, now)?.code === "locked") return;
    if (this.#enter(peer, now)) this.#tellPeer(peer, UNLOCKED);
  }

  /** Takes a line of a connection that is still kept out, because it could not come in when the lock ended. */
  #enterUnlocked(line: string, peer: Peer, now: number): number {
    const member = this.#enter(peer, now);
    return member ? this.receive(line, member, now) : 0;
  }

  /** Lets a connection in that the lock has kept out, or tells it why not. */
  #enter(peer: Peer, now: number): Member | undefined {
    const { admission } = this.#context, expulsion = admission.rules.refusalOf({ peer }, now);
    if (expulsion) {
      this.#tellPeer(peer, expulsion.code === "locked" ? lockedLine(expulsion) : `!! ${expulsion.text}`);
      return undefined;
    }
    const member = admission.admitConnection(peer, now);
    if (member) this.#outside.delete(peer.key);
    else this.#tellPeer(peer, ROOM_IS_FULL);
    return member;
  }

  /** Handles a line. Returns 0 if it was taken, otherwise the milliseconds until it is to be handed over again. */
  receive(line: string, member: Member, now: number): number {
    const { limits, lineLogins, messages, operators } = this.#context;
    // what is said behind a login is said with the new name
    if (lineLogins?.isBusy(member)) return LOGIN_PAUSE_MS;
    // a command behind a long line must not overtake its end
    const pause = messages.linePause(member, now);
    if (pause > 0 || line === "") return pause;
    const [, typed = ""] = /^\s*\/(?!\/)([^]*)$/.exec(line) ?? [];
    if (operators.isOrder(typed)) return this.#order(typed, member, now);
    const request = readLine(line, member.name !== undefined, lineLogins !== undefined);
    // what says nothing costs as much as what is answered
    if (request.do === "say" && request.text.trim() === "") return limits.requestPause(member, 1, now);
    if (request.do === "say") return this.#say(request, member, now);
    if (request.do === "send" || request.do === "reply") {
      const [to, another] = this.#receiversOf(request, member, now);
      if (to && !another) return this.#send(request.text, member, to, now);
    }
    const signInPause = request.do === "sign in" && member.name === undefined ? limits.signInPause(member, now) : 0;
    if (signInPause > 0) return signInPause;
    const requestPause = limits.requestPause(member, request.do === "help" ? this.#helpFor(member).length : 1, now);
    if (requestPause === 0) this.#execute(request, member, now);
    return requestPause;
  }

  /** Tells who comes and goes, and who has another name, but nobody of itself. */
  tellPresence(event: Extract<EventPacket, { members: unknown }>): void {
    const { admission, delivery } = this.#context;
    const members: (Presence | Renamed)[] = event.members;
    const linesOf = (members: (Presence | Renamed)[]) =>
      event.type === "RENAMED" ? renamedLines(members as Renamed[]) : presenceLines(members, event.type === "ONLINE");
    const addresses = new Set(members.map(({ address }) => address));
    const others: Member[] = [];
    for (const member of admission.members.speakingLines()) {
      if (!addresses.has(member.address)) {
        others.push(member);
        continue;
      }
      const withoutIt = members.filter(({ address }) => address !== member.address);
      for (const line of linesOf(withoutIt)) this.#tell(member, line);
    }
    for (const line of linesOf(members)) {
      // one packet for all is encoded only once
      const packet = { dialect: "classic", type: "INCOMING", line } as const;
      for (const member of others) delivery.send(member, packet);
    }
  }

  /** Carries out what only an operator may, and answers in a line or several. */
  #order(typed: string, member: Member, now: number): number {
    const { operators } = this.#context, pause = operators.pause(member, now);
    if (pause > 0) return pause;
    const { isDone, text } = operators.execute(typed, member, now);
    for (const line of text === "" ? [] : text.split("\n")) this.#tell(member, isDone ? line : `!! ${line}`);
    return 0;
  }

  #say(said: LineRequest & { do: "say" }, member: Member, now: number): number {
    const { admission, messages } = this.#context;
    const pause = messages.receiveLine(said, member, now);
    if (pause === 0) admission.announce(member, now);
    return pause;
  }

  /** Whom a text may be for. */
  #receiversOf(request: LineRequest & { do: "send" | "reply" }, member: Member, now: number): Member[] {
    const { admission: { members }, privateMessages } = this.#context;
    if (request.do === "reply") return privateMessages.lastWritersTo(member, now);
    const found = members.withName(request.who) ?? members.withAddress(request.who);
    return found ? [found] : [];
  }

  #send(text: string, member: Member, to: Member, now: number): number {
    const { admission, privateMessages } = this.#context;
    const pause = privateMessages.send(text, member, to, now);
    if (pause === 0) admission.announce(member, now);
    return pause;
  }

  #execute(request: Exclude<LineRequest, { do: "say" }>, member: Member, now: number): void {
    const { admission, directory, greetings, operators } = this.#context;
    const { members } = admission;
    switch (request.do) {
      case "leave":
        return admission.disconnect(member, "goodbye", now);
      case "help":
        return this.#helpFor(member).forEach((line) => this.#tell(member, line));
      case "list":
        return this.#tell(member, usersLine(directory.users()));
      case "sign in":
        admission.announce(member, now);
        return greetings.receiveClassic({ dialect: "classic", type: "SIGN-IN", name: request.name }, member, now);
      case "log in":
        return this.#logIn(request, member, now);
      case "look up": {
        const found = members.withName(request.who) ?? members.withAddress(request.who);
        if (!found) return this.#tell(member, `${quoted(request.who)} is not here`);
        const registered = this.#context.logins?.isProtected(found.name) ? ", registered" : "";
        const role = operators.isOperator(found) ? ", operator" : "";
        return this.#tell(member, `${found.name ?? "(unnamed)"} is at ${found.address}${registered}${role}`);
      }
      case "send":
        return this.#tell(member, `${quoted(request.who)} is not here`);
      case "reply": {
        const names = this.#receiversOf(request, member, now).map(nameOf);
        if (names.length === 0) return this.#tell(member, "Nobody who has written to you alone is here");
        return this.#tell(member, `!! ${names.join(" and ")} have both just written: say /send NAME TEXT`);
      }
      case "explain":
        return this.#tell(member, quoted(request.text, 2 * MAX_QUOTED_BYTES));
    }
  }

  #logIn(request: LineRequest & { do: "log in" }, member: Member, now: number): void {
    const { admission, lineLogins, logins } = this.#context;
    if (!lineLogins) return this.#tell(member, logins ? NO_PLAIN_PASSWORDS : "This server protects no names");
    lineLogins.logIn(request, member, now, (result, now) => {
      if (admission.members.withKey(member.key) !== member) return;
      if ("problem" in result) this.#tell(member, result.problem);
      else this.#nameProven(result.name, member, now);
    });
  }

  #nameProven(name: string, member: Member, now: number): void {
    const { admission, greetings } = this.#context;
    admission.announce(member, now);
    greetings.receiveProven(name, member, now);
  }

  #tellPeer(peer: Peer, line: string): void {
    this.#context.delivery.send({ ...peer, dialect: "line" }, { dialect: "classic", type: "INCOMING", line });
  }

  /** What it can type; of an operator, also what only operators can. */
  #helpFor(member: Member): readonly string[] {
    const orders = this.#context.operators.helpFor(member).map((line) => `/${line}`);
    // one of them does more for an operator
    const own = orders.length === 0 ? this.#help : this.#help.filter((line) => !line.startsWith("/topic "));
    return [...own, ...orders];
  }

  #tell(member: Member, line: string): void {
    this.#context.delivery.send(member, { dialect: "classic", type: "INCOMING", line });
  }
}

/** What a connection reads that comes while the room is locked. */
function lockedLine({ text }: Expulsion): string {
  return `!! ${text}; an operator types /login NAME PASSWORD (others on the way can read the password)`;
}

/** What somebody has typed, harmless and not too long, to be shown to whoever has typed it. */
function quoted(text: string, limit = MAX_QUOTED_BYTES): string {
  const harmless = printable(text);
  return byteLength(harmless) <= limit ? harmless : `${[...harmless].slice(0, limit / 4).join("")}…`;
}
