/**
 * Remembers what each member has sent of late through the server of each transfer of a file: by this it says what it
 * wants to get of it.
 *
 * @module
 */
import type { FilePacket } from "../../protocol.ts";
import { detach } from "../../protocol/utf8.ts";
import type { Member } from "./members.ts";

/** For how long it counts what a member has sent, in milliseconds: so long the other side goes on without an answer. */
const LATELY_MS = 30_000;
/** Of how many transfers of one member it is remembered: somebody may hand a file to a whole hall. */
const MAX_TRANSFERS = 100;
/**
 * How many of these the other side need not have sent anything of: what has begun directly goes on through the server,
 * and no client sends more files at once.
 */
const MAX_UNMATCHED = 16;
/**
 * How many packets without octets a member gets for each that it has sent, and how many at once: more than any client
 * answers, and less than a flood.
 */
const ANSWERS_FOR_ONE = 8, MAX_ANSWERS = 64;
/** For how many ENDs it gets one more: it answers each packet by one, and what comes for an END would go on for ever. */
const MAX_ENDS = 64;
/** How many DATA one that has accepted a file gets after its END in all, so that it can say again that it has ended. */
const MAX_LATE_OCTETS = 64;
/** How often an OFFER may be repeated for the message that it has cost. Then it costs another one. */
const MAX_REPEATS = 30;

/** What one member has sent of one transfer, and what it gets therefore. Only the two members know the pass and the file. */
export class Spoken {
  /** The token of the other member; empty if that speaks no version 1. */
  readonly token: string;
  /** When it has sent something last, in milliseconds. */
  at: number;
  /** Whether the other member has sent something of it too, or it has paid for an OFFER. */
  isMatched = false;
  /** Whether the other one was told anything that this one has sent. */
  wasPassed = false;
  /** How often its OFFER may be repeated before it costs another message. */
  repeatsLeft = 0;
  #acceptedAt = -Infinity;
  #hasEnded = false;
  #answers = 0;
  #endsLeft = MAX_ENDS;
  /** None before it has accepted the file. */
  #lateOctetsLeft: number | undefined;

  constructor(token: string, now: number) {
    this.token = token;
    this.at = now;
  }

  /** Takes what it has sent. */
  note(packet: FilePacket, now: number): void {
    this.at = now;
    const isEnd = packet.type === "END", answers = isEnd ? Math.min(1, this.#endsLeft) : ANSWERS_FOR_ONE;
    this.#answers = Math.min(MAX_ANSWERS, this.#answers + answers);
    if (isEnd) {
      this.#acceptedAt = -Infinity;
      this.#hasEnded = true;
      this.#endsLeft -= answers;
    } else if (packet.type === "OFFER") {
      this.repeatsLeft = this.repeatsLeft > 0 ? this.repeatsLeft - 1 : MAX_REPEATS;
    } else if (isAcceptance(packet)) {
      this.#acceptedAt = now;
      this.#hasEnded = false;
      this.#lateOctetsLeft ??= MAX_LATE_OCTETS;
    }
  }

  /** Takes what one DATA needs; returns whether it wants octets of the file, or may get some more after its END. */
  takeOctets(now: number): boolean {
    if (now < this.#acceptedAt + LATELY_MS) return true;
    if (!this.#hasEnded || !this.#lateOctetsLeft) return false;
    this.#lateOctetsLeft--;
    return true;
  }

  /** Takes one of the packets that it gets for what it has sent; returns whether there was one left. */
  takeAnswer(): boolean {
    if (this.#answers === 0) return false;
    this.#answers--;
    return true;
  }
}

/** What all members have sent. Nobody can make the server forget what others have. */
export class FileRecords {
  /** By the pass and the file, the one that was spoken of last at the end. Nothing is kept longer than the member is. */
  readonly #members = new WeakMap<Member, Map<string, Spoken>>();

  /** What a member has sent of late of a transfer. */
  of(member: Member, { pass, file }: Pick<FilePacket, "pass" | "file">, now: number): Spoken | undefined {
    const spoken = this.#members.get(member)?.get(`${pass} ${file}`);
    return spoken && now < spoken.at + LATELY_MS ? spoken : undefined;
  }

  /**
   * Notes what a member sends to another one; the pass was checked, and an OFFER was paid for. Of what tells nothing of
   * a transfer that is under way there is no record: returns undefined then.
   */
  note(packet: FilePacket, from: Member, to: Member, now: number): Spoken | undefined {
    const isMatched = packet.type === "OFFER" || this.of(to, packet, now) !== undefined;
    const known = this.of(from, packet, now);
    if (!known && !isMatched && packet.type !== "DATA" && !isAcceptance(packet)) return undefined;
    let transfers = this.#members.get(from);
    if (!transfers) this.#members.set(from, transfers = new Map());
    const key = `${packet.pass} ${packet.file}`, spoken = known ?? new Spoken(to.token, now);
    spoken.isMatched ||= isMatched;
    transfers.delete(key);
    if (!known) makeRoom(transfers, spoken, now);
    transfers.set(detach(key), spoken);
    spoken.note(packet, now);
    return spoken;
  }
}

/** Whether somebody takes a file by this, or goes on taking it. */
function isAcceptance(packet: FilePacket): boolean {
  return packet.type === "SACK" && packet.next !== undefined;
}

/** Forgets what nobody speaks of any more, and what has been silent longest of too many. */
function makeRoom(transfers: Map<string, Spoken>, { isMatched }: Spoken, now: number): void {
  for (const [key, { at }] of transfers) {
    if (now < at + LATELY_MS) break;
    transfers.delete(key);
  }
  const unmatched = isMatched ? [] : [...transfers].filter(([, spoken]) => !spoken.isMatched);
  if (unmatched.length >= MAX_UNMATCHED) transfers.delete(unmatched[0][0]);
  if (transfers.size >= MAX_TRANSFERS) transfers.delete(transfers.keys().next().value!);
}
