/**
 * Makes this client a member: greets until the server answers, notices when it no longer does, and joins again.
 *
 * @module
 */
import { Greeter } from "./greeter.ts";
import type { MembershipState } from "./state.ts";
import type { View } from "./view.ts";
import type { V1Packet } from "../../protocol.ts";
import { randomHex64 } from "../../protocol/fields.ts";
import { nameKey } from "../../protocol/names.ts";
import type { RoundTrip } from "../../protocol/reliable/round_trip.ts";
import { printable } from "../../protocol/text.ts";

type Welcome = Extract<V1Packet, { type: "WELCOME" }>;
type Refusal = Extract<V1Packet, { type: "ERROR" }>;

/** What membership needs from the session. */
export interface MembershipOptions {
  /** The server, as the user gave it; for notices. */
  server: string;
  /** The name to sign in with; none to join without one. */
  name?: string;
  roundTrip: RoundTrip;
  view: View;
  send: (packet: V1Packet) => void;
  /** Called with each answer of the server to a greeting, before {@linkcode joined}. */
  welcomed: (welcome: Welcome, now: number) => void;
  /** Called when messages can be sent to the server, for the first time or again. */
  joined: (now: number) => void;
  /** Called when messages can't be sent to the server for now. */
  lost: () => void;
  /** Called when the server has never answered: it may need a greeting in the classic dialect. */
  greetClassic: () => void;
  /** Called when it is clear that the server knows only the classic dialect. */
  classic: (now: number) => void;
  /** Called when many version 1 greetings after the classic one have had no answer. */
  mayBeClassic: (now: number) => void;
}

/** Silence after which the user is told that there is no answer, in milliseconds. */
const NO_ANSWER_MS = 1800;
/** The same for a server that has answered before: there a loss is more likely than the server's end. */
const NO_ANSWER_ANY_MORE_MS = 5000;
/**
 * How many more version 1 greetings must have no answer before the server is taken for a classic one. A version 1
 * server also sends classic packets when only the classic greeting has reached it.
 */
const GREETINGS_BEFORE_CLASSIC = 8;
/** How many pending WELCOMEs in a row are each followed by another greeting at once. */
const MAX_PENDING_IN_A_ROW = 4;
/** How often a server that has never answered is greeted in the classic dialect, in milliseconds. */
const CLASSIC_EVERY_MS = 10_000;

