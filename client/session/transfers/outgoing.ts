/**
 * A file that this client sends.
 *
 * @module
 */
import type { FilePacket } from "../../../protocol.ts";
import { earliest } from "../../../protocol/earliest.ts";
import { randomHex64 } from "../../../protocol/fields.ts";
import { DataSender } from "../../../protocol/reliable/data_sender.ts";
import { Retry } from "../../../protocol/reliable/retry.ts";
import { printable } from "../../../protocol/text.ts";
import type { FileResult } from "../../files/files.ts";
import type { Fact } from "../facts.ts";
import { type LinkTarget, type PeerLink, THROUGH_SERVER } from "../peer_link.ts";
import { RateMeter } from "./rate_meter.ts";
import { relayNotice, whyNoAnswer, whyNotDirectly } from "../way_words.ts";
import type { TransferState } from "./transfer.ts";
import { type Ended, identityOf, SIGN_PAUSE_MS, type Transfer, type TransferParts } from "./transfer_parts.ts";
import {
  codeOf,
  type EndCode,
  GOES_ON,
  SILENCE_MS,
  STALL_MS,
  WHY_STALLED,
  whyNotThere,
  whySilent,
} from "./transfer_words.ts";

type Offer = Pick<Extract<FilePacket, { type: "OFFER" }>, "size" | "hash" | "text">;

const OFFER_PAUSES_MS = [250, 500];
const OFFER_PAUSE_MS = 1000;
/** The pause before another offer where too many files are offered, in milliseconds. */
const BUSY_PAUSE_MS = 2000;
/** For how long it may be unknown where the other member is, in milliseconds. */
const LOOK_UP_DEADLINE_MS = 10_000;
/**
 * Which share of the bytes that the server passes on are octets of the file: of a datagram with 1,000 of them about 150
 * are headers, and a little is left over, as what is too much is lost.
 */
const RELAY_SHARE = 0.95 * 1000 / 1150;

/** A file on its way from here. */
export class Outgoing implements Transfer {
  readonly file = randomHex64();
  readonly #parts: TransferParts;
  readonly #number: number;
  readonly #link: PeerLink;
  readonly #findBy: number;
  /** Until when it is tried again where too many files are offered, in milliseconds. */
  readonly #until: number;
  readonly isLingering = false;
  #name: string;
  #offer: Offer | undefined;
  readonly #offers = new Retry();
  /** Whether the other member has got the offer. */
  #isOffered = false;
  #sender: DataSender | undefined;
  readonly #meter = new RateMeter();
  /** The way that the data took last. */
  #way = "";
  /** Whether the user was told that it goes through the server. */
  #hasTold = false;
  /** How far the file was sent; and whether a part of it is being read. */
  #sentUpTo = 0;
  #isReading = false;
  #startedAt: number;
  #had = 0;
  #heardAt: number;
  #progressAt = Infinity;
  #ended: Ended | undefined;

  /** @param path As it was typed. */
  constructor(parts: TransferParts, number: number, path: string, target: LinkTarget, now: number) {
    this.#parts = parts;
    this.#number = number;
    this.#name = printable(path);
    this.#link = parts.hold(target, now);
    this.#until = target.until ?? now;
    this.#findBy = Math.max(now, target.until ?? now) + LOOK_UP_DEADLINE_MS;
    this.#startedAt = this.#heardAt = now;
    parts.request({ ask: "inspect", job: number, path });
  }

