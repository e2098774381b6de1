/**
 * Direct messages to others: the server tells the peer's address, the message goes straight to the peer, or through the
 * server where there is no direct way, and the peer acknowledges it. The peer takes it only if the server has told it
 * of this client by a PUNCH a short while ago, so it is looked up again and again while something waits.
 *
 * @module
 */
import type { Presence, Renamed, V1Packet } from "../../protocol.ts";
import { earliest } from "../../protocol/earliest.ts";
import type { Draft } from "../../protocol/reliable/send_stream.ts";
import {
  type Conversation,
  Conversations,
  type Identity,
  newConversation,
  type WhereQuestion,
} from "./conversations.ts";
import type { Answer, Fact, PeerPacket, Timed } from "./facts.ts";
import type { DirectInbox } from "./direct_inbox.ts";
import { delivered, DirectSender } from "./direct_sender.ts";
import type { KnownWays, Named } from "./known_ways.ts";
import { givenUp, reasonOf, undelivered } from "./refusals.ts";
import type { Self, Send } from "./self.ts";
import type { Transactions } from "./transactions.ts";
import type { Found } from "./way.ts";
import { type Forbidden, whyNoAnswer, whyNoWay, whyOther } from "./way_words.ts";
import { keyOf, nameOf, type Who } from "./who.ts";

/** For how long after a new start of the server others may still be on their way back, in milliseconds. */
const COME_BACK_MS = 5000;
/** For how long after a new start of the server a pass may still be one of the server before, in milliseconds. */
const OLD_PASS_MS = 10_000;
/**
 * The pauses after the first look-ups, and after each further one, in milliseconds. Each opens both NATs again, and
 * tells the peer who this is: what it is not told for 10 s it forgets. The first pauses are short, as the first may be
 * lost.
 */
const LOOK_UP_PAUSES_MS = [250, 500];
const LOOK_UP_PAUSE_MS = 1000;

/** What the direct messages to others need. */
export interface DirectOptions {
  transactions: Transactions;
  /** This member, as the server knows it. */
  self: Self;
  /** Sends a packet to a peer, or to the server. */
  send: Send;
  /** The direct messages from others. It is told who has which pass, and says whose packets it believes. */
  inbox: DirectInbox;
  known: KnownWays;
  /** Whether texts may go through the server where there is no direct way. */
  isRelayAllowed: boolean;
}

/** The direct messages of one session to others. */
export class DirectMessages implements Timed {
  readonly #transactions: Transactions;
  readonly #self: Self;
  readonly #send: Send;
  readonly #inbox: DirectInbox;
  readonly #known: KnownWays;
  readonly #sender: DirectSender;
  readonly #conversations = new Conversations();
  /** Whether what is said now may go through the server, and what has last forbidden it. */
  #isRelayAllowed: boolean;
  #forbiddenBy: Exclude<Forbidden, "before"> = "flag";
  /** When the server last began anew, in milliseconds. */
  #begunAnewAt = -Infinity;

  constructor({ transactions, self, send, inbox, known, isRelayAllowed }: DirectOptions) {
    this.#transactions = transactions;
    this.#self = self;
    this.#send = send;
    this.#inbox = inbox;
    this.#known = known;
    this.#sender = new DirectSender(send, self);
    this.#isRelayAllowed = isRelayAllowed;
  }

  /** How many messages have not been acknowledged by their peers. */
  get waiting(): number {
    return this.#conversations.waiting.reduce((sum, { sendStream }) => sum + sendStream.size, 0);
  }

  /** Whether what is said now may go through the server. */
  get isRelayAllowed(): boolean {
    return this.#isRelayAllowed;
  }

  /** What forbids that what is said now goes through the server; undefined if it may. */
  get forbidden(): Forbidden | undefined {
    return this.#isRelayAllowed ? undefined : this.#forbiddenBy;
  }

  /** When the time began after which the last of what waits is given up, in milliseconds. */
  get waitsSince(): number {
    return Math.max(-Infinity, ...this.#conversations.waiting.map(({ way }) => way.waitsSince));
  }

  get nextWake(): number | undefined {
    return earliest(
      this.#conversations.all.flatMap(({ sendStream, way, lookUps, question }) =>
        sendStream.size === 0
          ? [way.nextWake(false)]
          : [sendStream.nextWake, way.nextWake(true), question ? undefined : lookUps.dueAt]
      ),
    );
  }

