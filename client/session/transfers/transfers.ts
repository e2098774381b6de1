/**
 * All files that are offered and under way between this client and others.
 *
 * @module
 */
import { earliestWake } from "../../../protocol/earliest.ts";
import { nameKey } from "../../../protocol/names.ts";
import { detach } from "../../../protocol/utf8.ts";
import type { FileResult, Files } from "../../files/files.ts";
import type { Fact, Timed } from "../facts.ts";
import type { LinkPacket, LinkTarget } from "../peer_link.ts";
import type { Peers } from "../peers.ts";
import { relay } from "../relay.ts";
import type { Self, Send } from "../self.ts";
import { Incoming, type OfferPacket } from "./incoming.ts";
import { AnswerLimits, OfferLimits } from "./offer_limits.ts";
import { Outgoing } from "./outgoing.ts";
import type { TransferEnd, TransferState } from "./transfer.ts";
import type { EndCode } from "./transfer_words.ts";
import type { Transfer, TransferParts } from "./transfer_parts.ts";

/** What transfers work with. */
export interface TransfersOptions {
  peers: Pick<Peers, "links" | "introduced" | "mayAnswer">;
  /** This member, as the server knows it. */
  self: Pick<Self, "token" | "address">;
  send: Send;
  /** The disk; undefined where there is none. */
  files: Files | undefined;
  random: () => number;
}

type FilePacketFact = Extract<Fact, { type: "file packet" }>;

/** How many files may be on their way from here. */
const MAX_OUTGOING = 16;
/** Of how many transfers that have ended it is remembered how. */
const MAX_ENDED = 1000;
/** After how much silence another member may send the same file, in milliseconds. */
const TAKE_OVER_MS = 3000;
/** How many ends are kept for whoever asks for them. */
const MAX_ENDS = 100;

/** The transfers of one session. */
export class Transfers implements Timed {
  readonly #options: TransfersOptions;
  readonly #parts: TransferParts;
  readonly #open = new Map<number, Transfer>();
  readonly #byFile = new Map<string, Transfer>();
  readonly #ended = new Map<string, { pass: string | undefined; code: string; isOut: boolean }>();
  /** Those that have ended, but whose last word may not have arrived. */
  readonly #lingering = new Map<string, Transfer>();
  readonly #limits = new OfferLimits();
  readonly #answers = new AnswerLimits();
  /** Of whom alone files are taken; undefined for anybody. */
  #only: string | undefined;
  #ends: TransferEnd[] = [];
  #lastNumber = 0;

