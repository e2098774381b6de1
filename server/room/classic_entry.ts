/**
 * Which peers may join in the classic dialect, and what those are told that may not.
 *
 * @module
 */
import type { DatagramDialect } from "../../protocol.ts";
import { addressKey } from "../../protocol/address_key.ts";
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import { BoundedMap } from "./bounded_map.ts";
import { ClassicPolicy, type ClassicPolicyOptions, type ClassicRefusal } from "./classic_policy.ts";
import type { Delivery } from "./delivery.ts";
import { EXPELLED_MS, type Expulsion } from "./expulsions.ts";
import type { Ignored } from "./ignored.ts";
import type { Limits } from "./limits.ts";
import type { Member, Members } from "./members.ts";
import type { Peer } from "./peer.ts";

/** What is told to who can't prove that it has an account. */
export const NEEDS_ACCOUNT = "This server lets in only who has an account, and only by the udp-chat client";

/**
 * How many lines a second are told in all to those who may not come in: a map of addresses bounds nothing when there
 * are more forged ones than it has places.
 */
const LINE_RATE: TokenBucketOptions = { rate: 20, burst: 20 };

/** What is needed of the room. */
export interface ClassicEntryContext {
  members: Members;
  delivery: Delivery;
  limits: Limits;
  ignored: Ignored;
  /** Silence after which a member makes room, in milliseconds. */
  timeout: number;
}

/** A classic peer that may not join, and in what form it reads lines. */
export type ClassicStranger = Peer & { dialect: Exclude<DatagramDialect, "v1"> };

/** The classic peers that want to join. */
export class ClassicEntry {
  readonly #policy: ClassicPolicy;
  readonly #context: ClassicEntryContext;
  /**
   * Until when no classic member with an IP address makes room, by the key of the address, in milliseconds: to look for
   * one takes time, and a flood of greetings must not take it for each.
   */
  readonly #noRoomUntil = new BoundedMap<number>();
  /** Until when an IP address is not told again why its datagrams let nobody in, by its key, in milliseconds. */
  readonly #toldUntil = new BoundedMap<number>();
  readonly #lines = new TokenBucket(LINE_RATE, 0);

  constructor(options: ClassicPolicyOptions | undefined, context: ClassicEntryContext) {
    this.#policy = new ClassicPolicy(options);
    this.#context = context;
  }

  /** Counts a member that has joined. */
  joined(member: Member): void {
    this.#policy.joined(member);
  }

  /** Counts a member that has left. */
  left(member: Member): void {
    this.#policy.left(member);
  }

  /** Why a peer may not join; undefined if it may. */
  refusal(peer: Peer): ClassicRefusal | undefined {
    return this.#policy.classicRefusal(peer);
  }

  /** Whether a peer is so near that it may be answered, also if there is no place for it. */
  isWelcome(peer: Peer): boolean {
    const refusal = this.refusal(peer);
    return refusal !== "off" && refusal !== "network";
  }

  /**
   * The member that has been silent for the longest time, if that makes room for a peer which was refused, and it was
   * silent for long. A classic program says no goodbye, so without this the places of those that are gone, or were
   * forged, would never be free again.
   */
  whoMakesRoom(peer: Peer, refusal: ClassicRefusal, now: number): Member | undefined {
    if (refusal !== "address" && refusal !== "members") return undefined;
    const { members, timeout } = this.#context, isOfAddress = refusal === "address", key = addressKey(peer.address);
    if (isOfAddress && now < (this.#noRoomUntil.get(key) ?? -Infinity)) return undefined;
    const member = members.longestSilentClassic(isOfAddress ? peer.address : undefined);
    if (!member) return undefined;
    const dueAt = members.heardAt(member) + timeout;
    if (now >= dueAt) return member;
    if (isOfAddress) this.#noRoomUntil.set(key, dueAt);
    return undefined;
  }

  /** Counts a datagram of a peer that was refused, and tells it why where it could not know. */
  noteRefused(peer: ClassicStranger, refusal: ClassicRefusal, now: number): void {
    this.#context.ignored.count("refused-classic", refusal);
    if (refusal === "accounts") this.#tell(peer, NEEDS_ACCOUNT, now);
  }

  /**
   * Counts a datagram of one who was told to go, and tells it why; not again for a while, since a flood may come from
   * there, or the address be forged.
   */
  noteExpelled(peer: ClassicStranger, { code, text }: Expulsion, now: number): void {
    this.#context.ignored.count("kept-out", code);
    if (now < (this.#toldUntil.get(addressKey(peer.address)) ?? -Infinity)) return;
    if (this.#tell(peer, `!! ${text}`, now)) this.noteTold(peer, now);
  }

  /** Notes that an IP address was just told why it has to go. */
  noteTold({ address }: Pick<Peer, "address">, now: number): void {
    this.#toldUntil.set(addressKey(address), now + EXPELLED_MS);
  }

  /** Tells a peer something, if the limits allow it; returns whether they do. */
  #tell(peer: ClassicStranger, line: string, now: number): boolean {
    const { delivery, limits } = this.#context;
    if (this.#lines.take(LINE_RATE, now) > 0 || !limits.takeAnswerBytes(peer, line, now)) return false;
    delivery.send(peer, { dialect: "classic", type: "INCOMING", line });
    return true;
  }
}
