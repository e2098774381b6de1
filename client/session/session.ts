/**
 * The client's side of a chat: joins, stays a member, delivers what the user says and shows what others say.
 *
 * It has no socket, no clock and no screen. The caller passes packets, lines and the time to its methods. It sends and
 * shows through {@linkcode SessionOptions}.
 *
 * @module
 */
import { MAX_TEXT_BYTES, type Packet } from "../../protocol.ts";
import type { Derivation } from "../../protocol/crypto_functions.ts";
import { SEND_STREAM_SIZE } from "../../protocol/reliable/send_stream.ts";
import { pluralize, splitText } from "../../protocol/text.ts";
import { byteLength } from "../../protocol/utf8.ts";
import type { FileResult } from "../files/files.ts";
import { Account, type AccountChange } from "./account.ts";
import { Answers } from "./answers.ts";
import type { Identity } from "./conversations.ts";
import { Detection } from "./detection.ts";
import { Directory } from "./directory.ts";
import { FactHandler } from "./fact_handler.ts";
import type { Fact, Timed } from "./facts.ts";
import { History } from "./history.ts";
import { whyUnchanged } from "./joining_words.ts";
import { Leaving } from "./leaving.ts";
import { Orders } from "./orders.ts";
import type { WantedPassword } from "./password_keys.ts";
import { Peers } from "./peers.ts";
import { Reception, type Untaken } from "./reception.ts";
import { type Request, Requests, whyNotSent } from "./requests.ts";
import type { SessionOptions } from "./session_options.ts";
import type { SessionStatistics } from "./shown.ts";
import type { SessionState } from "./state.ts";
import { Tally } from "./tally.ts";
import { Topic } from "./topic.ts";
import { Transactions } from "./transactions.ts";
import { TransferDesk } from "./transfers/desk.ts";
import type { TransferControl } from "./transfers/transfer.ts";
import { Transfers } from "./transfers/transfers.ts";
import { View } from "./view.ts";
import { readWho, type Who, WHO_RULE } from "./who.ts";

/** One user's session with one server. */
export class Session {
  /** Shows things to the user, except what comes from ignored people. */
  readonly view: View;
  /** The files that are handed over, as the user handles them. */
  readonly transfers: TransferControl;
  readonly #detection: Detection;
  readonly #reception: Reception;
  readonly #account: Account;
  readonly #peers: Peers;
  readonly #requests: Requests;
  readonly #facts: FactHandler;
  readonly #topic = new Topic();
  readonly #tally = new Tally();
  readonly #leaving: Leaving;
  readonly #transfers: Transfers;
  /** All parts that want to be woken, until the session says goodbye. */
  readonly #timed: readonly Timed[];