  constructor(options: TransfersOptions) {
    const { peers: { links }, files, random } = options;
    this.#options = options;
    this.#parts = {
      request: (request) => files!.request(request),
      hold: (target, now) => links.hold(target, now),
      letGo: (link) => links.letGo(link),
      self: options.self,
      random,
    };
  }

  /** Those that have not ended, in the order of their numbers. */
  get states(): TransferState[] {
    return [...this.#open.values()].map(({ state }) => state);
  }

  /** How many of them this user has begun or taken, and are not done with. */
  get openCount(): number {
    return this.states.filter(({ state }) => state !== "asked").length + this.#lingering.size;
  }

  get nextWake(): number | undefined {
    return earliestWake([...this.#open.values(), ...this.#lingering.values()]);
  }

  /** When there was last a sign that they go on, in milliseconds; what is read or hashed here does. */
  progressAt(now: number): number {
    const times = [...this.#open.values()].map(({ state, heardAt }) => state.state === "preparing" ? now : heardAt);
    return Math.max(-Infinity, ...times);
  }

  /** Declines what others than a member with this name offer, without asking. */
  takeOnlyFrom(name: string): void {
    this.#only = nameKey(name);
  }

  wake(now: number): Fact[] {
    for (const [file, transfer] of this.#lingering) {
      transfer.wake(now);
      if (!transfer.isLingering) this.#lingering.delete(file);
    }
    return this.#settle([...this.#open.values()].flatMap((transfer) => transfer.wake(now)));
  }

  /** Offers a file to a member. */
  offer(target: LinkTarget, path: string, now: number): Fact[] {
    if (!this.#options.files) return [{ type: "problem", text: "This program can't send files" }];
    const { length } = this.states.filter(({ direction }) => direction === "out");
    if (length >= MAX_OUTGOING) {
      return [{ type: "problem", text: `Not offered: ${MAX_OUTGOING} files are on their way already` }];
    }
    const number = ++this.#lastNumber;
    this.#add(new Outgoing(this.#parts, number, path, target, now), number);
    return this.#settle([]);
  }

  /** Takes a file that is offered. */
  accept(number: number, now: number): Fact[] {
    const transfer = this.#open.get(number);
    if (!(transfer instanceof Incoming)) return [];
    const same = this.#coming.find((other) => other !== transfer && other.isAccepted && other.isSame(transfer));
    if (same && now < same.heardAt + TAKE_OVER_MS) {
      const { number: other, peer } = same.state;
      const text = `The same file is already coming from ${peer}; /cancel ${other} ends that`;
      return [{ type: "problem", text }];
    }
    // whoever sent it has died, and may be back under another name
    same?.end("cancelled", `${transfer.peer} sends it now`, now);
    transfer.accept(now);
    return this.#settle([]);
  }

  /** Ends a transfer, and tells the other member by the code. */
  end(number: number, code: EndCode, problem: string, now: number): Fact[] {
    this.#open.get(number)?.end(code, problem, now);
    return this.#settle([]);
  }

  /** Ends all, as this client leaves. */
  leave(now: number): Fact[] {
    for (const transfer of this.#open.values()) {
      const isDecided = transfer.state.state !== "asked";
      transfer.end("left", isDecided ? "you have left" : "you have left without an answer", now);
    }
    return this.#settle([]);
  }

  /** Takes what the disk has done. */
  done(result: FileResult, now: number): Fact[] {
    return this.#settle(this.#open.get(result.job)?.done(result, now) ?? []);
  }

  /** Takes a packet about a file. */
  receive({ packet, from }: FilePacketFact, now: number): Fact[] {
    const transfer = this.#byFile.get(packet.file);
    if (transfer) {
      // whoever else says the same word is not the one it is with
      if (transfer.pass !== packet.pass) return [];
      return this.#settle(transfer.receive(packet, from, now));
    }
    const known = this.#ended.get(packet.file), ended = known?.pass === packet.pass ? known : undefined;
    if (packet.type === "END") {
      const lingering = this.#lingering.get(packet.file);
      if (lingering?.pass === packet.pass) lingering.receive(packet, from, now);
      if (lingering?.isLingering === false) this.#lingering.delete(packet.file);
      // whoever says that all is there waits for a word that this is known here
      const isAsked = ended?.isOut && ended.code === "done" && packet.code === "done";
      if (!isAsked) return [];
    }
    if (packet.type === "OFFER" && !known) return this.#takeOffer(packet, from, now);
    const answer = { type: "END", file: packet.file, code: ended?.code ?? "unknown" } as const;
    this.#answer(packet.pass, answer, from, ended !== undefined, now);
    return [];
  }

  /** The transfers that have ended since the last call. */
  takeEnded(): TransferEnd[] {
    return this.#ends.splice(0);
  }

  #takeOffer(offer: OfferPacket, from: string | undefined, now: number): Fact[] {
    const { pass, file } = offer, { peers, files } = this.#options, by = peers.introduced(pass, now);
    if (!by) return [];
    const isUnwanted = this.#only !== undefined && (by.name === undefined || nameKey(by.name) !== this.#only);
    const room = !files ? "no-files" : isUnwanted ? "declined" : this.#limits.take(pass, this.#coming, now);
    if (typeof room === "string") {
      this.#answer(pass, { type: "END", file, code: room }, from, false, now);
      return [];
    }
    // an offer of who has made many makes room for it
    room?.end("busy", "too many files are offered to you", now);
    const answer = (packet: LinkPacket, from: string | undefined, now: number) =>
      this.#answer(pass, packet, from, true, now);
    const number = ++this.#lastNumber,
      transfer = new Incoming(this.#parts, number, offer, { ...by, from }, answer, now);
    this.#add(transfer, number);
    answer({ type: "SACK", file }, from, now);
    const { peer, file: name, size } = transfer.state, { folder } = files!;
    return this.#settle([{ type: "show", shown: { kind: "offered", number, peer, file: name, size, folder } }]);
  }

  /**
   * Answers a packet by the way that it came; nothing if the server has not named whose pass it has.
   *
   * @param isKnown Whether it belongs to a transfer that is known here.
   */
  #answer(pass: string, packet: LinkPacket, from: string | undefined, isKnown: boolean, now: number): void {
    const { peers, send, self } = this.#options, whole = { dialect: "v1", pass, ...packet } as const;
    const by = peers.introduced(pass, now);
    if (!by || !this.#answers.take(pass, isKnown, now)) return;
    if (from === undefined) send(relay(whole, self, by.address));
    else if (peers.mayAnswer(pass, from, now)) send(whole, from);
  }

  get #coming(): Incoming[] {
    return [...this.#open.values()].filter((transfer) => transfer instanceof Incoming);
  }

  #add(transfer: Transfer, number: number): void {
    this.#open.set(number, transfer);
    this.#byFile.set(detach(transfer.file), transfer);
  }

  /** Lets go of those that have ended, and shows how. */
  #settle(facts: Fact[]): Fact[] {
    for (const [number, transfer] of this.#open) {
      const { ended, file, pass } = transfer;
      if (!ended) continue;
      const { code, isHere, ...end } = ended;
      this.#open.delete(number);
      this.#byFile.delete(file);
      this.#ended.set(file, { pass, code, isOut: end.direction === "out" });
      if (transfer.isLingering) this.#lingering.set(file, transfer);
      if (this.#ended.size > MAX_ENDED) this.#ended.delete(this.#ended.keys().next().value!);
      // nobody has seen the number of what was not even offered
      if (end.unread && number === this.#lastNumber) this.#lastNumber--;
      this.#ends.push(end);
      if (this.#ends.length > MAX_ENDS) this.#ends.shift();
      if (isHere && (code === "declined" || code === "cancelled")) {
        const what = code === "declined" ? "declined" : "ended the transfer of";
        const whose = end.direction === "in" ? `from ${end.peer}` : `to ${end.peer}`;
        facts.push({ type: "notice", text: `You have ${what} ${end.file} ${whose}` });
        continue;
      }
      facts.push({ type: "show", shown: { kind: "transferred", ...end } });
      if (end.problem !== undefined) facts.push({ type: "shortfall", what: "unsent", count: 1 });
    }
    return facts;
  }
}
