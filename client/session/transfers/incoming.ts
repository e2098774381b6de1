/**
 * A file that this client gets.
 *
 * @module
 */
import type { FilePacket } from "../../../protocol.ts";
import { MAX_SACK_DELAY_MS, MAX_SACK_RANGES } from "../../../protocol.ts";
import { Retry } from "../../../protocol/reliable/retry.ts";
import { earliest } from "../../../protocol/earliest.ts";
import { harmlessName } from "../../../protocol/file_names.ts";
import { DataReceiver } from "../../../protocol/reliable/data_receiver.ts";
import { printable } from "../../../protocol/text.ts";
import type { FileResult } from "../../files/files.ts";
import type { Fact } from "../facts.ts";
import type { LinkPacket, PeerLink } from "../peer_link.ts";
import { nameOf, type Who } from "../who.ts";
import { RateMeter } from "./rate_meter.ts";
import type { TransferState } from "./transfer.ts";
import { type Ended, identityOf, type Transfer, type TransferParts } from "./transfer_parts.ts";
import { codeOf, type EndCode, SILENCE_MS, STALL_MS, WHY_STALLED, whyNotHere, whySilent } from "./transfer_words.ts";

/** What a member has offered. */
export type OfferPacket = Extract<FilePacket, { type: "OFFER" }>;

/** The pauses after each time that it is said that all is there, in milliseconds: at 30% loss one of 2,000 is not heard. */
const GOODBYE_PAUSES_MS = [100, 100, 200, 200, 400, 400, 500, 500];

/** Who has offered it, and by which way to answer. */
export interface Offerer {
  address: string;
  name?: string;
  /** From where the offer has come directly; undefined if through the server. */
  from: string | undefined;
}

/** Answers an offer by the way that it came, as there is no lasting contact yet. */
export type Answer = (packet: LinkPacket, from: string | undefined, now: number) => void;

/** A file on its way to here. */
export class Incoming implements Transfer {
  readonly file: string;
  readonly pass: string;
  readonly #parts: TransferParts;
  readonly #number: number;
  readonly offer: OfferPacket;
  readonly #name: string;
  readonly #answer: Answer;
  #peer: Who;
  /** The contact with who sends it, once it is accepted. */
  #link: PeerLink | undefined;
  #receiver: DataReceiver | undefined;
  /** Whether a part of it is being written, or it is being finished. */
  #isWriting = false;
  #isFinishing = false;
  readonly #meter = new RateMeter();
  /** By which way a packet of it has last come. */
  #from: string | undefined;
  /** The way that the acknowledgements took last. */
  #way: string | undefined;
  #startedAt: number;
  #had = 0;
  #heardAt: number;
  #wasRelayed = false;
  #progressAt = Infinity;
  /** The ENDs that say that all is there, until the sender has said that it knows. */
  readonly #goodbyes = new Retry();
  #ended: Ended | undefined;

  constructor(parts: TransferParts, number: number, offer: OfferPacket, by: Offerer, answer: Answer, now: number) {
    this.file = offer.file;
    this.pass = offer.pass;
    this.#parts = parts;
    this.#number = number;
    this.offer = offer;
    this.#name = harmlessName(offer.text);
    this.#peer = by.name === undefined ? { address: by.address } : { name: by.name };
    this.#from = by.from;
    this.#answer = answer;
    this.#startedAt = this.#heardAt = now;
  }