  constructor(options: SessionOptions) {
    const { server, address = server, send, show, relay = true, wallClock, passwords, files, random = Math.random } =
      options;
    const view = this.view = new View(show);
    const detection = this.#detection = new Detection({ ...options, name: options.name });
    this.#reception = new Reception(detection, address);
    const { v1 } = detection, { self } = v1.membership, { people } = view;
    const transactions = new Transactions(v1.roundTrip, self, send);
    const peers = this.#peers = new Peers({ transactions, self, people, send, relay });
    const transfers = this.#transfers = new Transfers({ peers, self, send, files, random });
    const directory = new Directory(transactions, people, peers);
    const history = new History(v1);
    const { keys } = v1.membership.login;
    const account = this.#account = new Account({
      ...{ transactions, self, keys, passwords },
      whyOut: () => whyUnchanged(v1.membership),
    });
    const orders = new Orders(transactions);
    const requestParts = { detection, peers, directory, history, orders, account, transfers };
    const requests = this.#requests = new Requests(requestParts);
    this.#leaving = new Leaving({ detection, requests, peers, transfers, history, tally: this.#tally, send });
    const answers = new Answers({ transactions, directory, peers, orders, account });
    const parts = { view, wallClock, detection, transactions, peers, transfers, history, requests, answers };
    this.#facts = new FactHandler({ ...parts, topic: this.#topic, tally: this.#tally, leaving: this.#leaving });
    this.#timed = [detection, transactions, peers, transfers, history];
    this.transfers = new TransferDesk({
      transfers,
      request: (request, now) => this.#request(request, now),
      handle: (facts, now) => this.#act(facts, now),
      reject: (text) => this.rejectLine(text),
      folder: files?.folder ?? "",
    });
  }

  get state(): SessionState {
    return this.#leaving.state;
  }

  /** The address that the server answers from, if it is another than that which was greeted. */
  get serverAddress(): string | undefined {
    return this.#reception.answersFrom;
  }

  /** This client's address as the server sees it; undefined until the server has said so. */
  get address(): string | undefined {
    return this.#detection.v1.membership.self.address;
  }

  /** The name that this client has, or wants. */
  get name(): string | undefined {
    return this.#detection.v1.membership.self.name;
  }

  /** Whether this client may keep order here, as the server has said last. */
  get isOperator(): boolean {
    return this.#detection.v1.membership.self.isOperator;
  }

  /** Whether the server refuses the name, so that another one has to be chosen. */
  get wantsName(): boolean {
    return this.state === "refused";
  }

  /** Whether the server does not let this client in, and only its user can change that. */
  get isShutOut(): boolean {
    return this.wantsName || this.state === "expelled";
  }

  /** The room's topic, in a sentence. */
  get topic(): string {
    return this.#topic.sentence;
  }

  /** The password that the user is to be asked for. */
  get wantsPassword(): WantedPassword | undefined {
    const name = this.#detection.v1.membership.login.wanted;
    return name === undefined ? this.#account.wanted : { what: "present", name };
  }

  /**
   * Whether what is typed now may be meant for a question for a password: one that is asked, or may be asked as soon as
   * the server answers.
   */
  get expectsPassword(): boolean {
    const { membership } = this.#detection.v1;
    return this.#account.isBusy || this.#requests.waitsForAccount || membership.login.isAsking && !membership.isSilent;
  }

  /** How many messages wait to be sent or acknowledged. */
  get waiting(): number {
    return this.#leaving.waiting;
  }

  /** How many of the user's questions have no answer yet, and how many of them were not even asked. */
  get asked(): { open: number; waiting: number } {
    return { open: this.#requests.size, waiting: this.#requests.waiting };
  }

  /** Whether no further message can be taken for now. */
  get full(): boolean {
    return this.waiting + this.#requests.waiting >= SEND_STREAM_SIZE;
  }

  /** Whether the session drains: the caller adds no more messages, and those that wait are still delivered. */
  get draining(): boolean {
    return this.#leaving.draining;
  }

  /** Whether the session is saying goodbye, or has said it. */
  get closing(): boolean {
    return this.#leaving.closing;
  }

  /** Why a session that has ended did not deliver all that it was given; undefined when it did. */
  get failure(): string | undefined {
    return this.#leaving.failure;
  }

  get statistics(): SessionStatistics {
    const { v1, classic } = this.#detection;
    const { received, ...counts } = v1.statistics;
    return {
      state: this.state,
      roundTrip: v1.roundTrip.smoothed,
      received: received + classic.received,
      ...counts,
      waiting: this.waiting,
    };
  }

  /** When {@linkcode wake} must be called next, in milliseconds of the caller's clock; undefined for never. */
  get nextWake(): number | undefined {
    return this.#leaving.nextWake(this.#timed);
  }

  /** Begins to join. */
  start(now: number): void {
    this.#detection.v1.membership.start(now);
  }

  /**
   * Takes another name, or none, after a refusal, or while the server does not let this client in. A member keeps the name that it has until the server has given it the
   * new one.
   */
  rename(name: string | undefined, now: number): void {
    const { membership } = this.#detection.v1;
    if (this.wantsName || membership.isKeptWaiting || name === undefined) {
      this.#requests.withdrawNames();
      return membership.rename(name, now);
    }
    this.#request({ want: "name", name }, now);
  }

  /** Asks to come in again, after the server has told this client to go. */
  comeBack(now: number): void {
    if (this.state === "expelled") this.#facts.handle(this.#detection.v1.membership.comeBack(now), now);
    else this.rejectLine("/join is for who was told to go");
  }

  /** Has something done to keep order, in the words of the server's commands: `kick Bob`. */
  order(text: string, now: number): void {
    if (byteLength(text) > MAX_TEXT_BYTES) return this.rejectLine("That is too long for an order");
    this.#request({ want: "order", text }, now);
  }

  /** Says something to everyone; a text that is too long for one message becomes several. */
  say(text: string, now: number, action = false): void {
    if (this.full) {
      this.view.problem("Not sent: too many messages wait for the server already");
      return this.#tally.add("undelivered");
    }
    if (this.state === "expelled") {
      this.view.problem(whyNotSent(this.#detection.v1.membership.refusal));
      return this.#tally.add("undelivered");
    }
    const drafts = splitText(text, MAX_TEXT_BYTES).filter((piece) => piece !== "")
      .map((text) => action ? { text, action } : { text });
    if (this.#requests.waitsForName) return this.#request({ want: "say", drafts }, now);
    for (const draft of drafts) this.#detection.say(draft, now);
    const { isSilent, everJoined } = this.#detection.v1.membership;
    if (this.state === "joining" && isSilent && everJoined) {
      this.view.notice(
        `The server does not answer; ${pluralize(this.#detection.waiting, "message")} kept until it does`,
      );
    }
  }

  /** Sends a text to one member alone, by its name or its address; past the server, unless there is no direct way. */
  sayTo(who: string, text: string, now: number): void {
    const to = readWho(who);
    if (to) return this.#sayTo(to, text, now);
    this.view.problem(WHO_RULE);
    this.#tally.add("undelivered", splitText(text, MAX_TEXT_BYTES).length);
  }

  /** Sends a text to the member that sent the last direct message to this client. */
  reply(text: string, now: number): void {
    const { lastWriter } = this.view;
    if (lastWriter) return this.#sayTo(lastWriter.who, text, now, lastWriter.identity);
    this.view.problem("Nobody has written to you alone yet");
    this.#tally.add("undelivered");
  }

  #sayTo(to: Who, text: string, now: number, identity?: Identity): void {
    const drafts = splitText(text, MAX_TEXT_BYTES).map((text) => ({ text }));
    this.#request({ want: "direct message", to, identity, drafts, saidAt: now }, now);
  }

  /** Whether private texts may go through the server where there is no direct way. */
  get isRelayAllowed(): boolean {
    return this.#peers.isRelayAllowed;
  }

  /** Forbids or allows that private texts go through the server. What waits there is taken off that way. */
  allowRelay(isAllowed: boolean, now: number): void {
    this.#act(this.#peers.allowRelay(isAllowed, now), now);
  }

  /** Shows who is here. */
  list(now: number): void {
    this.#request({ want: "list" }, now);
  }

  /** Shows who has a name, or an address. */
  whois(text: string, now: number): void {
    const who = readWho(text);
    if (who) this.#request({ want: "whois", who }, now);
    else this.rejectLine(WHO_RULE);
  }

  /** Shows the last `length` messages, including those that are already on the screen. */
  history(length: number, now: number): void {
    this.#request({ want: "history", length }, now);
  }

  /**
   * Registers the user's name, changes its password, or gives it up. Asks for passwords by {@linkcode wantsPassword}.
   */
  changeAccount(change: AccountChange, now: number): void {
    this.#request({ want: "account", change }, now);
  }

  /** Takes the password that the user was asked for; none if there is none to give, or what it is for is not wanted. */
  givePassword(text: string, now: number): void {
    const { v1 } = this.#detection, isLogin = v1.membership.login.wanted !== undefined;
    this.#act(isLogin ? v1.givePassword(text, now) : this.#account.givePassword(text, now), now);
  }

  /** Takes what a password was hashed to, with the very object that asked for it. */
  derived(derivation: Derivation, saltedPassword: Uint8Array, now: number): void {
    if (this.closing) return;
    this.#facts.handle(this.#detection.v1.derived(derivation, saltedPassword, now), now);
    this.#act(this.#account.derived(derivation, saltedPassword, now), now);
  }

  /**
   * Shows what is wrong with a line that was meant as a command. A session that drains after such a line ends with a
   * {@linkcode failure}.
   */
  rejectLine(text: string): void {
    this.view.problem(text);
    this.#tally.add("misunderstood");
  }

  /**
   * Delivers the messages that wait, and leaves when everything has arrived. After 10 s without progress it leaves with
   * a {@linkcode failure}.
   *
   * @param wasTold Whether the user has read what went wrong until now, so that it is no failure at the end.
   */
  drain(now: number, wasTold = false): void {
    if (wasTold) {
      this.#tally.clear();
      // who is told to wait for messages does not wait for files
      this.#facts.handle(this.#transfers.leave(now), now);
    }
    this.#leaving.drain(now);
  }

  /** Leaves at once: says goodbye, and ends when the server acknowledges it or after the last repeat. */
  close(now: number): void {
    if (!this.closing) this.#facts.handle(this.#transfers.leave(now), now);
    this.#leaving.close(now);
  }

  /** Notes that the caller takes no packets for now, so that a missing answer is not the server's fault. */
  noteDeaf(now: number): void {
    this.#leaving.noteProgress(now);
    this.#detection.v1.membership.contact.noteDeaf();
  }

  /** Does what is due. */
  wake(now: number): void {
    if (this.closing) return this.#leaving.sayGoodbye(now);
    for (const part of this.#timed) this.#facts.handle(part.wake(now), now);
    this.#settle(now);
  }

  /** Takes a datagram from an address. Returns why nothing is taken of it, if that does not depend on what was sent. */
  take(bytes: Uint8Array, from: string, now: number): Untaken | undefined {
    const { packet, place, untaken } = this.#reception.read(bytes, from);
    if (packet && place === "elsewhere") this.receiveFromPeer(packet, from, now);
    else if (packet) this.receive(packet, now, place === "beside");
    return untaken;
  }

  /** Takes a packet that came from the server; `isBeside`: from another port of its IP address. */
  receive(packet: Packet, now: number, isBeside = false): void {
    if (this.closing) return this.#leaving.receive(packet);
    this.#act(this.#detection.receive(packet, now, isBeside), now);
  }

  /** Takes a packet that came from any other address. It may show that the server answers from there. */
  receiveFromPeer(packet: Packet, from: string, now: number): void {
    const { answersElsewhere, v1 } = this.#detection;
    if (packet.dialect === "v1" && answersElsewhere && v1.isAnswer(packet)) {
      this.#reception.answersFrom = from;
      return this.receive(packet, now);
    }
    if (this.closing || this.state !== "joined" || packet.dialect !== "v1") return;
    this.#facts.handle(this.#peers.receive(packet, from, now), now);
    this.#leaving.closeIfDrained(now);
  }

  /** Takes what the disk has done. */
  fileDone(result: FileResult, now: number): void {
    this.#act(this.#transfers.done(result, now), now);
  }

  #act(facts: Fact[], now: number): void {
    this.#facts.handle(facts, now);
    this.#settle(now);
  }

  #request(request: Request, now: number): void {
    this.#facts.handle(this.#requests.add(request, now), now);
  }

  #settle(now: number): void {
    this.#facts.handle(this.#requests.flush(now), now);
    this.#leaving.closeIfDrained(now);
  }
}
