/**
 * All files that are offered and under way between this client and others.
 *
 * @module
 */
import { earliestWake } from "../../../protocol/earliest.ts";
import { TokenBucket, type TokenBucketOptions } from "../../../protocol/reliable/token_bucket.ts";
import { detach } from "../../../protocol/utf8.ts";
import type { FileResult, Files } from "../../files/files.ts";
import type { Fact, Timed } from "../facts.ts";
import type { LinkPacket, LinkTarget } from "../peer_link.ts";
import type { Peers } from "../peers.ts";
import { relay } from "../relay.ts";
import type { Self, Send } from "../self.ts";
import { Incoming, type OfferPacket } from "./incoming.ts";
import { OfferLimits } from "./offer_limits.ts";
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
/** How many packets a second are answered that belong to no open transfer, and how many at once. */
const STRAY_RATE: TokenBucketOptions = { rate: 50, burst: 100 };

/** The transfers of one session. */
export class Transfers implements Timed {
  readonly #options: TransfersOptions;
  readonly #parts: TransferParts;
  readonly #open = new Map<number, Transfer>();
  readonly #byFile = new Map<string, Transfer>();
  readonly #ended = new Map<string, { pass: string | undefined; code: string }>();
  readonly #limits = new OfferLimits();
  readonly #strays = new TokenBucket(STRAY_RATE, 0);
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

  /** How many of them this user has begun or taken. */
  get openCount(): number {
    return this.states.filter(({ state }) => state !== "asked").length;
  }

  get nextWake(): number | undefined {
    return earliestWake(this.#open.values());
  }

  /** When there was last a sign that they go on, in milliseconds; what is read or hashed here does. */
  progressAt(now: number): number {
    const times = [...this.#open.values()].map(({ state, heardAt }) => state.state === "preparing" ? now : heardAt);
    return Math.max(-Infinity, ...times);
  }

  wake(now: number): Fact[] {
    return this.#settle([...this.#open.values()].flatMap((transfer) => transfer.wake(now)));
  }

  /** Offers a file to a member. */
  offer(target: LinkTarget, path: string, now: number): Fact[] {
    if (!this.#options.files) return [{ type: "problem", text: "This program can't send files" }];
    const { length } = this.states.filter(({ direction }) => direction === "out");
    if (length >= MAX_OUTGOING) {
      return [{ type: "problem", text: `Not offered: ${MAX_OUTGOING} files are on their way already` }];
    }
    const transfer = new Outgoing(this.#parts, ++this.#lastNumber, path, target, now);
    this.#add(transfer, this.#lastNumber);
    return this.#settle([]);
  }

  /** Takes a file that is offered. */
  accept(number: number, now: number): Fact[] {
    const transfer = this.#open.get(number);
    if (transfer instanceof Incoming) transfer.accept(now);
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
    if (packet.type === "END") return [];
    const ended = this.#ended.get(packet.file);
    if (packet.type === "OFFER" && !ended) return this.#takeOffer(packet, from, now);
    const code = ended?.pass === packet.pass ? ended.code : "unknown";
    this.#answer(packet.pass, { type: "END", file: packet.file, code }, from, now);
    return [];
  }

  /** The transfers that have ended since the last call. */
  takeEnded(): TransferEnd[] {
    return this.#ends.splice(0);
  }

  #takeOffer(offer: OfferPacket, from: string | undefined, now: number): Fact[] {
    const { pass, file } = offer, { peers, files } = this.#options, by = peers.introduced(pass, now);
    if (!by) return [];
    const asked = [...this.#open.values()].filter((transfer) => transfer instanceof Incoming);
    const refusal = !files ? "no-files" : this.#limits.take(pass, asked, now) ? undefined : "busy";
    if (refusal !== undefined) {
      this.#answer(pass, { type: "END", file, code: refusal }, from, now);
      return [];
    }
    const answer = (packet: LinkPacket, from: string | undefined, now: number) => this.#answer(pass, packet, from, now);
    const transfer = new Incoming(this.#parts, ++this.#lastNumber, offer, { ...by, from }, answer, now);
    this.#add(transfer, this.#lastNumber);
    this.#answer(pass, { type: "SACK", file }, from, now);
    const { number, peer, file: name, size } = transfer.state, { folder } = files!;
    return [{ type: "show", shown: { kind: "offered", number, peer, file: name, size, folder } }];
  }

  /** Answers a packet by the way that it came. */
  #answer(pass: string, packet: LinkPacket, from: string | undefined, now: number): void {
    const { peers, send, self } = this.#options, whole = { dialect: "v1", pass, ...packet } as const;
    if (this.#strays.take(STRAY_RATE, now) > 0) return;
    if (from !== undefined) {
      if (peers.mayAnswer(pass, from, now)) send(whole, from);
      return;
    }
    const by = peers.introduced(pass, now);
    if (by) send(relay(whole, self, by.address));
  }

  #add(transfer: Transfer, number: number): void {
    this.#open.set(number, transfer);
    this.#byFile.set(detach(transfer.file), transfer);
  }

  /** Lets go of those that have ended, and shows how. */
  #settle(facts: Fact[]): Fact[] {
    for (const [number, { ended, file, pass }] of this.#open) {
      if (!ended) continue;
      const { code, isHere, ...end } = ended;
      this.#open.delete(number);
      this.#byFile.delete(file);
      this.#ended.set(file, { pass, code });
      if (this.#ended.size > MAX_ENDED) this.#ended.delete(this.#ended.keys().next().value!);
      this.#ends.push(end);
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
