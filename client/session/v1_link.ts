/**
 * The conversation with a server that speaks version 1: membership, messages to it, and events from it.
 *
 * @module
 */
import type { EventPacket, V1Packet } from "../../protocol.ts";
import type { Derivation } from "../../protocol/crypto_functions.ts";
import { earliestWake } from "../../protocol/earliest.ts";
import { EventFeed } from "../../protocol/reliable/event_feed.ts";
import type { FeedItem } from "../../protocol/reliable/feed_items.ts";
import type { SeqRange } from "../../protocol/reliable/requested_ranges.ts";
import { LossEstimate } from "../../protocol/reliable/loss_estimate.ts";
import type { Hash } from "../../protocol/reliable/line_digest.ts";
import { RoundTrip } from "../../protocol/reliable/round_trip.ts";
import { type Draft, SendStream } from "../../protocol/reliable/send_stream.ts";
import { pluralize } from "../../protocol/text.ts";
import type { LinkEvent, Timed } from "./facts.ts";
import { Membership, type MembershipOptions } from "./membership.ts";
import { MutedMessages } from "./muted.ts";
import { type ErrorPacket, givenUp, isExpulsion, reasonOf, undelivered } from "./refusals.ts";
import type { Send } from "./self.ts";
import { lacksToken } from "./unwanted.ts";

/** What a link is made with. */
export interface V1LinkOptions extends Pick<MembershipOptions, "server" | "name" | "token" | "passwords"> {
  send: Send;
  /** Returns a number from 0 to 1; Math.random by default. */
  random?: () => number;
  /** What the digests of the server are checked with. Default: they are not checked. */
  hash?: Hash;
}

/** Why what waits is given up when the server has told this client to go. */
export const TOLD_TO_GO = "the server has told you to go";

/** The link to a version 1 server. */
export class V1Link implements Timed {
  readonly roundTrip: RoundTrip = new RoundTrip();
  readonly membership: Membership;
  readonly #loss = new LossEstimate(this.roundTrip);
  readonly #send: Send;
  readonly #sendStream: SendStream;
  readonly #feed: EventFeed;
  readonly #muted = new MutedMessages();
  /** When the server was first greeted in vain that does not know this client any more, in milliseconds. */
  #goneSince = Infinity;

  constructor({ server, name, token, passwords, send, random, hash }: V1LinkOptions) {
    const { roundTrip } = this, loss = this.#loss;
    this.#send = send;
    this.membership = new Membership({ server, name, token, passwords, roundTrip, loss, send });
    this.#sendStream = new SendStream(roundTrip, loss);
    this.#feed = new EventFeed({ roundTrip, random, hash });
  }