  get state(): TransferState {
    const sender = this.#sender;
    const before = !this.#offer ? "preparing" : this.#isOffered ? "offered" : "calling";
    const state = sender ? sender.isWhole ? "finishing" : "running" : before;
    return {
      ...{ number: this.#number, direction: "out", peer: this.#link.name, file: this.#name, state },
      ...{ size: this.#offer?.size ?? 0, done: sender?.acknowledged ?? 0, rate: this.#meter.rate },
      isRelayed: this.#way === THROUGH_SERVER,
    };
  }

  get pass(): string | undefined {
    return this.#link.pass;
  }

  get ended(): Ended | undefined {
    return this.#ended;
  }

  get heardAt(): number {
    return this.#heardAt;
  }

  get nextWake(): number | undefined {
    if (this.#ended) return undefined;
    const isAnswerDue = this.#offer !== undefined && this.#link.isOpen;
    return earliest([
      this.#offers.dueAt,
      this.#sender?.nextWake,
      this.#link.isOpen ? undefined : this.#findBy,
      isAnswerDue ? Math.min(this.#heardAt + SILENCE_MS, this.#progressAt + STALL_MS) : undefined,
    ]);
  }

  wake(now: number): Fact[] {
    if (this.#ended) return [];
    const { lost } = this.#link;
    if (lost !== undefined) {
      return this.#end(this.#link.isShut ? "no-way" : "left", this.#isUnderWay ? `${lost}; ${GOES_ON}` : lost, now);
    }
    if (!this.#link.isOpen) {
      return now < this.#findBy ? [] : this.#end("left", "the server does not say where it is", now);
    }
    if (!this.#offer) return [];
    if (this.#offers.times === 0 && this.#offers.dueAt === undefined) this.#begin(now);
    if (now >= this.#progressAt + STALL_MS) return this.#end("left", WHY_STALLED, now);
    if (now >= this.#heardAt + SILENCE_MS) {
      const { name, place } = this.#link;
      const isNew = !this.#isOffered, never = whyNoAnswer(name, { place, isLocated: true });
      return this.#end("left", isNew ? never : whySilent(name, this.#isUnderWay), now);
    }
    if (this.#sender) this.#meter.note(this.#sender.acknowledged, now);
    const facts = this.#followWay(now);
    this.#sendOffer(now);
    this.#sendData(now);
    return facts;
  }

  receive(packet: FilePacket, from: string | undefined, now: number): Fact[] {
    // what only this end sends has come back
    if (this.#ended || !this.#offer || packet.type !== "SACK" && packet.type !== "END") return [];
    this.#heardAt = now;
    this.#link.heard(from, now);
    if (packet.type === "END") {
      if (packet.code === "busy" && !this.#sender && now < this.#until) {
        this.#offers.tried(now + BUSY_PAUSE_MS);
        return [];
      }
      return this.#endedThere(packet.code, now);
    }
    const isNew = !this.#isOffered;
    this.#isOffered = true;
    const { next, room = 0, ids = [], delay = 0 } = packet;
    if (next === undefined) {
      this.#offers.tried(now + SIGN_PAUSE_MS);
      return isNew ? [{ type: "notice", text: `${this.#link.name} is asked whether to take ${this.#name}` }] : [];
    }
    if (!this.#sender) {
      if (next > this.#offer.size) return this.#endFalse(now);
      this.#sender = new DataSender({ size: this.#offer.size, from: next, random: this.#parts.random }, now);
      this.#startedAt = this.#progressAt = now;
      this.#had = this.#sentUpTo = next;
      this.#limitRate();
    }
    const before = this.#sender.acknowledged;
    if (this.#sender.acknowledge({ next, room, ids, delay }, now) === "false") return this.#endFalse(now);
    if (this.#sender.acknowledged > before) {
      this.#link.prove(now);
      this.#progressAt = now;
    }
    this.#meter.note(this.#sender.acknowledged, now);
    // once all is there, the other end is asked how it has ended
    this.#offers.tried(now + (this.#sender.isWhole ? OFFER_PAUSE_MS : SIGN_PAUSE_MS));
    return this.wake(now);
  }

  done(result: FileResult, now: number): Fact[] {
    if (this.#ended) return [];
    if (result.is === "inspected") {
      this.#name = printable(result.name);
      this.#offer = { size: result.size, hash: result.hash, text: result.name };
      this.#heardAt = now;
      return this.wake(now);
    }
    if (result.is === "failed") return this.#end(codeOf(result.problem), printable(result.text), now);
    if (result.is !== "read") return [];
    this.#isReading = false;
    this.#sender!.supply(result.at, result.octets);
    return this.wake(now);
  }

  end(code: EndCode, problem: string, now: number): void {
    this.#end(code, problem, now);
  }

  /** Whether some of it is at the other member. */
  get #isUnderWay(): boolean {
    return this.#sender !== undefined && this.#sender.acknowledged > 0;
  }

  #begin(now: number): void {
    this.#heardAt = now;
    this.#offers.start(now);
  }

  #sendOffer(now: number): void {
    if (!this.#offers.isDue(now)) return;
    const pause = this.#isOffered ? this.#sender?.isWhole ? OFFER_PAUSE_MS : SIGN_PAUSE_MS : undefined;
    this.#offers.tried(now + (pause ?? OFFER_PAUSES_MS[this.#offers.times] ?? OFFER_PAUSE_MS));
    this.#link.send({ type: "OFFER", file: this.file, ...this.#offer! }, now);
  }

  #sendData(now: number): void {
    const sender = this.#sender;
    if (!sender || this.#ended) return;
    for (const { id, at, octets } of sender.take(now)) {
      this.#sentUpTo = Math.max(this.#sentUpTo, at + octets.length);
      this.#link.send({ type: "DATA", file: this.file, id, offset: at, octets }, now);
    }
    const { wanted } = sender;
    if (this.#isReading || !wanted) return;
    this.#isReading = true;
    this.#parts.request({ ask: "read", job: this.#number, ...wanted });
  }

  /** Notes which way the packets take now; tells the user before the first octet goes through the server. */
  #followWay(now: number): Fact[] {
    const before = this.#way, way = this.#way = this.#link.way(now);
    if (!this.#sender) return [];
    if (way !== before) {
      this.#sender.changeWay(now);
      this.#limitRate();
    }
    if (way !== THROUGH_SERVER || this.#hasTold) return [];
    this.#hasTold = true;
    const why = whyNotDirectly(this.#link.name, this.#link.place!, this.#parts.self.address);
    return [{ type: "notice", text: relayNotice(why) }];
  }

  #limitRate(): void {
    const { rate } = this.#link.place!;
    const isLimited = this.#way === THROUGH_SERVER && rate !== undefined;
    this.#sender!.limitRate(isLimited ? RELAY_SHARE * rate : undefined);
  }

  #endedThere(code: string, now: number): Fact[] {
    // the last acknowledgement may be lost, the first too if all was there before; but nobody has what was not sent
    if (code !== "done" || this.#sender && this.#sentUpTo < this.#offer!.size) {
      return this.#finish({ code, problem: whyNotThere(code, this.#link.name, this.#isUnderWay), isHere: false }, now);
    }
    // whoever has all of it repeats that until it is known here
    this.#link.send({ type: "END", file: this.file, code: "done" }, now);
    return this.#finish({ code, isHere: false }, now);
  }

  #endFalse(now: number): Fact[] {
    return this.#end("wrong-data", `the program of ${this.#link.name} says that it has what it can't have`, now);
  }

  #end(code: EndCode, problem: string, now: number): Fact[] {
    if (!this.#ended && this.#offer) this.#link.send({ type: "END", file: this.file, code }, now);
    return this.#finish({ code, problem, isHere: true }, now);
  }

  #finish(how: Pick<Ended, "code" | "isHere" | "problem" | "path">, now: number): Fact[] {
    if (this.#ended) return [];
    const took = now - this.#startedAt, had = this.#had;
    const notes = { ...(this.#hasTold && { relayed: true }), ...(!this.#offer && { unread: true }) };
    this.#ended = { ...identityOf(this.state), took, had, ...notes, ...how };
    this.#parts.request({ ask: "close", job: this.#number });
    this.#parts.letGo(this.#link);
    return [];
  }
}
