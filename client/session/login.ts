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

/** How often the password that was given beforehand is hashed: a server may ask with another salt each time. */
const MAX_GIVEN_TRIES = 4;

/** What is to be done next. */
export type LoginStep =
  /** Greet by the name with the proof. */
  | { next: "greet"; name: string }
  /** Ask the user; after a wrong answer `text` says so. */
  | { next: "ask"; name: string; text: string; isAgain: boolean }
  /** The name can't be had. */
  | { next: "refuse"; name: string; text: string }
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
  #givenTries = 0;
  #wasAsked = false;
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

  /** Whether a password is being hashed. */
  get isHashing(): boolean {
    return this.#stage.is === "hashing";
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
    const problem = roundsProblem(challenge);
    if (problem !== undefined || !isSalted(challenge)) {
      return {
        next: "refuse",
        name,
        text: `${problem ?? "The server's question for a password is not whole"}. It was not sent`,
      };
    }
    const { is } = this.#stage;
    if ((is === "asking" || is === "hashing") && this.#stage.name === name) return WAIT;
    const keys = this.keys.get(challenge);
    if (keys) return this.#prove(keys, challenge, name);
    if (this.#given !== undefined && this.#givenTries++ < MAX_GIVEN_TRIES) {
      return this.#derive(this.#given, challenge, name);
    }
    const text = `The name ${name} is registered here: give its password by --password-file FILE or UDP_CHAT_PASSWORD`;
    return this.#ask(challenge, name, text);
  }

  /** Takes the password that the user has typed; none if the name is not wanted any more. */
  answer(text: string): LoginStep {
    if (this.#stage.is !== "asking") return WAIT;
    const { challenge, name } = this.#stage, password = preparePassword(text);
    if (text === "") {
      this.cancel();
      return { next: "refuse", name, text: `The name ${name} is registered here; choose another` };
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

  /** Takes a WELCOME that gives a name. Returns what the user is to be told, and whether the server is not believed. */
  welcomed(
    name: string | undefined,
    verifier: string | undefined,
  ): { text: string; isTrusted: boolean } | undefined {
    const stage = this.#stage;
    if (name === undefined) return undefined;
    if (stage.is !== "proving" || stage.name !== name) {
      const isUnasked = this.#options?.given !== undefined && !this.#wasAsked;
      this.#wasAsked = true;
      if (!isUnasked) return undefined;
      return {
        text: `The server has not asked for a password: the name ${name} is not registered here`,
        isTrusted: true,
      };
    }
    this.cancel();
    if (verifier === stage.verifier) return undefined;
    const text = `This server does not know the password of ${name}, so it may not be the server that you registered ` +
      "at. Left; the password itself was not sent";
    return { text, isTrusted: false };
  }

  /** Ends what is under way: the user wants another name, or has this one. */
  cancel(): void {
    this.#stage = { is: "idle" };
    this.#isTyped = false;
  }

  #ask(challenge: SaltedChallenge, name: string, text: string, isAgain = false): LoginStep {
    if (!this.#options?.canAsk) {
      this.cancel();
      return { next: "refuse", name, text };
    }
    this.#stage = { is: "asking", name, challenge };
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
