/**
 * Being a member: greeting until the server answers, noticing when it no longer does, and coming back.
 *
 * @module
 */
import type { V1Packet } from "../../protocol.ts";
import { nameKey, randomHex64 } from "../../protocol/fields.ts";
import { printable } from "../../protocol/text.ts";
import { Greeter } from "./greeter.ts";
import type { MembershipState } from "./standing.ts";
import type { RoundTrip } from "../../protocol/reliable/round_trip.ts";
import type { View } from "./view.ts";

type Welcome = Extract<V1Packet, { type: "WELCOME" }>;
type Refusal = Extract<V1Packet, { type: "ERROR" }>;

/** What membership needs of the session. */
export interface MembershipOptions {
  /** The server, as people know it. */
  server: string;
  /** The name to sign in with; none to join without one. */
  name?: string;
  roundTrip: RoundTrip;
  view: View;
  send: (packet: V1Packet) => void;
  /** Called with each answer of the server to a greeting, before {@linkcode joined}. */
  welcomed: (welcome: Welcome, now: number) => void;
  /** The server can be spoken to, for the first time or again. */
  joined: (now: number) => void;
  /** The server can't be spoken to for now. */
  lost: () => void;
  /** The server has never answered: it may be one that has to be greeted in the classic dialect. */
  greetClassic: () => void;
  /** The server has parseSetting out to know the classic dialect only. */
  classic: (now: number) => void;
  /** The server has not answered many greetings of version 1 behind the classic one. */
  mayBeClassic: (now: number) => void;
}

/** Silence after which the user is told that there is no answer, in milliseconds. */
const NO_ANSWER_MS = 1800;
/** The same for a server that has answered before, where losses are more likely than its end. */
const NO_ANSWER_ANY_MORE_MS = 5000;
/** A server of version 1 is heard in the classic dialect when greetings were lost: so many more show what it is. */
const GREETINGS_AGAINST_CLASSIC = 8;
/** How many answers in a row that make no member are followed by a further greeting at once. */
const MAX_PROOFS = 4;
/** How often a server that has never answered is greeted in the classic dialect, in milliseconds. */
const CLASSIC_EVERY_MS = 10_000;

/** One client's membership in one room. */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #greeter: Greeter;
  #state: MembershipState = "joining";
  #name: string | undefined;
  #token = randomHex64();
  /** What the server wants to see, too, because it does not know this client at its address. */
  #cookie: string | undefined;
  /** The first greeting that went out with this name: a refusal of an earlier one is about another. */
  #firstWithName: number | undefined;
  /** How many answers in a row have made no member. */
  #proofs = 0;
  #address: string | undefined;
  #epoch: string | undefined;
  /** The epoch of the room that it was last a member of. */
  #joinedEpoch: string | undefined;
  #joinedAt = 0;
  /** Whether the user has been told that there is no answer. */
  #toldSilent = false;
  /** Whether the server has said that it goes away. */
  #isClosing = false;
  #refusal = "";
  /** How many more greetings a server gets that has spoken the classic dialect. */
  #greetingsLeft: number | undefined;
  /** When the server was last greeted in the classic dialect, in milliseconds. */
  #classicAt: number | undefined;
  /** How many greetings go out before a line is said in the classic dialect on trial. */
  #greetingsBeforeTrial = GREETINGS_AGAINST_CLASSIC;

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

  /** What the server knows this client by, wherever it is: to be in each packet. */
  get token(): string {
    return this.#token;
  }

  /** The address that the server knows this client by, once it has said so. */
  get address(): string | undefined {
    return this.#address;
  }

  /** When the server could last be spoken to again, in milliseconds. */
  get joinedAt(): number {
    return this.#joinedAt;
  }

  /** Why the server does not take this client; empty where it does, or has not said so. */
  get refusal(): string {
    return this.#refusal;
  }

  /** Whether the user knows that there is no answer. */
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
    return Math.min(nextWake, silentSince + this.#patience);
  }

  /**
   * Whether the server would have answered in version 1 if it knew it: a server of our own that the bare greeting has
   * reached, and the one before it has not, is reached by one of those behind it.
   */
  get isLikelyClassic(): boolean {
    return !this.hasAnswered && this.#state === "joining" && this.#greetingsBeforeTrial <= 0;
  }

  /** Milliseconds of silence after which the user is told. */
  get #patience(): number {
    return this.#state === "joined" ? NO_ANSWER_ANY_MORE_MS : NO_ANSWER_MS;
  }

  /** Begins to join. */
  start(now: number): void {
    this.#greeter.start(now);
  }

  /** Tries again after a refusal, under another name or under none. */
  rename(name: string | undefined, now: number): void {
    this.#name = name;
    this.#firstWithName = undefined;
    if (this.#state === "refused") this.#state = "joining";
    this.#greeter.start(now);
  }

  /** Greets no more. */
  stop(): void {
    this.#greeter.stop();
  }

  /** The server has not confirmed something for long: asks whether it is still there. */
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
    if (silentSince === undefined || now < silentSince + this.#patience) return;
    if (!this.hasAnswered && this.#state === "joining") this.#greetClassic(now);
    if (this.#toldSilent) return;
    const { server, view } = this.#options;
    if (this.#state === "joined") {
      this.#lose(`No answer from ${server} any more. Trying again; what you type is kept`, now);
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
      // who has another address with each datagram is never done: the next greeting waits for its time then
      if (++this.#proofs <= MAX_PROOFS) this.#greeter.start(now);
      return;
    }
    this.#proofs = 0;
    // a server that gives its members tokens of its own
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

  /** Anything of this epoch has come from the server, though perhaps not the answer to a greeting: it is there. */
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
    if (this.#state === "refused" || id! < (this.#firstWithName ?? Infinity)) return true;
    if (code !== "name-taken" && code !== "bad-name") {
      // a full room, for instance: that may change, and no other name would help
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

  /** The server says that it is going away. */
  closing({ epoch }: { epoch: string }, now: number): void {
    if (this.#state !== "joined" || epoch !== this.#epoch) return;
    this.#isClosing = true;
    this.#lose("The server has closed the room. Waiting for it to come back; Ctrl-C or /quit leaves", now);
  }

  /** The server has spoken the classic dialect: when a few more greetings have no answer either, it knows no other. */
  heardClassic(now: number): void {
    if (this.#state !== "joining" || this.hasAnswered || this.#greetingsLeft !== undefined) return;
    this.#greetingsLeft = GREETINGS_AGAINST_CLASSIC;
    this.#greeter.hurry(GREETINGS_AGAINST_CLASSIC, now);
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
    this.#firstWithName ??= id;
    const greeting = { dialect: "v1", id, token: this.#token, cookie: this.#cookie } as const;
    this.#options.send(name === undefined ? { ...greeting, type: "GREETING" } : { ...greeting, type: "SIGN-IN", name });
  }

  #greetClassic(now: number): void {
    if (this.#classicAt !== undefined && now < this.#classicAt + CLASSIC_EVERY_MS) return;
    if (this.#classicAt === undefined) this.#greeter.hurry(GREETINGS_AGAINST_CLASSIC, now);
    this.#classicAt = now;
    this.#options.greetClassic();
  }

  #lose(notice: string, now: number): void {
    this.#state = "joining";
    this.#toldSilent = true;
    this.#options.lost();
    this.#options.view.notice(notice);
    if (this.#greeter.tries === 0) this.#greeter.start(now);
  }
}
