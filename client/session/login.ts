/**
 * Proves to the server that this client knows the password of the name that it wants.
 *
 * @module
 */
import type { Proof } from "../../protocol.ts";
import { fromHex } from "../../protocol/bytes.ts";
import type { Derivation } from "../../protocol/crypto_functions.ts";
import { preparePassword } from "../../protocol/passwords.ts";
import type { ClientKeys } from "../../protocol/scram.ts";
import {
  type Challenge,
  isSalted,
  PasswordKeys,
  type PasswordOptions,
  prove,
  roundsProblem,
  type SaltedChallenge,
} from "./password_keys.ts";
import { whyPassedOn } from "./whereabouts.ts";

/** With how many other salts in a row a server may ask for the password of one name: an account may be made anew. */
const MAX_OTHER_SALTS = 1;

/** What is to be done next. */
export type LoginStep =
  /** Greet by the name with the proof. */
  | { next: "greet"; name: string }
  /** Ask the user; after a wrong answer `text` says so. */
  | { next: "ask"; name: string; text: string; isAgain: boolean }
  /** The name can't be had. */
  | { next: "refuse"; name: string; text: string }
  /** Leave: somebody passes on what this client sends. */
  | { next: "distrust"; text: string }
  /** Nothing yet. */
  | { next: "wait" };

/** How far it has come. */
type Stage =
  | { is: "idle" }
  | { is: "asking"; name: string; challenge: SaltedChallenge }
  | { is: "hashing"; name: string; challenge: SaltedChallenge; derivation: Derivation }
  | { is: "proving"; name: string; challenge: SaltedChallenge; proof: Required<Proof>; verifier: string };

const WAIT: LoginStep = { next: "wait" };

/** The logins of one session. */
export class Login {
  readonly keys: PasswordKeys = new PasswordKeys();
  readonly #token: string;
  readonly #options: PasswordOptions | undefined;
  #stage: Stage = { is: "idle" };
  /** What the user has given beforehand, as long as it may be right. */
  #given: string | undefined;
  #wasAsked = false;
  #hasAskedUser = false;
  /** The salt that was asked with last, and how many others in a row were before it. */
  #salts: { name: string; last: string; others: number } | undefined;
  /** Whether what is proven now was just typed. */
  #isTyped = false;

  constructor(token: string, options: PasswordOptions | undefined) {
    this.#token = token;
    this.#options = options;
    this.#given = options?.given;
  }

  /** The name whose password the user is asked for. */
  get wanted(): string | undefined {
    return this.#stage.is === "asking" ? this.#stage.name : undefined;
  }

  /** Whether the user is asked, or the server has not said yet what it thinks of the answer. */
  get isAsking(): boolean {
    return this.#stage.is === "asking" || this.#isTyped && this.#stage.is !== "idle";
  }

  /** Whether somebody is there to be asked. */
  get canAsk(): boolean {
    return this.#options?.canAsk === true;
  }

  /** Whether the user was ever asked for a password: it may type one where no question is. */
  get hasAskedUser(): boolean {
    return this.#hasAskedUser;
  }