  /**
   * Whether a member is reached, or has reached this client, through the server only, as far as this client has found
   * out.
   *
   * @param who What the user calls it; or its pass, if the server has just said it.
   */
  isRelayed(who: Who | { pass: string }): boolean {
    const those = "pass" in who ? this.#conversations.withPass(who.pass) : [this.#conversations.with(who)];
    return this.#known.isRelayed(who) || those.some((conversation) => conversation?.way.isRelayed);
  }

  /**
   * Allows that what is said from now on goes through the server; or forbids that anything does: what waits there is
   * taken off that way.
   */
  allowRelay(isAllowed: boolean, now: number): Fact[] {
    this.#isRelayAllowed = isAllowed;
    if (!isAllowed) this.#forbiddenBy = "command";
    const facts: Fact[] = [];
    // what was said under the ban keeps to it
    for (const conversation of isAllowed ? [] : this.#conversations.waiting) {
      const { way } = conversation;
      const isDueAgain = way.allowRelay(false, now);
      const isLost = way.isLocated && way.isClosed;
      if (isLost) facts.push(...this.#giveUp(conversation, this.#noWay(conversation, way.place!)));
      else if (isDueAgain && conversation.isClassic) facts.push(...this.#sender.sendStraight(conversation, way.place!));
      else if (isDueAgain) this.#again(conversation, now);
    }
    return facts;
  }

  /** Notes that the server has begun anew, so that for a while it does not know everybody. */
  beginAnew(now: number): void {
    this.#begunAnewAt = now;
    // everybody has another pass now
    for (const conversation of this.#conversations.all) {
      if (conversation.sendStream.size === 0) this.#conversations.forget(conversation);
    }
  }

  /**
   * Takes note of who has come, or has left: what is known of the way to those is not true of who is called so next.
   */
  noteMembers(members: Presence[], isHere: boolean): void {
    for (const { address, name } of members) {
      for (const who of [{ address }, ...(name === undefined ? [] : [{ name }])]) {
        const conversation = this.#conversations.with(who);
        if (!conversation || conversation.sendStream.size > 0) continue;
        if (!isHere || conversation.way.place?.address !== address) this.#conversations.forget(conversation);
      }
    }
  }

  /** Takes note of who has another name: what waits for those goes on to them. */
  noteRenamed(members: Renamed[], now: number): void {
    const others = members.filter((member) => !this.#conversations.rename(member, now));
    this.noteMembers(
      others.flatMap(({ address, name, before }) => [{ address, name }, { address, name: before }]),
      true,
    );
  }

  /**
   * Sends pieces of text to a member; they were said at a time in milliseconds.
   *
   * @param identity To whom alone, if it is an answer to somebody: the name or the address may be another's by now.
   */
  say(who: Who, drafts: Draft[], now: number, saidAt: number = now, identity?: Identity): Fact[] {
    const conversation = this.#conversations.with(who) ?? newConversation(who, this.#isRelayAllowed);
    const { way, sendStream } = conversation;
    if (sendStream.size === 0) {
      // the name may have another address, or another owner, by now
      this.#conversations.begin(conversation, who, identity, now);
      sendStream.close();
      way.allowRelay(this.#isRelayAllowed, now);
      way.begin(now);
      conversation.lookUps.start(now);
    } else {
      const isOtherName = keyOf(who) !== keyOf(conversation.who);
      const found = way.isLocated || isOtherName ? { pass: way.place!.pass, at: now } : undefined;
      const known = found ?? conversation.identity, isOther = identity && known && identity.pass !== known.pass;
      if (isOther && (!this.#isOld(identity) || "address" in who)) {
        return undelivered(drafts, whyOther(who, this.#isOld(identity)), nameOf(who));
      }
      // what is written to somebody, or to one of two names for the same one, is for nobody else
      if (isOtherName) conversation.identity ??= found;
      if (!isOther) conversation.identity ??= identity;
      conversation.isToAddress ||= "address" in who;
    }
    for (const draft of drafts) sendStream.add(draft, now, saidAt);
    this.#lookUp(conversation, now);
    this.#sender.transmit(conversation, now);
    return [];
  }

  /** Gives up all that waits. */
  giveUpAll(reason: string): Fact[] {
    return this.#conversations.waiting.flatMap((conversation) => this.#giveUp(conversation, reason));
  }

  /** Whether a pass may be one of the server before its last new start, which has given everybody another one. */
  #isOld({ at }: Identity): boolean {
    return at < this.#begunAnewAt + OLD_PASS_MS;
  }

  /**
   * Takes the acknowledgement of a peer, from whatever address. It must have the pass: who had the name before knows
   * the stream, and can forge the address of who has it now.
   *
   * @param from From where it came directly; undefined if it came through the server.
   */
  receiveAck({ pass, stream, id }: V1Packet & { type: "ACK" }, from: string | undefined, now: number): Fact[] {
    const facts: Fact[] = [], those = this.#conversations.withPass(pass);
    const checked = stream === undefined ? those.map(({ way }) => way.checked(id)).find(Boolean) : undefined;
    for (const conversation of those) {
      const { way, sendStream } = conversation;
      if (stream === undefined ? checked === undefined || from === undefined : stream !== sendStream.name) continue;
      if (from !== undefined) this.#known.heard(named(conversation), from, now);
      const settled = sendStream.acknowledge(stream, id, now);
      const isDueAgain = checked === undefined ? from !== undefined && way.heard(now) : way.answered(checked, now);
      if (settled.length > 0) way.progressed(now);
      conversation.isHeard ||= settled.length > 0;
      if (isDueAgain) this.#again(conversation, now);
      this.#sender.transmit(conversation, now);
      facts.push(
        ...settled.map((message) => delivered(conversation, message, conversation.relayed.delete(message.id))),
      );
    }
    return facts;
  }

  /** Checks, if it is worth it, the way back to where a packet of a peer has come from directly. */
  checkBack({ type, pass }: V1Packet & { type: "MESSAGE" | "OPEN" }, now: number): void {
    for (const conversation of this.#conversations.withPass(pass)) {
      // where nothing is said two that check each other must not go on for ever
      if (type === "MESSAGE" || conversation.sendStream.size > 0) this.#checkBack(conversation, now);
    }
  }

  #checkBack({ way }: Conversation, now: number): void {
    const { pass, address } = way.place!, from = this.#known.checkable(pass, now);
    // a peer may forge this client's own address, where it would answer itself
    if (from === this.#self.address && from !== address) return;
    if (from === undefined || !way.wantsCheck(from, now) || !this.#inbox.mayCheck(pass, from, now)) return;
    this.#known.checked(pass, now);
    this.#send({ dialect: "v1", type: "OPEN", pass, id: way.check(from) }, from);
  }

  wake(now: number): Fact[] {
    const facts: Fact[] = [];
    for (const conversation of this.#conversations.all) {
      const { sendStream, way } = conversation, id = way.takeCheck(now);
      const { address, pass } = way.place ?? {};
      if (id !== undefined) this.#send({ dialect: "v1", type: "OPEN", pass, id }, address);
      if (sendStream.size === 0) continue;
      if (way.wake(now)) {
        if (way.isRelayed) this.#known.silent(named(conversation), now);
        this.#again(conversation, now);
      }
      if (way.isOver(now)) {
        if (way.isLocated) this.#known.silent(named(conversation), now);
        facts.push(
          ...this.#giveUp(conversation, whyNoAnswer(conversation.name, way, this.#forbidden(conversation))),
        );
        continue;
      }
      this.#lookUp(conversation, now);
      facts.push(...this.#sender.tellOrTransmit(conversation, now));
    }
    return facts;
  }

  /** Makes all that waits due at once, unless it is not known yet whom to send it to. */
  #again({ sendStream }: Conversation, now: number): void {
    if (sendStream.isOpen) sendStream.open(now);
  }

  #lookUp(conversation: Conversation, now: number): void {
    const { lookUps } = conversation;
    if (conversation.question || !lookUps.isDue(now)) return;
    lookUps.tried(now + (LOOK_UP_PAUSES_MS[lookUps.times] ?? LOOK_UP_PAUSE_MS));
    conversation.question = { ask: "where", who: conversation.who };
    this.#transactions.begin(conversation.question, now);
  }

  /** Takes the answer to a question; undefined when there was none in time. */
  located(question: WhereQuestion, answer: Answer | undefined, now: number): Fact[] {
    const conversation = this.#conversations.with(question.who);
    // a late answer may find that its messages were given up, and that others are under way to the same name
    if (conversation?.question !== question) return [];
    conversation.question = undefined;
    if (answer?.type === "PEER") return this.#found(conversation, answer, now);
    if (answer?.type !== "ERROR") return [];
    const isNobody = answer.code === "no-such-user";
    // after a new start of the server the others come back within a few seconds
    if (isNobody && now < this.#begunAnewAt + COME_BACK_MS) return [];
    return this.#giveUp(conversation, isNobody ? nobodyIs(question.who) : reasonOf(answer));
  }

  #found(found: Conversation, answer: PeerPacket, now: number): Fact[] {
    const { address, name, pass, classic = false, relay, norelay } = answer;
    // with it the server has said who has the pass, as with a PUNCH
    if (pass !== undefined) this.#inbox.punched({ address, name, pass }, now);
    if (found.sendStream.size === 0) return [];
    const isPassedOn = pass !== undefined && !norelay && found.way.isRelayAllowed;
    const isStraight = classic && !relay && !isPassedOn;
    const other = this.#whyOther(found, pass, now);
    if (other !== undefined && (isStraight || pass !== undefined)) return this.#giveUp(found, other);
    found.name = name ?? found.name;
    found.isClassic = classic;
    if (isStraight) return this.#sender.sendStraight(found, answer);
    if (pass === undefined) return this.#giveUp(found, this.#noWay(found, answer));
    const isFirst = pass !== found.way.place?.pass;
    const conversation = this.#conversations.join(found, pass, now), { sendStream, way } = conversation;
    this.#conversations.call(conversation, answer, now);
    // Somebody else may have the name by now. Whoever had it knows the stream, and could acknowledge in it. But what is
    // under way stays in its stream: if the name goes back, it must not be shown twice.
    if (isFirst && !sendStream.isOpen) sendStream.restart(now);
    const isDueAgain = way.locate({ ...answer, pass }, now, isFirst && this.#known.isJustRelayed(pass, now));
    if (way.isClosed) return this.#giveUp(conversation, this.#noWay(conversation, answer));
    this.#checkBack(conversation, now);
    // the PUNCH that was sent with this answer may be the first that has arrived, so what waits goes out at once
    if (isDueAgain || !conversation.isHeard) sendStream.open(now);
    return this.#sender.tellOrTransmit(conversation, now);
  }

  /**
   * Why what waits is not for whoever has a pass; undefined if it is. Who is found first at an address is the one that
   * the user has written to.
   */
  #whyOther(conversation: Conversation, pass: string | undefined, now: number): string | undefined {
    const { who, isToAddress, identity } = conversation;
    if (pass !== undefined && isToAddress) conversation.identity ??= { pass, at: now };
    if (!identity || identity.pass === pass) return undefined;
    const isOld = this.#isOld(identity);
    if (!isOld || isToAddress) return whyOther(who, isOld);
    // a name is what the user sees, also after a new start
    conversation.identity = undefined;
  }

  /** What forbids that what waits goes through the server; undefined if it may. */
  #forbidden({ way }: Conversation): Forbidden | undefined {
    if (way.isRelayAllowed) return undefined;
    return this.#isRelayAllowed ? "before" : this.#forbiddenBy;
  }

  #noWay(conversation: Conversation, peer: Found): string {
    const { address: self, join } = this.#self;
    return whyNoWay(conversation.name, peer, { self, join, forbidden: this.#forbidden(conversation) });
  }

  #giveUp(conversation: Conversation, reason: string): Fact[] {
    this.#conversations.forget(conversation);
    // of nothing, when a late answer to a look-up finds that everything has arrived
    return givenUp(conversation.sendStream.clear(), reason, conversation.name);
  }
}

/** Who is written to, as the server has named it. */
function named({ name, who, way: { place } }: Conversation): Named {
  const { address, pass } = place!;
  return { address, pass, ...("name" in who || name !== who.address ? { name } : {}) };
}

function nobodyIs(who: Who): string {
  return "name" in who ? "nobody here has that name" : "nobody is there any more";
}
