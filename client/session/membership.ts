/**
 * Makes this client a member: joins, notices when the server no longer answers, and joins again.
 *
 * @module
 */
import type { V1Packet } from "../../protocol.ts";
import { randomHex64 } from "../../protocol/fields.ts";
import type { LossEstimate } from "../../protocol/reliable/loss_estimate.ts";
import type { RoundTrip } from "../../protocol/reliable/round_trip.ts";
import type { Derivation } from "../../protocol/crypto_functions.ts";
import { Contact } from "./contact.ts";
import type { LinkEvent, Timed } from "./facts.ts";
import { Handshake } from "./handshake.ts";
import {
  comingBack,
  CONNECTED_AGAIN,
  firstQuestion,
  joinNotice,
  nextQuestion,
  NO_PASSWORD_HERE,
  notGiven,
  notInYet,
  stillNamed,
  TRYING_AGAIN,
  UNCHANGED_OUT,
} from "./joining_words.ts";
import { Login, type LoginStep } from "./login.ts";
import { Naming } from "./naming.ts";
import type { Challenge, PasswordOptions } from "./password_keys.ts";
import { type ErrorPacket, isAboutName, sentenceOf, whyExpelled, whyNotIn } from "./refusals.ts";
import type { Self } from "./self.ts";
import { type Joined, type MembershipState, OUTSIDE, type Outside } from "./state.ts";

type Welcome = Extract<V1Packet, { type: "WELCOME" }>;
type RetryPacket = Extract<V1Packet, { type: "RETRY" }>;

/** What a membership is made with. */
export interface MembershipOptions {
  /** The server, as the user gave it; for notices. */
  server: string;
  /** The name to sign in with; none to join without one. */
  name: string | undefined;
  /** Default: 64 random bits. */
  token?: string;
  /** What it takes to prove a password. Default: names that have one can't be had. */
  passwords?: PasswordOptions;
  roundTrip: RoundTrip;
  loss: LossEstimate;
  send: (packet: V1Packet) => void;
}

/** One client's membership in one room. */
export class Membership implements Timed {
  readonly login: Login;
  readonly contact: Contact;
  readonly #naming: Naming;
  readonly #self: { -readonly [K in Exclude<keyof Self, "name">]: Self[K] } & Pick<Self, "name">;
  readonly #handshake: Handshake;
  #state: Joined | Outside = OUTSIDE;
  /** Whether the user has asked to come in again, after this client was told to go. */
  #comesBack = false;
  /** The epoch in which this client was last a member. */
  #epoch: string | undefined;

