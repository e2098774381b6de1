/**
 * The lasting contacts with other members: each gets the server's and the peers' packets that concern it.
 *
 * @module
 */
import type { Presence, Renamed, V1Packet } from "../../protocol.ts";
import { earliestWake } from "../../protocol/earliest.ts";
import { TokenBucket, type TokenBucketOptions } from "../../protocol/reliable/token_bucket.ts";
import type { Answer, Fact, ReachQuestion, Timed } from "./facts.ts";
import type { Named } from "./known_ways.ts";
import { type LinkTarget, PeerLink, type PeerLinkParts } from "./peer_link.ts";

/**
 * How many checks of one peer a second are answered, and how many at once, by its transfers alone: also while the server
 * has not named it. While it has, as many more are answered as others of its packets.
 */
const ANSWER_RATE: TokenBucketOptions = { rate: 10, burst: 20 };

/** All links of one session. */
export class PeerLinks implements Timed {
  readonly #parts: PeerLinkParts;
  readonly #links = new Map<PeerLink, TokenBucket>();

  constructor(parts: PeerLinkParts) {
    this.#parts = parts;
  }

  /** Makes a link with a member, which is held until it is let go. */
  hold(target: LinkTarget, now: number): PeerLink {
    const link = new PeerLink(this.#parts, target, now);
    this.#links.set(link, new TokenBucket(ANSWER_RATE, now));
    return link;
  }

  letGo(link: PeerLink): void {
    this.#links.delete(link);
  }

  get nextWake(): number | undefined {
    return earliestWake(this.#links.keys());
  }

  wake(now: number): Fact[] {
    for (const link of this.#links.keys()) link.wake(now);
    return [];
  }

  /** Takes the server's answer to where a member is; undefined when there was none in time. */
  located(question: ReachQuestion, answer: Answer | undefined, now: number): void {
    for (const link of this.#links.keys()) if (link.hasAsked(question)) link.located(answer, now);
  }

  /** Takes the answer to a check; returns whether it is one of a link. */
  answered({ pass, id }: V1Packet & { type: "ACK" }, now: number): boolean {
    return [...this.#links.keys()].some((link) => link.pass === pass && link.answered(id, now));
  }

  /**
   * Answers the check of a peer, also when the server has not named it for a while: it may be gone, and the two go on.
   * Returns whether the pass is that of a link.
   */
  opened({ pass, id }: V1Packet & { type: "OPEN" }, from: string, now: number): boolean {
    for (const [link, bucket] of this.#links) {
      if (pass === undefined || link.pass !== pass) continue;
      link.heard(from, now);
      if (id === undefined) return true;
      const isKnown = link.knows(from) && bucket.take(ANSWER_RATE, now) === 0;
      if (isKnown || this.#parts.inbox.mayCheck(pass, from, now)) {
        this.#parts.send({ dialect: "v1", type: "ACK", pass, id }, from);
      }
      return true;
    }
    return false;
  }

  /** Takes the server's word on who has a pass. */
  named(named: Named, now: number): void {
    for (const link of this.#links.keys()) if (link.pass === named.pass) link.moved(named, now);
  }

  /** Notes that the server has begun anew. */
  beginAnew(now: number): void {
    for (const link of this.#links.keys()) link.beginAnew(now);
  }

  /** Takes note of who has left: a member with another address says so too, so the server is asked. */
  noteLeft(members: Presence[], now: number): void {
    const left = new Set(members.map(({ address }) => address));
    for (const link of this.#links.keys()) if (link.place && left.has(link.place.address)) link.doubt(now);
  }

  /** Takes note of who has another name. */
  noteRenamed(members: Renamed[]): void {
    for (const { before, name } of members) {
      if (before === undefined) continue;
      for (const link of this.#links.keys()) link.renamed(before, name);
    }
  }
}