  /**
   * Notes that the server says nothing yet of the proof, and is asked on. Returns whether the user has waited for the
   * answer to what was typed: from now on it can type something else.
   */
  putOff(name: string | undefined): boolean {
    if (this.#stage.is !== "proving" || this.#stage.name !== name || !this.#isTyped) return false;
    this.#isTyped = false;
    return true;
  }

  /** Whether a password is being hashed. */
  get isHashing(): boolean {
    return this.#stage.is === "hashing";
  }

  /** Whether the password of this name is being hashed: until that is done, no honest server gives the name. */
  isHashingFor(name: string | undefined): boolean {
    return this.#stage.is === "hashing" && this.#stage.name === name;
  }

  /** Whether a password is being proven, so that the server has answered before. */
  get isProving(): boolean {
    return this.#stage.is === "proving";
  }

  /** What a greeting by a name has beside it. */
  proofFor(name: string): Proof {
    return this.#stage.is === "proving" && this.#stage.name === name ? this.#stage.proof : {};
  }

  /** Takes the server's challenge to a greeting by a name. */
  challenged(challenge: Challenge, name: string): LoginStep {
    this.#wasAsked = true;
    if (!this.#options) {
      const text = `The name ${name} is registered here, and this client can't ask for a password; choose another`;
      return { next: "refuse", name, text };
    }
    const passedOn = whyPassedOn(challenge.address, this.#options.whereabouts?.());
    if (passedOn !== undefined) return { next: "distrust", text: passedOn };
    const problem = roundsProblem(challenge);
    if (problem !== undefined || !isSalted(challenge)) {
      return this.#refuse(name, `${problem ?? "The server's question for a password is not whole"}. It was not sent`);
    }
    const { is } = this.#stage;
    if ((is === "asking" || is === "hashing") && this.#stage.name === name) return WAIT;
    if (this.#countOtherSalts(challenge, name) > MAX_OTHER_SALTS) {
      const text = `The server asks for the password of ${name} with another salt each time, as no honest one does. ` +
        "It gets no more proofs";
      return this.#refuse(name, text);
    }
    const keys = this.keys.get(challenge);
    if (keys) return this.#prove(keys, challenge, name);
    if (this.#given !== undefined) return this.#derive(this.#given, challenge, name);
    const text = `The name ${name} is registered here: give its password by --password-file FILE or UDP_CHAT_PASSWORD`;
    return this.#ask(challenge, name, text);
  }

  /** Takes the password that the user has typed; none if the name is not wanted any more. */
  answer(text: string): LoginStep {
    if (this.#stage.is !== "asking") return WAIT;
    const { challenge, name } = this.#stage, password = preparePassword(text);
    if (text === "") {
      return this.#refuse(name, `The name ${name} is registered here`);
    }
    // no password is like that
    if (password === undefined) return this.#ask(challenge, name, `That is not the password of ${name}`, true);
    this.#isTyped = true;
    return this.#derive(password, challenge, name);
  }

  /** Takes what a password was hashed to. */
  derived(derivation: Derivation, saltedPassword: Uint8Array): LoginStep {
    const stage = this.#stage;
    if (stage.is !== "hashing" || stage.derivation !== derivation) return WAIT;
    const keys = this.keys.add(derivation, saltedPassword, this.#options!.crypto);
    return this.#prove(keys, stage.challenge, stage.name);
  }

  /** Notes that the server has found the proof wrong; `text` are its words. */
  refused(text: string): LoginStep {
    if (this.#stage.is !== "proving") return WAIT;
    const { challenge, name } = this.#stage;
    this.keys.remove(challenge);
    this.#given = undefined;
    return this.#ask(challenge, name, text || `That is not the password of ${name}`, true);
  }

  /**
   * Takes a WELCOME that gives a name. Returns what is wrong with it.
   *
   * @param isNewRoom Whether the server does not know this client from before, so that it must ask for a password.
   */
  welcomed(
    name: string | undefined,
    verifier: string | undefined,
    isNewRoom: boolean,
  ): { type: "distrusted" | "problem"; text: string } | undefined {
    const stage = this.#stage;
    if (name === undefined) return undefined;
    if (stage.is === "proving" && stage.name === name) {
      this.cancel();
      if (verifier === stage.verifier) {
        this.keys.noteProtected(name, true);
        return undefined;
      }
      const text = `This server does not know the password of ${name}, so it may not be the server that you ` +
        "registered at. Left; the password itself was not sent";
      return { type: "distrusted", text };
    }
    const isUnasked = this.#options?.given !== undefined && !this.#wasAsked;
    this.#wasAsked = true;
    if (isNewRoom && this.keys.isProtected(name)) {
      const text = `The server has begun anew, and has not asked for the password of ${name}, so it may not be the ` +
        "server that you registered at. Left";
      return { type: "distrusted", text };
    }
    if (!isUnasked) return undefined;
    const text = `The server has not asked for the password of ${name}: the name is not registered here, or this is ` +
      "not the server that you registered at";
    return this.#options!.canAsk ? { type: "problem", text } : { type: "distrusted", text: `${text}. Left` };
  }

  /** Ends what is under way: the user wants another name, or has this one. */
  cancel(): void {
    this.#stage = { is: "idle" };
    this.#isTyped = false;
    this.#salts = undefined;
  }

  /** Notes the salt of a challenge; returns how many others in a row were before it. */
  #countOtherSalts({ salt, rounds }: SaltedChallenge, name: string): number {
    const last = `${salt} ${rounds}`;
    if (this.#salts?.name !== name) this.#salts = { name, last, others: 0 };
    if (this.#salts.last !== last) this.#salts = { name, last, others: this.#salts.others + 1 };
    return this.#salts.others;
  }

  #refuse(name: string, text: string): LoginStep {
    this.cancel();
    return { next: "refuse", name, text };
  }

  #ask(challenge: SaltedChallenge, name: string, text: string, isAgain = false): LoginStep {
    if (!this.#options?.canAsk) return this.#refuse(name, text);
    this.#stage = { is: "asking", name, challenge };
    this.#hasAskedUser = true;
    return { next: "ask", name, text, isAgain };
  }

  #derive(password: string, challenge: SaltedChallenge, name: string): LoginStep {
    const derivation = { password, salt: fromHex(challenge.salt), rounds: challenge.rounds };
    this.#stage = { is: "hashing", name, challenge, derivation };
    this.#options!.derive(derivation);
    return WAIT;
  }

  #prove(keys: ClientKeys, challenge: SaltedChallenge, name: string): LoginStep {
    const purpose = `sign-in ${this.#token} ${challenge.address}`;
    const proven = prove(keys, challenge, { name, purpose }, this.#options!.crypto);
    this.#stage = { is: "proving", name, challenge, ...proven };
    return { next: "greet", name };
  }
}