/** One client's membership in one room. */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #greeter: Greeter;
  #state: MembershipState = "joining";
  #name: string | undefined;
  #token = randomHex64();
  /** The cookie for the next greeting: the server has not validated this client's address yet. */
  #cookie: string | undefined;
  /** The id of the first greeting with this name. A refusal of an earlier greeting is about another name. */
  #firstIdWithName: number | undefined;
  /** How many WELCOMEs in a row were pending. */
  #pendingInARow = 0;
  #address: string | undefined;
  #epoch: string | undefined;
  /** The epoch in which this client was last a member. */
  #joinedEpoch: string | undefined;
  #joinedAt = 0;
  /** Whether the user has been told that there is no answer. */
  #toldSilent = false;
  /** Whether the server has said that it goes away. */
  #isClosing = false;
  #refusal = "";
  /** How many more greetings go to a server that has sent a classic packet; undefined before that. */
  #greetingsLeft: number | undefined;
  /** When the server was last greeted in the classic dialect, in milliseconds. */
  #classicAt: number | undefined;
  /** How many greetings go out before a line is said in the classic dialect on trial. */
  #greetingsBeforeTrial = GREETINGS_BEFORE_CLASSIC;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#name = options.name;
    this.#greeter = new Greeter(options.roundTrip, (id) => this.#greet(id));
  }

  get state(): MembershipState {
    return this.#state;
  }

  /** The name that this client has, or wants. */
  get name(): string | undefined {
    return this.#name;
  }

  /** The token by which the server knows this client at any address; each packet to the server has it. */
  get token(): string {
    return this.#token;
  }

  /** This client's address as the server sees it; undefined until the server has said so. */
  get address(): string | undefined {
    return this.#address;
  }

  /** When this client last joined, for the first time or again, in milliseconds. */
  get joinedAt(): number {
    return this.#joinedAt;
  }

  /** Why the server refuses this client; empty if it has not refused it. */
  get refusal(): string {
    return this.#refusal;
  }

  /** Whether the user has been told that there is no answer. */
  get isSilent(): boolean {
    return this.#toldSilent;
  }

  get everJoined(): boolean {
    return this.#joinedEpoch !== undefined;
  }

  /** Whether the server has ever answered a greeting, and so speaks version 1. */
  get hasAnswered(): boolean {
    return this.#epoch !== undefined;
  }

  get nextWake(): number | undefined {
    const { nextWake, silentSince } = this.#greeter;
    if (nextWake === undefined || silentSince === undefined || this.#toldSilent) return nextWake;
    return Math.min(nextWake, silentSince + this.#silenceLimit);
  }

  /**
   * Whether the server probably knows only the classic dialect. If our own server has received the bare greeting but
   * not the version 1 greeting before it, one of the version 1 greetings after it arrives, and the server answers that.
   */
  get isLikelyClassic(): boolean {
    return !this.hasAnswered && this.#state === "joining" && this.#greetingsBeforeTrial <= 0;
  }

  /** Milliseconds of silence after which the user is told. */
  get #silenceLimit(): number {
    return this.#state === "joined" ? NO_ANSWER_ANY_MORE_MS : NO_ANSWER_MS;
  }

  /** Begins to join. */
  start(now: number): void {
    this.#greeter.start(now);
  }

  /** Tries again after a refusal, under another name or under none. */
  rename(name: string | undefined, now: number): void {
    this.#name = name;
    this.#firstIdWithName = undefined;
    if (this.#state === "refused") this.#state = "joining";
    this.#greeter.start(now);
  }

  /** Stops greeting. */
  stop(): void {
    this.#greeter.stop();
  }

  /** Greets at once to find out whether a server that has not confirmed a message for long is still there. */
  suspect(now: number): void {
    if (this.#state === "joined" && this.#greeter.tries === 0) this.#greeter.start(now);
  }

  wake(now: number): void {
    if (this.#greetingsLeft === 0 && this.#state === "joining" && (this.#greeter.nextWake ?? now) <= now) {
      return this.#becomeClassic(now);
    }
    this.#greeter.wake(now);
    if (this.isLikelyClassic) this.#options.mayBeClassic(now);
    const { silentSince } = this.#greeter;
    if (silentSince === undefined || now < silentSince + this.#silenceLimit) return;
    if (!this.hasAnswered && this.#state === "joining") this.#greetClassic(now);
    if (this.#toldSilent) return;
    const { server, view } = this.#options;
    if (this.#state === "joined") {
      this.#loseServer(`No answer from ${server} any more. Trying again; what you type is kept`, now);
    } else if (this.#state === "joining") {
      this.#toldSilent = true;
      view.problem(
        `No answer from ${server}. Is the server started, are address and port right, and does a firewall let UDP ` +
          "through? Trying again; Ctrl-C or /quit stops",
      );
    }
  }

  /** Takes the server's answer to a greeting. */
  welcome(packet: Welcome, now: number): void {
    if (!this.#greeter.answered(packet.id, packet.keepalive, now)) return;
    const isNewRoom = packet.epoch !== this.#joinedEpoch;
    this.#cookie = packet.pending ? packet.token : undefined;
    this.#address = packet.address;
    this.#epoch = packet.epoch;
    this.#greetingsLeft = undefined;
    this.#options.welcomed(packet, now);
    if (packet.pending) {
      // if the address changes with each datagram, every WELCOME is pending: then the next greeting waits for its time
      if (++this.#pendingInARow <= MAX_PENDING_IN_A_ROW) this.#greeter.start(now);
      return;
    }
    this.#pendingInARow = 0;
    // a server may give its members tokens of its own
    this.#token = packet.token;
    if (this.#name !== undefined && nameKey(this.#name) !== nameKey(packet.name ?? "")) {
      this.#options.view.problem(`The server has not given you the name ${this.#name}`);
    }
    if (this.#name !== undefined) this.#name = packet.name;
    if (this.#state === "joined" && !isNewRoom) return;
    if (this.#refusal !== "") this.#join(now, this.#name === undefined ? "Joined" : `Joined as ${packet.name}`);
    else if (this.everJoined && isNewRoom) this.#join(now, "The server has started anew; joined again");
    else if (this.everJoined) this.#join(now, this.#toldSilent ? "The server is back" : undefined);
    else this.#join(now, this.#toldSilent ? "The server has answered; joined" : undefined);
  }

  #join(now: number, notice: string | undefined): void {
    if (notice !== undefined) this.#options.view.notice(notice);
    this.#state = "joined";
    this.#joinedEpoch = this.#epoch;
    this.#isClosing = false;
    this.#greetingsLeft = undefined;
    this.#toldSilent = false;
    this.#refusal = "";
    this.#joinedAt = now;
    this.#options.joined(now);
  }

  /** Takes note of any packet of this epoch: the server is there, even if the answers to greetings are lost. */
  heard(epoch: string, now: number): void {
    if (epoch !== this.#epoch || !this.everJoined || this.#isClosing) return;
    this.#greeter.heard();
    if (this.#state === "joining" && this.#toldSilent) this.#join(now, "The server is back");
  }

  /** Takes an ERROR that may be about the membership; returns whether it was. */
  refused({ code, id, text }: Refusal, now: number): boolean {
    if (code === "not-joined") {
      if (this.#state !== "joined") return true;
      this.#state = "joining";
      this.#options.lost();
      this.#greeter.start(now);
      return true;
    }
    if (!this.#greeter.isRecent(id)) return false;
    if (this.#state === "refused" || id! < (this.#firstIdWithName ?? Infinity)) return true;
    if (code !== "name-taken" && code !== "bad-name") {
      // for example, the room is full: that may change, and another name would not help
      this.#greeter.heard();
      if (this.#refusal === "") this.#options.view.problem(`${printable(text)}. Trying again`);
      this.#refusal = printable(text);
      return true;
    }
    this.#greeter.stop();
    this.#options.lost();
    this.#state = "refused";
    this.#refusal = printable(text);
    this.#options.view.show({ kind: "refused", text: this.#refusal });
    return true;
  }

  /** Takes the server's CLOSING: the server is being stopped. */
  closing({ epoch }: { epoch: string }, now: number): void {
    if (this.#state !== "joined" || epoch !== this.#epoch) return;
    this.#isClosing = true;
    this.#loseServer("The server has closed the room. Waiting for it to come back; Ctrl-C or /quit leaves", now);
  }

  /**
   * Takes note of a classic packet from the server. If a few more greetings have no answer either, the server knows
   * only the classic dialect.
   */
  heardClassic(now: number): void {
    if (this.#state !== "joining" || this.hasAnswered || this.#greetingsLeft !== undefined) return;
    this.#greetingsLeft = GREETINGS_BEFORE_CLASSIC;
    this.#greeter.hurry(GREETINGS_BEFORE_CLASSIC, now);
  }

  #becomeClassic(now: number): void {
    this.#state = "classic";
    this.#greeter.stop();
    this.#options.view.notice("This server speaks the classic dialect: no names, no repeats of what is lost");
    this.#options.classic(now);
  }

  #greet(id: number): void {
    if (this.#greetingsLeft !== undefined) this.#greetingsLeft--;
    if (this.#classicAt !== undefined) this.#greetingsBeforeTrial--;
    const name = this.#name;
    this.#firstIdWithName ??= id;
    const greeting = { dialect: "v1", id, token: this.#token, cookie: this.#cookie } as const;
    this.#options.send(name === undefined ? { ...greeting, type: "GREETING" } : { ...greeting, type: "SIGN-IN", name });
  }

  #greetClassic(now: number): void {
    if (this.#classicAt !== undefined && now < this.#classicAt + CLASSIC_EVERY_MS) return;
    if (this.#classicAt === undefined) this.#greeter.hurry(GREETINGS_BEFORE_CLASSIC, now);
    this.#classicAt = now;
    this.#options.greetClassic();
  }

  #loseServer(notice: string, now: number): void {
    this.#state = "joining";
    this.#toldSilent = true;
    this.#options.lost();
    this.#options.view.notice(notice);
    if (this.#greeter.tries === 0) this.#greeter.start(now);
  }
}
