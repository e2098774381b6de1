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
 * How many packets without octets a member gets for each that it has sent, and how many at once: more than any client
 * answers, and less than a flood.
 */
const ANSWERS_FOR_ONE = 8, MAX_ANSWERS = 64;

/** What one member has sent of one transfer, and what it gets therefore. Only the two members know the pass and the file. */
export class Spoken {
  /** The token of the other member; empty if that speaks no version 1. */
  readonly token: string;
  /** When it has sent something last, in milliseconds. */
  at: number;
  /** Whether it has ended the transfer; then it gets some octets more, so that it can say so again. */
  hasEnded = false;
  /** Whether the other one was told anything that this one has sent. */
  wasPassed = false;
  /** How often its OFFER may be repeated before it costs another message. */
  repeatsLeft = 0;
  #acceptedAt = -Infinity;
  #answers = 0;

  constructor(token: string, now: number) {
    this.token = token;
    this.at = now;
  }

  /** Takes what it has sent. */
  note(packet: FilePacket, now: number): void {
    this.at = now;
    this.#answers = Math.min(MAX_ANSWERS, this.#answers + ANSWERS_FOR_ONE);
    if (packet.type === "SACK" && packet.next !== undefined) {
      this.#acceptedAt = now;
      this.hasEnded = false;
    } else if (packet.type === "END") {
      this.#acceptedAt = -Infinity;
      this.hasEnded = true;
    }
  }

  /** Whether it wants octets of the file. */
  takesOctets(now: number): boolean {
    return now < this.#acceptedAt + LATELY_MS;
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

  /** Notes what a member sends to another one; the pass was checked. */
  note(packet: FilePacket, from: Member, to: Pick<Member, "token">, now: number): Spoken {
    let transfers = this.#members.get(from);
    if (!transfers) this.#members.set(from, transfers = new Map());
    const known = this.of(from, packet, now), spoken = known ?? new Spoken(to.token, now);
    const key = `${packet.pass} ${packet.file}`;
    transfers.delete(key);
    transfers.set(detach(key), spoken);
    if (transfers.size > MAX_TRANSFERS) transfers.delete(transfers.keys().next().value!);
    spoken.note(packet, now);
    return spoken;
  }
}
