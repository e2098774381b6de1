/**
 * The client's side of a chat: joins, stays a member, delivers what the user says and shows what others say.
 *
 * It has no socket, no clock and no screen. The caller passes packets, lines and the time to its methods. It sends and
 * shows through {@linkcode SessionOptions}.
 *
 * @module
 */
import { ClassicLink } from "./classic_link.ts";
import { DirectMessages } from "./direct.ts";
import { Directory } from "./directory.ts";
import { History } from "./history.ts";
import { Membership } from "./membership.ts";
import { Requests } from "./requests.ts";
import type { SessionStatistics, Shown } from "./shown.ts";
import { Shutdown } from "./shutdown.ts";
import type { SessionState } from "./state.ts";
import { Transactions } from "./transactions.ts";
import { View } from "./view.ts";
import { type ClassicPacket, type EventPacket, MAX_TEXT_BYTES, type Packet, type V1Packet } from "../../protocol.ts";
import { EventFeed, type FeedItem, type SeqRange } from "../../protocol/reliable/event_feed.ts";
import { RoundTrip } from "../../protocol/reliable/round_trip.ts";
import { type Draft, SEND_STREAM_SIZE, SendStream } from "../../protocol/reliable/send_stream.ts";
import { pluralize, printable, splitText } from "../../protocol/text.ts";

/** What a session is made with. */
export interface SessionOptions {
  /** The server, as the user gave it; for notices. */
  server: string;
  /** The name to sign in with; none to join without one. */
  name?: string;
  /** Sends a packet to the server, or to the address of a peer. */
  send: (packet: Packet, peer?: string) => void;
  /** Shows something to the user. */
  show: (shown: Shown) => void;
  /** A number from 0 to 1; Math.random unless told otherwise. */
  random?: () => number;
}

/** One user's session with one server. */
export class Session {
  readonly #send: SessionOptions["send"];
  /** Shows things to the user, except what comes from ignored people. */
  readonly view: View;
  readonly #roundTrip = new RoundTrip();
  readonly #membership: Membership;
  readonly #sendStream: SendStream;
  readonly #feed: EventFeed;
  readonly #request: (range: SeqRange) => void;
  readonly #classic: ClassicLink;
  readonly #transactions: Transactions;
  readonly #direct: DirectMessages;
  readonly #history: History;
  /** The user's requests to the server. */
  readonly requests: Requests;
  readonly #shutdown: Shutdown;

