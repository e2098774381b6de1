/**
 * The members that send datagrams in the classic dialect: programs of UDP assignments, and `nc -u`.
 *
 * They may leave the words of the dialect out. Then a line that was meant as a command, or for one member alone, must not
 * be said to everyone: its sender is told so.
 *
 * @module
 */
import type { ClassicPacket } from "../../protocol.ts";
import { printable } from "../../protocol/text.ts";
import { byteLength } from "../../protocol/utf8.ts";
import type { Admission } from "./admission.ts";
import type { Delivery } from "./delivery.ts";
import type { Directory } from "./directory.ts";
import type { Greetings } from "./greeting.ts";
import type { Ignored } from "./ignored.ts";
import type { Limits } from "./limits.ts";
import { readLine } from "./line_commands.ts";
import type { Member } from "./members.ts";
import type { Messages } from "./messages.ts";
import type { Peer } from "./peer.ts";
import { saysAgain } from "./recent_words.ts";

/** What the classic members need of the room. */
export interface ClassicMembersContext {
  admission: Admission;
  delivery: Delivery;
  directory: Directory;
  greetings: Greetings;
  ignored: Ignored;
  limits: Limits;
  messages: Messages;
}

type Text = Extract<ClassicPacket, { type: "TEXT" }>;

/** What `/help` answers. */
const HELP = "MESSAGE TEXT says it to everyone, SIGN-IN NAME takes a name, LIST tells the names";
/** Commands that others have, and members who send datagrams without our client have not. */
const OF_OTHERS = /^\/?(?:send|msg|whois|me)$/i;
/** The longest answer that repeats what was typed, in bytes. */
const MAX_ANSWER_BYTES = 128;

/** The classic members of one room. */
export class ClassicMembers {
  readonly #context: ClassicMembersContext;

  constructor(context: ClassicMembersContext) {
    this.#context = context;
  }

  /** Handles a classic packet, from a member or from a stranger. */
  receive(packet: ClassicPacket, peer: Peer, now: number): void {
    const { admission, directory, greetings, ignored, limits, messages } = this.#context;
    const member = admission.members.withKey(peer.key);
    // a token protects a v1 member, and a classic packet carries none
    if (member?.dialect === "v1") return ignored.count("classic-at-v1");
    if (!member && admission.hasGreetedRecently(peer, now)) return ignored.count("classic-at-v1");
    const meant = member ? asSaid(packet) : packet;
    if (member) {
      admission.members.touch(member, now);
      // a classic packet may be forged, so it changes nothing that is known; after a restart nothing is
      if (member.via === undefined) admission.setVia(member, peer.via);
      if (saysAgain(meant, member, now)) return ignored.count("said-again");
    }
    switch (meant.type) {
      case "GREETING":
        if (!member) admission.admitClassic(peer, meant.line ? "classic-line" : "classic", now);
        return;
      case "SIGN-IN": {
        if (member && !limits.takeRequestTokens(member, 1, now)) return;
        const applicant = member ?? admission.admitClassic(peer, "classic-line", now);
        if (applicant) greetings.receiveClassic(meant, applicant, now);
        return;
      }
      case "MESSAGE":
        if (!member) return ignored.count("not-joined");
        return messages.receiveClassic(meant, member, now);
      case "TEXT":
        if (!member) return ignored.count("not-joined");
        return this.#receiveText(meant, member, now);
      case "LIST":
        if (!member) return ignored.count("not-joined");
        return directory.listClassic(member, now);
      default:
        return ignored.count("not-for-server");
    }
  }

  /** Says a text without a word, unless it is a command of our client or of members with a connection. */
  #receiveText(packet: Text, member: Member, now: number): void {
    const { admission: { members }, directory, greetings, ignored, limits, messages } = this.#context;
    const [, word, to] = /^\s*(\S*)\s*(\S*)/.exec(packet.text)!;
    // who writes to somebody that is here believes that it is private, also without a name of its own
    const request = readLine(packet.text, member.name !== undefined || members.withName(to) !== undefined);
    if (request.do === "say" && !request.action) {
      if (!limits.takeBareTextToken(member, now)) return ignored.count("fast-messages", "bare");
      return messages.receiveClassic({ ...packet, text: request.text }, member, now);
    }
    switch (request.do) {
      case "list":
        return directory.listClassic(member, now);
      case "sign in":
        if (limits.takeRequestTokens(member, 1, now)) {
          greetings.receiveClassic({ dialect: "classic", type: "SIGN-IN", name: request.name }, member, now);
        }
        return;
      case "leave":
        // the goodbye of another may be forged
        if (!word.startsWith("/")) return ignored.count("no-goodbye");
        return this.#answer("There is no goodbye over UDP: just end your program", member, now);
      case "help":
        return this.#answer(HELP, member, now);
      default: {
        const line = request.do === "explain" && !OF_OTHERS.test(word)
          ? printable(request.text)
          : `Nobody got this: there is no ${word} over UDP without our client; MESSAGE says it to everyone`;
        return this.#answer(byteLength(line) <= MAX_ANSWER_BYTES ? line : "There is no such command", member, now);
      }
    }
  }

  /** Answers in a line, as long as the limits for an address that may be forged allow it. */
  #answer(line: string, member: Member, now: number): void {
    const { delivery, limits } = this.#context;
    if (!limits.takeRequestTokens(member, 1, now) || !limits.takeAnswerBytes(member, line, now)) return;
    delivery.send(member, { dialect: "classic", type: "INCOMING", line });
  }
}

/** What a packet of somebody means who has greeted already: a greeting that may be a sentence is one. */
function asSaid(packet: ClassicPacket): ClassicPacket {
  if (packet.type !== "GREETING" || packet.text === undefined) return packet;
  return { dialect: "classic", type: "TEXT", text: packet.text };
}