  get state(): TransferState {
    const receiver = this.#receiver, isAsked = this.#link === undefined;
    const state = isAsked ? "asked" : !receiver ? "preparing" : receiver.isWhole ? "finishing" : "running";
    return {
      ...{ number: this.#number, direction: "in", peer: this.peer, file: printable(this.#name) },
      ...{ size: this.offer.size, state, done: receiver?.received ?? 0, rate: this.#meter.rate },
      isRelayed: this.#isRelayed,
    };
  }

  /** Whether the user has taken it. */
  get isAccepted(): boolean {
    return this.#link !== undefined;
  }

  /** What the one who sends it is called. */
  get peer(): string {
    return this.#link?.name ?? nameOf(this.#peer);
  }

  get ended(): Ended | undefined {
    return this.#ended;
  }

  get heardAt(): number {
    return this.#heardAt;
  }

  get nextWake(): number | undefined {
    if (this.#ended) return this.#goodbyes.dueAt;
    // nothing can be acknowledged before it is known where to
    const over = Math.min(this.#heardAt + SILENCE_MS, this.#progressAt + STALL_MS);
    return earliest([over, this.#link?.isOpen ? this.#receiver?.nextWake : undefined]);
  }

  /** Whether another one is the same file. */
  isSame({ offer: { size, hash } }: Incoming): boolean {
    return this.offer.size === size && this.offer.hash === hash;
  }

  /** Takes the file: opens what it will be written to, and a contact with who sends it. */
  accept(now: number): void {
    if (this.#link || this.#ended) return;
    this.#startedAt = this.#heardAt = now;
    this.#link = this.#parts.hold({ who: this.#peer, pass: this.pass }, now);
    const { size, hash } = this.offer;
    this.#parts.request({ ask: "create", job: this.#number, name: this.#name, size, hash });
  }

  wake(now: number): Fact[] {
    if (this.#ended) return this.#linger(now);
    const lost = this.#link?.lost;
    if (lost !== undefined) return this.#end(this.#link!.isShut ? "no-way" : "left", lost, now);
    if (now >= this.#heardAt + SILENCE_MS) {
      const why = this.#link ? whySilent(this.peer, true) : "it is offered no more";
      return this.#end("left", why, now);
    }
    if (now >= this.#progressAt + STALL_MS) return this.#end("left", WHY_STALLED, now);
    if (this.#receiver) this.#meter.note(this.#receiver.received, now);
    this.#acknowledge(now, this.#hasOtherWay(now));
    return [];
  }

  receive(packet: FilePacket, from: string | undefined, now: number): Fact[] {
    if (this.#ended && packet.type === "END") this.#stopLingering();
    // what only this end sends has come back
    if (this.#ended || packet.type === "SACK") return [];
    this.#heardAt = now;
    this.#from = from;
    this.#link?.heard(from, now);
    if (packet.type === "END") {
      return this.#finish({
        code: packet.code,
        problem: whyNotHere(packet.code, this.peer, (this.#receiver?.received ?? 0) > 0),
        isHere: false,
      }, now);
    }
    if (packet.type === "OFFER") {
      this.#noteOffer(from, now);
      return [];
    }
    const { id, offset: at, octets } = packet;
    // before the user has said yes it is nothing that was asked for
    if (!this.#receiver) return [];
    if (at + octets.length > this.offer.size) {
      return this.#end("wrong-data", `the program of ${this.peer} sends more than it has offered`, now);
    }
    const before = this.#receiver.received;
    this.#receiver.receive({ id, at, octets }, now);
    this.#wasRelayed ||= from === undefined;
    if (this.#receiver.received > before) this.#progressAt = now;
    this.#meter.note(this.#receiver.received, now);
    this.#write();
    this.#acknowledge(now);
    return [];
  }

  done(result: FileResult, now: number): Fact[] {
    if (this.#ended) return [];
    switch (result.is) {
      case "created":
        this.#had = result.have;
        this.#progressAt = now;
        this.#receiver = new DataReceiver({ size: this.offer.size, from: result.have });
        this.#finishIfWhole();
        this.#acknowledge(now, true);
        return [];
      case "written":
        this.#isWriting = false;
        this.#receiver!.written(result.have);
        this.#write();
        this.#finishIfWhole();
        this.#acknowledge(now);
        return [];
      case "finished":
        this.#finish({ code: "done", path: result.path, isHere: true }, now);
        this.#goodbyes.start(now);
        return this.#linger(now);
      case "failed":
        return this.#end(codeOf(result.problem), printable(result.text), now);
      default:
        return [];
    }
  }

  get isLingering(): boolean {
    return this.#goodbyes.dueAt !== undefined;
  }

  end(code: EndCode, problem: string, now: number): void {
    this.#end(code, problem, now);
  }

  /** Answers an offer: it has arrived, and what is here already once it is accepted. */
  #noteOffer(from: string | undefined, now: number): void {
    if (this.#receiver) return this.#acknowledge(now, true);
    this.#answer({ type: "SACK", file: this.file }, from, now);
  }

  #write(): void {
    const block = this.#isWriting ? undefined : this.#receiver!.takeBlock();
    if (!block) return;
    this.#isWriting = true;
    this.#parts.request({ ask: "write", job: this.#number, ...block });
  }

  #finishIfWhole(): void {
    if (this.#isFinishing || this.#isWriting || !this.#receiver!.isWhole) return;
    this.#isFinishing = true;
    this.#parts.request({ ask: "finish", job: this.#number });
  }

  /** Tells what has arrived, if it is time to, or at once. */
  #acknowledge(now: number, isAsked = false): void {
    if (!this.#receiver || !this.#link?.isOpen) return;
    const sack = this.#receiver.takeSack(now, isAsked);
    if (!sack) return;
    const { next, room, ids, delay } = sack, late = Math.min(Math.round(delay), MAX_SACK_DELAY_MS);
    const told = ids.length > 0 ? { ids: ids.slice(0, MAX_SACK_RANGES), delay: late } : {};
    this.#wasRelayed ||= this.#link.isRelayed(now);
    // the server passes octets on to whoever acknowledges them through it
    const throughServer = this.#from === undefined;
    this.#link.send({ type: "SACK", file: this.file, next, room, ...told }, now, throughServer);
  }

  /**
   * Whether the way is another one than at the last call: the server passes on octets to whoever has acknowledged some
   * through it, and the sender need not wait for a time-out.
   */
  #hasOtherWay(now: number): boolean {
    if (!this.#receiver || !this.#link?.isOpen) return false;
    const before = this.#way;
    this.#way = this.#link.way(now);
    return before !== undefined && this.#way !== before;
  }

  get #isRelayed(): boolean {
    // what counts is the way that the octets take
    return this.#receiver !== undefined && this.#from === undefined;
  }

  #send(packet: LinkPacket, now: number): void {
    if (this.#link?.isOpen) this.#link.send(packet, now);
    else this.#answer(packet, this.#from, now);
  }

  #end(code: EndCode, problem: string, now: number): Fact[] {
    if (!this.#ended) this.#send({ type: "END", file: this.file, code }, now);
    return this.#finish({ code, problem, isHere: true }, now);
  }

  #finish(how: Pick<Ended, "code" | "isHere" | "problem" | "path">, now: number): Fact[] {
    if (this.#ended) return [];
    const took = now - this.#startedAt, had = this.#had, notes = this.#wasRelayed ? { relayed: true } : {};
    this.#ended = { ...identityOf(this.state), took, had, ...notes, ...how };
    if (this.#link) this.#parts.request({ ask: "close", job: this.#number });
    if (this.#link && how.code !== "done") this.#parts.letGo(this.#link);
    return [];
  }

  /** Says that all is there, again and again, until the sender says the same. */
  #linger(now: number): Fact[] {
    if (!this.#goodbyes.isDue(now)) return [];
    const pause = GOODBYE_PAUSES_MS[this.#goodbyes.times];
    if (pause === undefined) this.#stopLingering();
    else {
      this.#goodbyes.tried(now + pause);
      this.#link!.send({ type: "END", file: this.file, code: "done" }, now);
    }
    return [];
  }

  #stopLingering(): void {
    this.#goodbyes.stop();
    if (this.#link) this.#parts.letGo(this.#link);
  }
}