  constructor({ server, name, send, show, random }: SessionOptions) {
    this.#send = send;
    this.view = new View(show);
    this.#membership = new Membership({
      server,
      name,
      roundTrip: this.#roundTrip,
      view: this.view,
      send,
      welcomed: ({ epoch, seq }, now) => {
        // after a change of epoch, a client that was a member before gets all that has been said since
        if (epoch !== this.#feed.epoch) {
          this.requests.cancelHistory();
          this.#showItems(this.#feed.begin(epoch, this.#feed.epoch === undefined ? seq : 0, now));
        }
        this.#feed.noteLatest(epoch, seq, now);
      },
      joined: (now) => this.#joined(now),
      lost: () => this.#sendStream.close(),
      greetClassic: () => this.#classic.greet(),
      classic: (now) => this.#becameClassic(now),
      mayBeClassic: (now) => this.#probeClassic(now),
    });
    this.#sendStream = new SendStream(this.#roundTrip);
    const request = (range: SeqRange) => {
      send({ dialect: "v1", type: "RESEND", token: this.#membership.token, epoch: this.#feed.epoch!, ...range });
    };
    this.#feed = new EventFeed({ roundTrip: this.#roundTrip, random });
    this.#request = request;
    this.#history = new History({
      roundTrip: this.#roundTrip,
      request,
      done: (messages, missing) => {
        if (missing > 0) this.#shutdown.unanswered++;
        this.view.showHistory(messages, missing, this.address);
      },
    });
    this.#classic = new ClassicLink({ send, notice: (text) => this.view.notice(text) });
    this.#transactions = new Transactions(this.#roundTrip, send);
    this.#direct = new DirectMessages({
      transactions: this.#transactions,
      self: () => ({ token: this.#membership.token, address: this.#membership.address!, name: this.#membership.name }),
      send,
      arrived: (message) => this.view.showDirect(message),
      delivered: (name, { text }, acknowledged) => {
        const how = acknowledged ? "Delivered to" : "Sent, as a classic client does not confirm, to";
        this.view.notice(`${how} ${name}: ${text}`);
      },
      failed: (name, drafts, reason) => {
        this.#shutdown.undelivered += drafts.length;
        this.view.problem(`Not delivered to ${name}: ${reason}`);
      },
    });
    this.#shutdown = new Shutdown({
      progress: () => ({
        server,
        state: this.state,
        refusal: this.#membership.refusal,
        waiting: this.waiting,
        unconfirmed: this.#classic.unconfirmed,
        asked: this.requests.size,
        isExpecting: this.#transactions.size > 0 || this.#feed.backlog > 0,
        isKnown: this.#membership.hasAnswered,
        progressAt: Math.max(this.#membership.joinedAt, this.#history.askedAt),
      }),
      stop: () => {
        this.#membership.stop();
        this.#sendStream.close();
        this.#direct.showUnconfirmed();
      },
      goodbye: (id) => send({ dialect: "v1", type: "LEAVE", id, token: this.#membership.token }),
    });
    const directory = new Directory({
      transactions: this.#transactions,
      view: this.view,
      token: () => this.#membership.token,
      unanswered: () => this.#shutdown.unanswered++,
    });
    this.requests = new Requests({
      membership: this.#membership,
      view: this.view,
      feed: this.#feed,
      direct: this.#direct,
      directory,
      history: this.#history,
      shutdown: this.#shutdown,
    });
  }

  get state(): SessionState {
    return this.#shutdown.closed ? "closed" : this.#membership.state;
  }

  /** This client's address as the server sees it; undefined until the server has said so. */
  get address(): string | undefined {
    return this.#membership.address;
  }

  /** The name that this client has, or wants. */
  get name(): string | undefined {
    return this.#membership.name;
  }

  /** Whether the server refuses the name, so that another one has to be chosen. */
  get wantsName(): boolean {
    return this.state === "refused";
  }

  /** How many messages wait to be sent or acknowledged. */
  get waiting(): number {
    return this.#sendStream.size + this.#classic.size + this.#direct.waiting;
  }

  /** Whether no further message can be taken for now. */
  get full(): boolean {
    return this.waiting + this.requests.waiting >= SEND_STREAM_SIZE;
  }

  /** Whether the session drains: the caller adds no more messages, and those that wait are still delivered. */
  get draining(): boolean {
    return this.#shutdown.draining;
  }

  /** Whether the session is saying goodbye, or has said it. */
  get closing(): boolean {
    return this.#shutdown.closing;
  }

  /** Why a session that has ended did not deliver all that it was given; undefined when it did. */
  get failure(): string | undefined {
    return this.#shutdown.failure;
  }

  get statistics(): SessionStatistics {
    const { received, repaired, lost, duplicates } = this.#feed;
    return {
      state: this.state,
      roundTrip: this.#roundTrip.smoothed,
      received: received + this.#classic.received,
      repaired,
      lost,
      duplicates,
      repeated: this.#sendStream.repeated,
      waiting: this.waiting,
    };
  }

  /** When {@linkcode wake} must be called next, in milliseconds of the caller's clock; undefined for never. */
  get nextWake(): number | undefined {
    if (this.#shutdown.closing) return this.#shutdown.nextWake;
    const times = [
      this.#membership.nextWake,
      this.#sendStream.nextWake,
      this.#feed.nextWake,
      this.#classic.nextWake,
      this.#transactions.nextWake,
      this.#direct.nextWake,
      this.#history.nextWake,
      this.#shutdown.nextWake,
    ].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Begins to join. */
  start(now: number): void {
    this.#membership.start(now);
  }

  /** Tries to join again after a refusal, under another name or under none. */
  rename(name: string | undefined, now: number): void {
    this.#membership.rename(name, now);
  }

  /** Says something to everyone; a text that is too long for one message becomes several. */
  say(text: string, now: number, action = false): void {
    if (this.full) {
      this.view.problem("Not sent: too many messages wait for the server already");
      this.#shutdown.undelivered++;
      return;
    }
    for (const piece of splitText(text, MAX_TEXT_BYTES)) {
      if (piece === "") continue;
      if (this.state === "classic") this.#classic.say(action ? `* ${piece}` : piece, now);
      else this.#sendStream.add(action ? { text: piece, action } : { text: piece }, now);
    }
    this.#probeClassic(now);
    this.#transmit(now);
    if (this.state === "joining" && this.#membership.isSilent && this.#membership.everJoined) {
      this.view.notice(`The server is not there; ${pluralize(this.waiting, "message")} kept until it is back`);
    }
  }

  /**
   * Shows what is wrong with a line that was meant as a command. A session that drains after such a line ends with a
   * {@linkcode failure}.
   */
  rejectLine(text: string): void {
    this.view.problem(text);
    this.#shutdown.misunderstood++;
  }

  /**
   * Delivers the messages that wait, and leaves when everything has arrived. After 10 s without progress it leaves with
   * a {@linkcode failure}.
   */
  drain(now: number): void {
    this.#shutdown.drain(now);
  }

  /** Leaves at once: says goodbye, and ends when the server acknowledges it or after the last repeat. */
  close(now: number): void {
    this.#shutdown.close(now);
  }

  /** Does what is due. */
  wake(now: number): void {
    if (this.#shutdown.closing) return this.#shutdown.wake(now);
    this.#membership.wake(now);
    this.#transmit(now);
    const { items, requests } = this.#feed.wake(now);
    this.#showItems(items);
    for (const range of requests) this.#request(range);
    this.#classic.wake(now);
    this.#transactions.wake(now);
    this.#direct.wake(now);
    this.#history.wake(now);
    this.requests.flush(now);
    if (this.#sendStream.isStuck) this.#membership.suspect(now);
    this.#shutdown.wake(now);
  }

  /** Takes a packet that came from the server. */
  receive(packet: Packet, now: number): void {
    if (this.#shutdown.closing) return this.#shutdown.receive(packet);
    if (packet.dialect === "classic") this.#receiveClassic(packet, now);
    else this.#receiveV1(packet, now);
    this.#transmit(now);
    this.requests.flush(now);
    this.#shutdown.closeIfDrained(now);
  }

  /** Takes a packet that came from any other address. */
  receiveFromPeer(packet: Packet, from: string, now: number): void {
    if (
      this.#shutdown.closing || this.state !== "joined" || packet.dialect !== "v1" ||
      this.view.people.isIgnored({ address: from })
    ) return;
    this.#direct.receive(packet, from, now);
    this.#shutdown.closeIfDrained(now);
  }

  #receiveV1(packet: V1Packet, now: number): void {
    if ("epoch" in packet && packet.type !== "WELCOME" && packet.epoch !== undefined) {
      this.#membership.heard(packet.epoch, now);
    }
    switch (packet.type) {
      case "WELCOME":
        return this.#membership.welcome(packet, now);
      case "INCOMING":
        if (packet.epoch !== this.#feed.epoch) return;
        if (this.#sendStream.isOwn(packet.stream, packet.id, packet.text)) {
          this.#sendStream.acknowledge(packet.stream, packet.id!, now);
        }
        return this.#takeEvent(packet, now);
      case "ONLINE":
      case "OFFLINE":
        return this.#takeEvent(packet, now);
      case "ACK":
        return this.#receiveAck(packet, now);
      case "HEARTBEAT":
        return this.#feed.noteLatest(packet.epoch, packet.seq, now);
      case "GONE":
        if (packet.epoch === this.#feed.epoch) this.#history.markGone(packet, now);
        return this.#showItems(this.#feed.markGone(packet.epoch, packet, now));
      case "USERS":
      case "PEER":
        this.#transactions.answer(packet, now);
        return;
      case "PUNCH":
        // this datagram carries no message: it opens this side's NAT for the peer's datagrams (RFC 5128, section 3.3)
        return this.#send({ dialect: "v1", type: "OPEN" }, packet.address);
      case "ERROR":
        return this.#receiveError(packet, now);
      case "CLOSING":
        return this.#membership.closing(packet, now);
    }
  }

  /** Sends the messages that are due. */
  #transmit(now: number): void {
    for (const message of this.#sendStream.wake(now)) {
      this.#send({ dialect: "v1", type: "MESSAGE", token: this.#membership.token, ...message });
    }
  }

  #showItems(items: FeedItem[]): void {
    for (const item of items) this.view.showFeedItem(item, this.address);
  }

  #takeEvent(event: EventPacket, now: number): void {
    if (this.#history.isOpen && event.epoch === this.#feed.epoch && event.seq < this.#feed.next) {
      this.#history.take(event, now);
    } else {
      this.#showItems(this.#feed.take(event.epoch, event.seq, event, now));
    }
  }

  #joined(now: number): void {
    // a version 1 member does not see what was said before it joined
    this.#classic.takeEarly();
    if (this.#classic.size > 0) {
      // the send stream was never opened, so none of its messages has been sent with its present id
      const drafts = [...this.#classic.clear().map((text): Draft => ({ text })), ...this.#sendStream.clear()];
      for (const draft of drafts) this.#sendStream.add(draft, now);
    }
    this.#sendStream.open(now);
  }

  #receiveAck({ stream, id, epoch, seq }: V1Packet & { type: "ACK" }, now: number): void {
    this.#sendStream.acknowledge(stream, id, now);
    // with --no-echo the ACK has the sequence number of the sender's own message, so that the sender sees no gap
    if (epoch !== undefined && epoch === this.#feed.epoch && seq !== undefined && stream === this.#sendStream.name) {
      this.#history.markUnshown(seq, now);
      this.#showItems(this.#feed.take(epoch, seq, undefined, now));
    }
  }

  #receiveError(packet: V1Packet & { type: "ERROR" }, now: number): void {
    const { code, id, wait } = packet;
    if (code === "stream-taken") this.#sendStream.restart(now);
    else if (code === "slow-down" && id !== undefined) this.#sendStream.delay(id, Math.min(wait ?? 100, 10_000), now);
    else if (!this.#membership.refused(packet, now)) this.#transactions.answer(packet, now);
  }

  /**
   * Sends the first message in the classic dialect on trial: a server that has never answered may be a classic one, and
   * shows this by sending the message back.
   */
  #probeClassic(now: number): void {
    if (!this.#membership.isLikelyClassic || this.#classic.size > 0) return;
    const first = this.#sendStream.removeOldest();
    if (first) this.#classic.say(classicText(first), now);
  }

  #receiveClassic(packet: ClassicPacket, now: number): void {
    if (packet.type !== "INCOMING" || this.#membership.hasAnswered || this.state === "refused") return;
    this.#membership.heardClassic(now);
    if (this.state === "classic") this.#receiveLine(packet.line, now);
    else this.#classic.keepEarly(packet.line);
  }

  #becameClassic(now: number): void {
    for (const line of this.#classic.takeEarly()) this.#receiveLine(line, now);
    for (const draft of this.#sendStream.clear()) this.#classic.say(classicText(draft), now);
  }

  #receiveLine(line: string, now: number): void {
    this.#classic.heard(line, now);
    this.view.show({ kind: "line", line: printable(line) });
  }
}

function classicText({ text, action }: Draft): string {
  return action ? `* ${text}` : text;
}