  constructor({ server, name, token = randomHex64(), passwords, roundTrip, loss, send }: MembershipOptions) {
    const naming = this.#naming = new Naming(name);
    this.#self = {
      token,
      address: undefined,
      join: undefined,
      isOperator: false,
      get name() {
        return naming.name;
      },
    };
    const login = this.login = new Login(token, passwords);
    const handshake = this.#handshake = new Handshake({ token, naming, login });
    this.contact = new Contact({ server, self: this.#self, handshake, roundTrip, loss, send });
  }

  get state(): Exclude<MembershipState, "classic"> {
    return this.#state.is;
  }

  get self(): Self {
    return this.#self;
  }

  /** The name that this client asks for in place of the one that it has; undefined if it is content. */
  get wantedName(): string | undefined {
    return this.#naming.wanted;
  }

  /** Whether the server has not said yet if this client may have another name. */
  get isRenaming(): boolean {
    return this.wantedName !== undefined && this.#state.refusal === "" || this.login.isHashing;
  }

  /** Why the server refuses this client; empty if it has not refused it. */
  get refusal(): string {
    return this.#state.refusal;
  }

  /** Whether this client waits for a server that it has told the user does not answer. */
  get isSilent(): boolean {
    return this.#state.is === "joining" && this.#state.toldSilent;
  }

  /**
   * Whether the user was told that the server does not let this client in yet, and can choose another name meanwhile.
   */
  get isKeptWaiting(): boolean {
    if (this.#state.is !== "joining" || this.everJoined || !this.login.canAsk) return false;
    return this.refusal !== "" || this.isSilent && this.login.isProving;
  }

  get everJoined(): boolean {
    return this.#epoch !== undefined;
  }

  /** Whether the server has ever answered a greeting, and so speaks version 1. Its first answer is a cookie. */
  get hasAnswered(): boolean {
    return this.#handshake.hasAnswered;
  }

  get nextWake(): number | undefined {
    return this.contact.nextWake(this.#state, this.login.isProving);
  }

  /** Begins to join. */
  start(now: number): void {
    this.contact.start(now);
  }

  /**
   * Asks for another name. A client that is refused, or waits to come in, tries again with it, or with none; another
   * one keeps the name that it has until the server has given it the new one.
   */
  rename(name: string | undefined, now: number): void {
    if (this.#state.is === "expelled") return;
    this.login.cancel();
    if (this.#isShutOut || this.isKeptWaiting || name === undefined) this.#naming.choose(name);
    else this.#naming.ask(name);
    if (this.#isShutOut) this.#state = { ...OUTSIDE, ...this.#state, is: "joining" };
    this.start(now);
  }

  /** Greets again after this client was told to go. */
  comeBack(now: number): LinkEvent[] {
    if (this.#state.is !== "expelled") return [];
    this.#state = OUTSIDE;
    this.#naming.begin();
    this.#comesBack = true;
    this.start(now);
    return comingBack(this.#self.name, this.login.keys);
  }

  /** Greets at once to find out whether a server that has not confirmed a message for long is still there. */
  suspect(now: number): void {
    if (this.#state.is === "joined") this.contact.suspect(now);
  }

  wake(now: number): LinkEvent[] {
    // the server has asked for a proof, so it is there; what it says to who has none yet does not matter
    if (this.#state.is === "joining" && this.login.isHashing) this.contact.noteDeaf();
    this.contact.greetIfDue(now);
    if (!this.contact.isTooSilent(this.#state, this.login.isProving, now)) return [];
    const { patience } = this.contact;
    if (this.#state.is === "joined") return this.#loseServer(patience.notice(this.#state), this.#state.isClosing);
    const { isProving } = this.login, hasTyped = this.login.putOff(this.#naming.greeted);
    const text = isProving
      ? notInYet(patience.problemSince, hasTyped, this.login.canAsk)
      : patience.notice(this.#state);
    this.#state = { ...this.#state, toldSilent: true };
    return [{ type: "problem", text }];
  }

  /** Whether a packet answers a greeting that was just sent, and so comes from the server, whatever its address is. */
  isAnswer(packet: V1Packet): boolean {
    return (packet.type === "RETRY" || packet.type === "WELCOME" && packet.token === this.#self.token) &&
      !this.#isShutOut && this.contact.isRecent(packet.id);
  }

  /** Takes the cookie with which the server wants to be greeted again. */
  retry({ id, cookie }: RetryPacket, now: number): void {
    if (this.#isShutOut || this.contact.answered(id, undefined, now) === undefined) return;
    if (this.#handshake.takeCookie(cookie)) this.start(now);
  }

  /**
   * Takes the server's answer to a greeting. Returns undefined for one that is out of date, or not wanted.
   *
   * @returns What was found out, when the greeting was sent, in milliseconds, and whether this client was out
   * meanwhile, as it had been told to go.
   */
  welcome(packet: Welcome, now: number): { events: LinkEvent[]; askedAt: number; wasOut: boolean } | undefined {
    // who is refused greets again under another name only, and an answer to a greeting with another name is late
    if (this.#isShutOut || !this.#naming.isPresent(packet.id)) return undefined;
    // a server that has asked for a password waits for its proof
    if (this.login.isHashingFor(this.#naming.greeted)) return undefined;
    const answered = this.contact.answered(packet.id, packet.keepalive, now);
    if (answered === undefined) return undefined;
    const { askedAt, silence } = answered, { patience } = this.contact;
    // what the user was told of was an end, or a cable, and says nothing of how long answers take
    if (this.#state.is === "joined" || !this.#state.toldSilent) patience.noteAnswer(silence);
    const wasOut = this.#comesBack;
    const isNewRoom = packet.epoch !== this.#epoch;
    const welcomed = this.login.welcomed(this.#naming.greeted, packet.verifier, isNewRoom);
    if (welcomed?.type === "distrusted") return { events: [welcomed], askedAt, wasOut };
    this.#handshake.welcomed();
    this.#self.address = packet.address;
    this.#self.join = packet.join;
    this.#self.isOperator = packet.operator === true;
    const events: LinkEvent[] = [];
    if (this.#state.is === "joined" && this.wantedName !== undefined) this.#state.refusal = "";
    const withheld = this.#naming.given(packet.name);
    if (withheld !== undefined) {
      events.push({ type: "problem", text: `The server has not given you the name ${withheld}` });
    }
    if (this.#state.is === "joined" && this.#state.isClosing) {
      this.#state.isClosing = false;
      patience.noteFalseClosing();
    }
    if (this.#state.is !== "joined" || isNewRoom) {
      const { refusal, everJoined, isSilent, self: { name } } = this;
      const wasRefused = refusal !== "" || wasOut;
      events.push(...this.#join(joinNotice({ name, wasRefused, everJoined, isNewRoom, isSilent })));
    }
    this.#epoch = packet.epoch;
    this.#comesBack = false;
    if (welcomed) events.push(welcomed);
    return { events, askedAt, wasOut };
  }

  #join(notice: string | undefined): LinkEvent[] {
    this.#state = { is: "joined", refusal: "", isClosing: false };
    return [...(notice === undefined ? [] : [{ type: "notice", text: notice } as const]), { type: "joined" }];
  }

  /**
   * Takes note of a packet other than a WELCOME. With this member's token, or with the id of a question, it shows that
   * the server is there, even if all WELCOMEs are lost. Anybody could have sent another packet of this epoch.
   */
  heard(packet: V1Packet, isVouched: boolean, now: number): LinkEvent[] {
    const isAnswer = packet.type === "USERS" && this.contact.isRecent(packet.id);
    const isOfEpoch = "epoch" in packet && packet.type !== "WELCOME" && packet.epoch === this.#epoch;
    if (!isAnswer && !isOfEpoch || !this.everJoined) return [];
    // what a server has sent before it went away may still come
    if (this.#comesBack) return [];
    if (this.#state.is === "joined" ? this.#state.isClosing : this.#state.hasClosed) return [];
    if (!isAnswer && !isVouched) {
      this.contact.patience.noteClaim(now);
      return [];
    }
    this.contact.heard();
    return this.isSilent ? this.#join(CONNECTED_AGAIN) : [];
  }

  /** Takes an ERROR that may be about the membership; returns undefined if it is not. */
  refused(packet: ErrorPacket, now: number): LinkEvent[] | undefined {
    const { code, id } = packet;
    if (code === "not-joined") {
      if (this.#state.is !== "joined") return [];
      this.#state = { ...OUTSIDE, refusal: this.refusal };
      // the server is there: the silence before counts no more
      this.contact.greetAgain(now);
      return [{ type: "lost" }];
    }
    if (!this.contact.isRecent(id)) return this.contact.hasGreeted(id) ? [] : undefined;
    if (this.#isShutOut || !this.#naming.isPresent(id!)) return [];
    if (code === "wrong-password") return this.#follow(this.login.refused(sentenceOf(packet)), now);
    const name = this.#naming.greeted, refusal = whyNotIn(packet, name);
    if (!isAboutName(code)) {
      // for example, the room is full: that may change, and another name would not help
      this.contact.heard();
      const isNew = this.refusal === "";
      this.#state = { ...this.#state, refusal };
      const canChoose = this.login.isProving && this.login.canAsk, hasTyped = this.login.putOff(name);
      return hasTyped || isNew ? [{ type: "problem", text: notInYet(refusal, hasTyped, canChoose) }] : [];
    }
    const text = this.login.hasAskedUser ? notGiven(name, refusal) : refusal;
    return this.#refuse({ code, name, text }, now);
  }

  /**
   * The server does not give a name: this client keeps the one that it has, or waits until its user chooses another.
   */
  #refuse({ code, name, text }: { code: string; name: string | undefined; text: string }, now: number): LinkEvent[] {
    this.#endLogin();
    if (this.#naming.giveUp() || this.#naming.name !== name) return this.#keepName(text, now);
    this.contact.stop();
    this.#state = { ...OUTSIDE, ...this.#state, is: "refused", refusal: text };
    const hints: LinkEvent[] = this.login.hasAskedUser ? [{ type: "notice", text: NO_PASSWORD_HERE }] : [];
    return [{ type: "lost" }, { type: "refused", code, name, text }, ...hints];
  }

  /** Greets on with the name that this client has, as the server does not give it another one. */
  #keepName(refusal: string, now: number): LinkEvent[] {
    if (this.#state.is === "joined") this.#state.refusal = "";
    this.contact.greetAgain(now);
    const text = stillNamed(refusal, this.#self.name);
    return [{ type: "problem", text }, { type: "shortfall", what: "refused", count: 1 }];
  }

  /**
   * Takes an ERROR that tells this client to go: it greets no more until its user asks for it.
   *
   * @returns Undefined if it is out of date.
   */
  expelled(packet: ErrorPacket): LinkEvent[] | undefined {
    if (this.#state.is === "expelled") return undefined;
    const { id, code } = packet;
    // since its user has asked to come in again, copies of what was said before may still come
    const isNew = id !== undefined && this.contact.isRecent(id) && this.#naming.isPresent(id);
    if (this.#comesBack && !isNew) return undefined;
    this.contact.stop();
    this.#naming.giveUp();
    this.#endLogin();
    const refusal = whyExpelled(packet);
    this.#state = { ...OUTSIDE, is: "expelled", refusal };
    return [{ type: "lost" }, { type: "refused", code, name: undefined, text: refusal }];
  }

  /** Ends the login. A question that is open stays, so that the rest of its answer is neither shown nor said. */
  #endLogin(): void {
    if (this.login.wanted === undefined) this.login.cancel();
  }

  /** Takes the server's question for a password, if it is about a greeting; returns undefined if it is not. */
  challenged(packet: Challenge, now: number): LinkEvent[] | undefined {
    const { id } = packet, name = this.#naming.greeted;
    if (!this.contact.isRecent(id)) return this.contact.hasGreeted(id) ? [] : undefined;
    if (this.#isShutOut || name === undefined || !this.#naming.isPresent(id)) return [];
    this.contact.answered(id, undefined, now);
    return this.#follow(this.login.challenged(packet, name), now);
  }

  /** Takes the password that the user has typed; none if the name is not wanted any more. */
  givePassword(text: string, now: number): LinkEvent[] {
    if (this.#state.is === "expelled") {
      this.login.cancel();
      return [{ type: "problem", text: UNCHANGED_OUT }];
    }
    this.#handshake.forgetRetries();
    return this.#follow(this.login.answer(text), now);
  }

  /** Takes what a password was hashed to. */
  derived(derivation: Derivation, saltedPassword: Uint8Array, now: number): LinkEvent[] {
    return this.#follow(this.login.derived(derivation, saltedPassword), now);
  }

  /** Does what follows from a login. A member keeps its name until it has proven that it may have another. */
  #follow(step: LoginStep, now: number): LinkEvent[] {
    switch (step.next) {
      case "wait":
        if (this.login.isHashing) this.#naming.giveUp();
        if (this.#state.is === "challenged" && this.login.wanted === undefined) {
          this.#state = { ...this.#state, is: "joining" };
        }
        return [];
      case "greet":
        if (this.#handshake.takeProof(step.name)) {
          this.start(now);
          return [];
        }
        if (!this.login.putOff(step.name)) return [];
        return [{ type: "problem", text: `The server asks again and again. ${TRYING_AGAIN}` }];
      case "ask": {
        this.#naming.giveUp();
        const { name, text, isAgain } = step, isAnother = this.#naming.name !== name;
        const told: LinkEvent = isAgain
          ? { type: "problem", text: nextQuestion(text) }
          : { type: "notice", text: firstQuestion(name, isAnother, this.#self.name) };
        if (isAnother) return [{ type: "challenged" }, told];
        this.contact.stop();
        this.#state = { ...OUTSIDE, is: "challenged", refusal: text };
        return [{ type: "lost" }, { type: "challenged" }, told];
      }
      case "refuse":
        return this.#refuse({ code: "wrong-password", ...step }, now);
      case "distrust":
        return [{ type: "distrusted", text: step.text }];
    }
  }

  /** Takes a CLOSING: it is said that the server is being stopped. Anybody may say so, so the server is greeted. */
  closing({ epoch }: { epoch: string }, now: number): void {
    if (this.#state.is !== "joined" || epoch !== this.#epoch || this.#state.isClosing) return;
    this.#state.isClosing = true;
    // the silence that shows that this is true begins with the next greeting
    this.contact.greetAgain(now);
  }

  /** Whether this client greets no more until its user does something. */
  get #isShutOut(): boolean {
    return this.#state.is !== "joining" && this.#state.is !== "joined";
  }

  #loseServer(notice: string, hasClosed: boolean): LinkEvent[] {
    this.#state = { is: "joining", refusal: this.refusal, toldSilent: true, hasClosed };
    return [{ type: "lost" }, { type: "notice", text: notice }];
  }
}