  get nextWake(): number | undefined {
    return earliestWake([this.membership, this.#sendStream, this.#muted, ...(this.#isExpelled ? [] : [this.#feed])]);
  }

  /** How many messages wait to be sent or acknowledged. */
  get waiting(): number {
    return this.#sendStream.size;
  }

  /** The seq of the next event to show. */
  get nextSeq(): number {
    return this.#feed.next;
  }

  /** How many events are known to be missing, or are here and wait for others before they are shown. */
  get backlog(): number {
    return this.#feed.backlog + this.#feed.heldCount;
  }

  /** What was counted; `repeated` are messages that were sent again. */
  get statistics(): Record<"received" | "repaired" | "lost" | "duplicates" | "repeated", number> {
    const { received, repaired, lost, duplicates } = this.#feed;
    return { received, repaired, lost, duplicates, repeated: this.#sendStream.repeated };
  }

  /** Whether a packet comes from the server, whatever its address is: it answers a greeting that was just sent. */
  isAnswer(packet: V1Packet): boolean {
    return this.membership.isAnswer(packet);
  }

  /** Takes something to say to everyone. {@linkcode transmit} sends it. */
  say(draft: Draft, now: number): void {
    this.#sendStream.add(draft, now);
  }

  /** Gives back all messages that wait. */
  takeDrafts(): Draft[] {
    return this.#sendStream.clear().map(({ wasSent: _, ...draft }) => draft);
  }

  /** Sends the messages that are due. */
  transmit(now: number): void {
    const { token } = this.membership.self;
    // the time of what is said to all is the server's
    for (const { saidAt: _, ...message } of this.#sendStream.wake(now)) {
      this.#send({ dialect: "v1", type: "MESSAGE", token, ...message });
    }
  }

  /** Asks the server for events. */
  request(range: SeqRange): void {
    const { token } = this.membership.self;
    // what others only claim need not be there
    if (range.from >= this.#feed.next && this.#feed.hasBehind(range.to)) this.#loss.noteMissing(range);
    const { percent: loss } = this.#loss;
    this.#send({ dialect: "v1", type: "RESEND", token, loss, epoch: this.#feed.epoch!, ...range });
  }

  /** Counts an event that came again, although the history had not asked for it. */
  noteDuplicate(): void {
    this.#feed.noteDuplicate();
  }

  /** Takes the password that the user has typed for the name. */
  givePassword(text: string, now: number): LinkEvent[] {
    return this.#follow(this.membership.givePassword(text, now), now);
  }

  /** Takes what a password was hashed to. */
  derived(derivation: Derivation, saltedPassword: Uint8Array, now: number): LinkEvent[] {
    return this.#follow(this.membership.derived(derivation, saltedPassword, now), now);
  }

  /** Stops all but the answers to what was sent. */
  stop(): void {
    this.membership.contact.stop();
    this.#sendStream.close();
  }

  wake(now: number): LinkEvent[] {
    const events = this.#follow(this.membership.wake(now), now);
    if (this.#isExpelled) return [...events, ...this.#muted.wake(now)];
    const { items, requests } = this.#feed.wake(now);
    for (const range of requests) this.request(range);
    this.transmit(now);
    if (this.#sendStream.isStuck(now)) this.membership.suspect(now);
    return [...events, ...this.#muted.wake(now), ...asEvents(items)];
  }

  /** Takes a packet from the server. What is due then is sent by {@linkcode transmit}. */
  receive(packet: V1Packet, now: number): LinkEvent[] {
    // what has the token of this member comes from the server; what has another token does not
    const { token } = this.membership.self;
    if (lacksToken(packet, token)) return [];
    const isVouched = "token" in packet && packet.token === token;
    const events = this.#follow(this.membership.heard(packet, isVouched, now), now);
    return [...events, ...this.#receive(packet, isVouched, now)];
  }

  #receive(packet: V1Packet, isVouched: boolean, now: number): LinkEvent[] {
    // what is forged for the line of a server that is gone could not be found out: it may come back with another line
    if (!isVouched && this.membership.state !== "joined" && isOfLine(packet)) return [];
    switch (packet.type) {
      case "RETRY":
        this.membership.retry(packet, now);
        return [];
      case "WELCOME":
        return this.#receiveWelcome(packet, now);
      case "INCOMING":
        if (packet.epoch !== this.#feed.epoch) return [];
        return this.#takeEvent(packet, isVouched, now, this.#receiveOwn(packet, now));
      case "ONLINE":
      case "OFFLINE":
      case "RENAMED":
      case "NOTICE":
        return this.#takeEvent(packet, isVouched, now);
      case "ACK":
        return this.#receiveAck(packet, now);
      case "HELD":
        this.#sendStream.held(packet.stream, packet.id, packet.wait, now);
        return [];
      case "HEARTBEAT":
        this.#feed.noteLatest({ ...packet, isVouched }, now);
        this.#confirmIfDoubtful(now);
        return [];
      case "GONE":
        if (packet.epoch !== this.#feed.epoch) return [];
        return [{ type: "gone", range: packet }, ...asEvents(this.#feed.markGone(packet.epoch, packet, now))];
      case "CHALLENGE": {
        const events = this.membership.challenged(packet, now);
        return events ? this.#follow(events, now) : [{ type: "answer", packet }];
      }
      case "USERS":
      case "PEER":
      case "REPLY":
        return [{ type: "answer", packet }];
      case "PUNCH":
        return [{ type: "punch", packet }];
      case "RELAY":
        return [{ type: "relayed", packet }];
      case "ERROR":
        return this.#receiveError(packet, now);
      case "CLOSING":
        this.membership.closing(packet, now);
        return [];
      default:
        return [];
    }
  }

  #receiveWelcome(packet: V1Packet & { type: "WELCOME" }, now: number): LinkEvent[] {
    const silentSince = Math.min(this.#goneSince, this.#silentSince(now));
    const welcome = this.membership.welcome(packet, now);
    if (!welcome) return [];
    // what a server says that is not the right one is not taken
    if (welcome.events.some(({ type }) => type === "distrusted")) return welcome.events;
    this.#goneSince = Infinity;
    const events: LinkEvent[] = [];
    const { epoch, seq } = packet;
    if (epoch !== this.#feed.epoch) {
      // after a change of epoch, a client that was a member before gets all that has been said since
      const isNewcomer = this.#feed.epoch === undefined;
      if (!isNewcomer) events.push({ type: "begun anew" });
      events.push(...asEvents(this.#feed.begin(epoch, isNewcomer || welcome.wasOut ? seq : 0, now, silentSince)));
      this.#loss.begin(seq);
    } else if (welcome.wasOut) {
      this.#feed.skip(seq);
    }
    events.push(...asEvents(this.#feed.confirmLatest(packet, welcome.askedAt, now)));
    return [...events, ...this.#follow(welcome.events, now), { type: "welcome", epoch, topic: packet.topic }];
  }

  /** When the first greeting was sent that has no answer, in milliseconds. */
  #silentSince(now: number): number {
    return now - this.membership.contact.silence(now);
  }

  /**
   * Takes note of an INCOMING of this client's stream, which settles the message with its id. Another member may have
   * forged it, or may have used the stream first when the server had forgotten everything. So a text that was not said
   * here settles nothing.
   *
   * @returns Which of this client's messages it is; undefined if it is none.
   */
  #receiveOwn({ stream, id, text }: V1Packet & { type: "INCOMING" }, now: number): string | undefined {
    const own = this.#sendStream;
    if (stream !== own.name || id === undefined || !own.hasSaid(id, text)) return undefined;
    own.settle(id, now);
    return `${stream} ${id}`;
  }

  #takeEvent(event: EventPacket, isVouched: boolean, now: number, own?: string): LinkEvent[] {
    const { epoch, seq, copy } = event, isNew = seq >= this.#feed.next;
    const isPast = isVouched && epoch === this.#feed.epoch && !isNew;
    const events = asEvents(this.#feed.take({ epoch, seq, event, isVouched, own }, now));
    // what the feed has refused was forged
    if (epoch === this.#feed.epoch && this.#feed.has(seq)) {
      this.#loss.noteEvent(seq, !isVouched && copy === undefined, isNew);
    }
    this.#confirmIfDoubtful(now);
    if (!isPast) return events;
    return [...events, { type: "past", event, isAnswer: own !== undefined }];
  }

  /** Greets the server when what others claim leads far: its answer says what is true. */
  #confirmIfDoubtful(now: number): void {
    if (this.#feed.isDoubtful) this.membership.suspect(now);
  }

  #receiveAck({ stream, id, epoch, seq }: V1Packet & { type: "ACK" }, now: number): LinkEvent[] {
    const isOwn = stream === this.#sendStream.name;
    this.#sendStream.acknowledge(stream, id, now);
    // with --no-echo the ACK has the sequence number of the sender's own message, so that the sender sees no gap
    if (!isOwn || epoch === undefined || epoch !== this.#feed.epoch || seq === undefined) return [];
    const isPast = seq < this.#feed.next;
    // for a past place too: it may hold what somebody has forged
    const arrival = { epoch, seq, event: undefined, isVouched: true, own: `${stream} ${id}` };
    this.#loss.noteEvent(seq, true, !isPast);
    const events = asEvents(this.#feed.take(arrival, now));
    return isPast ? [...events, { type: "unshown", seq }] : events;
  }

  #receiveError(packet: ErrorPacket, now: number): LinkEvent[] {
    const { code, id, stream } = packet;
    if (isExpulsion(code)) return this.#expelled(packet, now);
    if (code === "stream-taken") {
      // all messages that were under way are refused, but the stream has a new name after the first refusal
      if (stream === this.#sendStream.name) this.#sendStream.restart(now);
      return [];
    }
    if (code === "not-joined") this.#goneSince = Math.min(this.#goneSince, this.#silentSince(now));
    else if (stream !== undefined && id !== undefined) {
      // a repeat of this refusal, or one for a stream that was left, finds nothing
      const draft = stream === this.#sendStream.name ? this.#sendStream.settle(id, now) : undefined;
      if (draft && code === "muted") return this.#muted.add(draft, packet, this.#sendStream.size === 0, now);
      return draft ? undelivered([draft], reasonOf(packet)) : [];
    }
    const events = this.membership.refused(packet, now);
    return events ? this.#follow(events, now) : [{ type: "answer", packet }];
  }

  /** Gives up what waits, as the server has told this client to go. */
  #expelled(packet: ErrorPacket, now: number): LinkEvent[] {
    const events = this.membership.expelled(packet);
    if (!events) return [];
    const waiting = this.#sendStream.clear();
    return [
      ...this.#follow(events, now),
      ...this.#muted.tell(),
      ...givenUp(waiting, TOLD_TO_GO),
      { type: "expelled" },
    ];
  }

  get #isExpelled(): boolean {
    return this.membership.state === "expelled";
  }

  /**
   * What was typed before the question for a password may have been meant for it, so it is said to nobody. Who was a
   * member before, and lost the server, knew what was asked.
   */
  #dropTypedAhead(): LinkEvent[] {
    const { everJoined, state } = this.membership;
    const count = everJoined && state !== "joined" ? 0 : this.#sendStream.withdraw();
    if (count === 0) return [];
    return [{ type: "problem", text: `Not sent, as it was typed before the question: ${pluralize(count, "line")}` }];
  }

  /** Opens and closes the stream of messages with the membership. */
  #follow(events: LinkEvent[], now: number): LinkEvent[] {
    for (const { type } of events) {
      if (type === "joined") this.#sendStream.open(now);
      if (type === "lost") this.#sendStream.close();
    }
    if (events.some(({ type }) => type === "challenged")) events = [...this.#dropTypedAhead(), ...events];
    return events;
  }
}

/** Whether a packet is an event, or says how far the line goes. */
function isOfLine(packet: V1Packet): boolean {
  return "seq" in packet && "at" in packet || packet.type === "HEARTBEAT";
}

function asEvents(items: FeedItem[]): LinkEvent[] {
  return items.map((item) => ({ type: "feed", item }));
}
