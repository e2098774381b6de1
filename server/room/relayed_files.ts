/**
 * Files from one version 1 member to another that pass through the server: it passes each packet on, within limits, to
 * who wants it. Those that can't take files are told of them, and so are the senders.
 *
 * @module
 */
import { type FilePacket, MAX_DATA_BYTES } from "../../protocol.ts";
import type { Delivery } from "./delivery.ts";
import { FileLimits } from "./file_limits.ts";
import { FileRecords, type Spoken } from "./file_records.ts";
import type { Ignored } from "./ignored.ts";
import type { Limits } from "./limits.ts";
import type { Member, Members } from "./members.ts";
import type { Passes } from "./passes.ts";
import { passOn, receiverAt, RELAY_COST } from "./private_relay.ts";
import { ReceiverLimits } from "./receiver_limits.ts";
import { offerLines, ToldOffers } from "./told_offers.ts";

/** What the files need of the room. */
export interface RelayedFilesContext {
  members: Members;
  delivery: Delivery;
  limits: Limits;
  ignored: Ignored;
  passes: Passes;
  /** How many bytes a second of files pass for each member; 0 for no limit. */
  relayRate: number;
  /** Notes that a member reads what another has written to it. */
  shown: (from: Member, to: Member, now: number) => void;
}

type Offer = FilePacket & { type: "OFFER" };

/** How much of all but DATA may pass beside it: a SACK for each second DATA has a quarter of its bytes or less. */
const ANSWERS_SHARE = 1 / 2;
/** What a DATA costs at least, in bytes: one with a single octet takes as long as the longest, with its headers. */
const LEAST_DATA_COST = MAX_DATA_BYTES + 100;
/** What a packet without octets costs at least, in bytes: it takes nearly as long as one with them. */
const LEAST_COST = 512;
/** The code of the END that answers an OFFER for a program that can't take files. */
const NO_FILES = "no-files";

/** The files of one room. */
export class RelayedFiles {
  readonly #context: RelayedFilesContext;
  readonly #records = new FileRecords();
  readonly #octets: FileLimits;
  readonly #answers: FileLimits;
  /** For what nobody has asked for: OFFERs, and ENDs of them. */
  readonly #receiverLimits = new ReceiverLimits();
  readonly #told = new ToldOffers();

  constructor(context: RelayedFilesContext) {
    this.#context = context;
    this.#octets = new FileLimits(context.relayRate);
    this.#answers = new FileLimits(ANSWERS_SHARE * context.relayRate);
  }

  /**
   * Takes what a version 1 member sends to whoever has an address.
   *
   * @param bytes The length of the datagram.
   */
  receive(packet: FilePacket, address: string, from: Member, bytes: number, now: number): void {
    const { ignored, delivery } = this.#context;
    const isOctets = packet.type === "DATA", limits = isOctets ? this.#octets : this.#answers;
    const cost = Math.max(isOctets ? LEAST_DATA_COST : LEAST_COST, bytes);
    if (!limits.takeSent(from, cost, now)) return ignored.count("fast-files");
    const to = this.#receiverOf(packet, address, from, now);
    if (!to) return;
    if (packet.type === "OFFER" && !this.#takeOffer(packet, from, now)) return ignored.count("fast-messages");
    if (to.dialect !== "v1") {
      if (packet.type === "OFFER") this.#refuse(packet, from, to, now);
      else ignored.count("not-joined", "file");
      return;
    }
    const own = this.#records.note(packet, from, to, now);
    if (!this.#isWanted(packet, own, from, to, now)) return;
    if (!limits.takePassed(from, to, cost, now)) return ignored.count("fast-files");
    if (own) own.wasPassed = true;
    passOn(packet, from, to, delivery);
  }

  /**
   * Whom a packet is for; if nobody, it is counted as ignored. To check a pass takes a while: it is done once for each
   * transfer, and costs what any RELAY does, so that many false ones do not keep the server busy.
   */
  #receiverOf(packet: FilePacket, address: string, from: Member, now: number): Member | undefined {
    const { members, limits, ignored } = this.#context, token = this.#records.of(from, packet, now)?.token;
    if (!token && !limits.takeRequestTokens(from, RELAY_COST, now)) return undefined;
    const member = token ? members.withKey(address) : receiverAt(address, packet.pass, from, this.#context);
    // a pass that was found right for one member is right for no other
    if (member && (!token || member.token === token)) return member;
    ignored.count("not-joined", "pass");
    return undefined;
  }

  /** Whether a packet is passed on, as far as it is not too much; if not, it is counted as ignored. */
  #isWanted(packet: FilePacket, own: Spoken | undefined, from: Member, to: Member, now: number): boolean {
    if (packet.type === "OFFER") return this.#takeUnasked(from, to, now);
    const other = this.#records.of(to, packet, now);
    if (packet.type === "DATA" ? other?.takeOctets(now) : other?.takeAnswer()) return true;
    // who was offered a file and has not answered is told that it is not any more
    if (packet.type === "END" && own?.wasPassed) return this.#takeUnasked(from, to, now);
    this.#context.ignored.count("not-joined", "file");
    return false;
  }

  /** Takes what an OFFER costs: a new one as much as a message. */
  #takeOffer(offer: Offer, from: Member, now: number): boolean {
    const isRepeat = (this.#records.of(from, offer, now)?.repeatsLeft ?? 0) > 0;
    return isRepeat || this.#context.limits.takeMessageTokenNow(from, now);
  }

  /** Takes what somebody gets without having sent anything; returns whether it may be sent. */
  #takeUnasked(from: Member, to: Member, now: number): boolean {
    const isWithinLimit = this.#receiverLimits.take(to, from, now);
    if (!isWithinLimit) this.#context.ignored.count("fast-requests", "receiver");
    return isWithinLimit;
  }

  /** Tells a member whose program can't take files of an OFFER, once and not too often, and its sender of that. */
  #refuse(offer: Offer, from: Member, to: Member, now: number): void {
    const { delivery, shown } = this.#context, { pass, file } = offer;
    const own = this.#records.note(offer, from, to, now)!;
    if (!own.wasPassed && this.#told.take(from, to, now)) {
      own.wasPassed = true;
      shown(from, to, now);
      for (const line of offerLines(offer, from)) delivery.send(to, { dialect: "classic", type: "INCOMING", line });
    }
    const { token } = from, { address } = to;
    const packet = { dialect: "v1", type: "END", pass, file, code: NO_FILES } as const;
    delivery.send(from, { dialect: "v1", type: "RELAY", token, address, packet });
  }
}
