/**
 * Registers the user's name, changes its password, and gives it up.
 *
 * @module
 */
import { fromHex, toHex } from "../../protocol/bytes.ts";
import type { Derivation } from "../../protocol/crypto_functions.ts";
import { seal } from "../../protocol/hpke.ts";
import { PASSWORD_RULE, preparePassword, SALT_BYTES } from "../../protocol/passwords.ts";
import { type ClientKeys, packKeys, serverSignature, storedKeysOf } from "../../protocol/scram.ts";
import { printable } from "../../protocol/text.ts";
import type { AccountPacket, Answer, Fact } from "./facts.ts";
import {
  type Challenge,
  isSalted,
  type PasswordKeys,
  type PasswordOptions,
  prove,
  roundsProblem,
  type WantedPassword,
} from "./password_keys.ts";
import { reasonOf } from "./refusals.ts";
import type { Self } from "./self.ts";
import type { Transactions } from "./transactions.ts";
import { whyPassedOn } from "./whereabouts.ts";

/** What the user wants: to protect the name, to have another password for it, or to protect it no more. */
export type AccountChange = "register" | "password" | "unregister";

/** The parts that an account works with. */
export interface AccountParts {
  transactions: Transactions;
  self: Pick<Self, "token" | "name" | "isOperator">;
  keys: PasswordKeys;
  passwords: PasswordOptions | undefined;
  /** Returns why nothing can be changed now, as this client is not in the room; undefined while it can. */
  whyOut: () => string | undefined;
}

/** Which passwords each change takes, in the order in which the user is asked; a new one is asked for twice. */
const QUESTIONS: Record<AccountChange, ("present" | "new")[]> = {
  register: ["new"],
  password: ["present", "new"],
  unregister: ["present"],
};
/** How often it is sent anew because the server's nonce or key is gone. */
const MAX_SENDS = 4;
/** How an answer begins that comes in place of a question: else its user types the password to all, from habit. */
const UNASKED = "No password is asked";
/** The longest answer of the server that is shown, in characters. */
const MAX_REPLY_CHARACTERS = 400;

/** A question for a password. The new one that was typed is known as long as it is asked for again. */
type Question = { what: "present" | "new" } | { what: "again"; typed: string };

/** A change that is under way. */
interface Change {
  readonly change: AccountChange;
  readonly name: string;
  /** What the user is still asked; "again" comes behind "new". */
  questions: Question[];
  /** What the server has said last; undefined until it has said what a change takes. */
  challenge?: Challenge;
  present?: Hashed;
  next?: Hashed;
  sends: number;
  /** By what the server proves that it knows the password, once something was sent. */
  verifier?: string;
}

/** A password that is being hashed, and its keys when that is done: then the password is forgotten. */
interface Hashed {
  readonly salt: Uint8Array;
  derivation?: Derivation;
  keys?: ClientKeys;
}

/** The account of one user: one change at a time. */
export class Account {
  readonly #parts: AccountParts;
  #change: Change | undefined;
  #open = 0;

  constructor(parts: AccountParts) {
    this.#parts = parts;
  }

  /** How many questions to the server have no answer yet. */
  get openCount(): number {
    return this.#open;
  }

  /** The password that the user is asked for now. */
  get wanted(): WantedPassword | undefined {
    if (!this.#change?.challenge || this.#change.questions.length === 0) return undefined;
    return { what: this.#change.questions[0].what, name: this.#change.name };
  }

  /** Whether a change is under way. */
  get isBusy(): boolean {
    return this.#change !== undefined;
  }

  /** Begins a change: asks the server what it takes. */
  begin(change: AccountChange, now: number): Fact[] {
    const { self: { name }, passwords } = this.#parts;
    if (!passwords) return failed(`${UNASKED}: this client can't`);
    if (name === undefined) return failed(`${UNASKED}: you have no name that could be registered`);
    if (this.#change) return failed(`${UNASKED}: one is being changed already; wait for the answer`);
    this.#change = { change, name, questions: QUESTIONS[change].map((what) => ({ what })), sends: 0 };
    this.#ask({ type: change === "unregister" ? "UNREGISTER" : "REGISTER" }, now);
    return [];
  }

  /** Takes what the user has typed; nothing if the change is not wanted any more. */
  givePassword(text: string, now: number): Fact[] {
    const change = this.#change;
    if (!change || !this.wanted) return [];
    const out = this.#parts.whyOut();
    if (out !== undefined) return this.#fail(out);
    if (text === "") return this.#end([{ type: "notice", text: "Nothing was changed" }]);
    const [question] = change.questions, { rounds } = change.challenge!;
    switch (question.what) {
      case "present": {
        const password = preparePassword(text);
        // no password is like that
        if (password === undefined) return this.#fail(`That is not the password of ${change.name}`);
        change.present = this.#derive({ password, salt: fromHex(change.challenge!.salt!), rounds });
        break;
      }
      case "new": {
        const typed = preparePassword(text, true);
        if (typed === undefined) return [{ type: "problem", text: PASSWORD_RULE }];
        change.questions.push({ what: "again", typed });
        break;
      }
      case "again": {
        const { typed: password } = question;
        if (preparePassword(text, true) !== password) {
          change.questions = [{ what: "new" }];
          return [{ type: "problem", text: "The two are not the same; type a new password again" }];
        }
        const salt = this.#parts.passwords!.crypto.randomBytes(SALT_BYTES);
        change.next = this.#derive({ password, salt, rounds });
      }
    }
    change.questions.shift();
    return this.#sendIfReady(change, now);
  }

  /** Takes what a password was hashed to. */
  derived(derivation: Derivation, saltedPassword: Uint8Array, now: number): Fact[] {
    const change = this.#change;
    const hashed = [change?.present, change?.next].find((it) => it?.derivation === derivation);
    if (!change || !hashed) return [];
    const { keys, passwords } = this.#parts;
    hashed.keys = keys.add(derivation, saltedPassword, passwords!.crypto);
    hashed.derivation = undefined;
    return this.#sendIfReady(change, now);
  }

  /** Takes the server's answer; undefined when there was none in time. */
  answered(packet: AccountPacket, answer: Answer | undefined, now: number): Fact[] {
    this.#open--;
    const change = this.#change;
    if (!change) return [];
    if (answer?.type === "CHALLENGE") {
      const passedOn = whyPassedOn(answer.address, this.#parts.passwords!.whereabouts?.());
      if (passedOn !== undefined) return this.#end([{ type: "distrusted", text: passedOn }]);
      return change.challenge ? this.#challengedAgain(change, answer, now) : this.#challenged(change, answer);
    }
    if (answer?.type === "REPLY") return this.#replied(change, answer);
    if (!change.challenge && answer) return this.#fail(`${UNASKED}: ${whyNot(answer)}`);
    if (answer?.type !== "ERROR") {
      const wasSent = "sealed" in packet || "proof" in packet;
      return this.#fail(
        wasSent
          ? "The server has not answered: nobody knows whether it was done. Try again when it answers"
          : `${UNASKED}: the server has not answered`,
      );
    }
    if (answer.code === "wrong-password" && change.challenge && isSalted(change.challenge)) {
      this.#parts.keys.remove(change.challenge);
    }
    return this.#fail(`Nothing was changed: ${reasonOf(answer)}`);
  }

  /** Takes what a change takes: then the user can be asked. */
  #challenged(change: Change, challenge: Challenge): Fact[] {
    const { name } = change;
    if (isSalted(challenge) && change.change === "register") {
      return this.#fail(`${UNASKED}: the name ${name} is registered already; /password changes its password`);
    }
    if (!isSalted(challenge) && change.change !== "register") {
      return this.#fail(`${UNASKED}: the name ${name} is not registered; /register does that`);
    }
    const problem = roundsProblem(challenge);
    if (problem !== undefined) return this.#fail(`${UNASKED}. ${problem}`);
    change.challenge = challenge;
    if (change.change === "unregister") return this.#beforeGivingUp(name);
    return [{ type: "notice", text: "Just Enter changes nothing" }];
  }

  /** What follows when a name is protected no more. */
  #beforeGivingUp(name: string): Fact[] {
    const lost = this.#parts.self.isOperator ? ", you are no operator then" : "";
    const text =
      `Anybody may take the name ${name} then${lost}, and where only registered names are let in you are out`;
    return [{ type: "notice", text: `${text}; just Enter changes nothing` }];
  }

  /** The nonce or the key of before is gone, because its time was over or the server was started anew. */
  #challengedAgain(change: Change, challenge: Challenge, now: number): Fact[] {
    // the answer to what was sent is lost, and a new server knows only the outcome
    if (change.next && challenge.salt === toHex(change.next.salt)) {
      if (!change.present) return this.#done(change, `The name ${change.name} is yours now`);
      // whoever has opened what was sent knows the salt, but has not shown that it knew the present password
      return this.#fail(
        "The answer is lost, and nobody knows whether the password was changed: see by which one you can sign in",
      );
    }
    const { salt, rounds } = change.challenge!;
    if (challenge.salt !== salt || challenge.rounds !== rounds) {
      return this.#fail("The password was changed by somebody else meanwhile; try again");
    }
    change.challenge = challenge;
    return this.#sendIfReady(change, now);
  }

  #sendIfReady(change: Change, now: number): Fact[] {
    const { present, next, challenge, name } = change;
    const isHashed = [present, next].every((it) => it === undefined || it.keys !== undefined);
    if (change.questions.length > 0 || !isHashed) return [];
    const { token, name: nameNow } = this.#parts.self, out = this.#parts.whyOut();
    if (out !== undefined) return this.#fail(out);
    if (nameNow !== name) return this.#fail("You have another name by now, so nothing was changed");
    if (++change.sends > MAX_SENDS) return this.#fail("The server asks again and again; nothing was changed");
    const { crypto } = this.#parts.passwords!;
    let part: { key: string; sealed: string } | undefined;
    if (next) {
      const packed = packKeys(next.salt, storedKeysOf(next.keys!, crypto));
      const context = { info: "udp-chat register", additional: `${token} ${name}` };
      const sealed = challenge!.key === undefined ? undefined : seal(packed, fromHex(challenge!.key), context, crypto);
      if (!sealed) {
        return this.#fail("The server's key is not one that a password could be sealed for; nothing was sent");
      }
      part = { key: toHex(sealed.key), sealed: toHex(sealed.sealed) };
    }
    const purpose = this.#purpose(challenge!, part);
    const proven = present && isSalted(challenge!)
      ? prove(present.keys!, challenge, { name, purpose }, crypto)
      : undefined;
    // to who has no password yet the server proves that it has opened the new one
    change.verifier = proven?.verifier ?? (next && toHex(serverSignature(next.keys!, purpose, crypto)));
    const { proof } = proven ?? {};
    this.#ask(part ? { type: "REGISTER", ...part, ...proof } : { type: "UNREGISTER", ...proof }, now);
    return [];
  }

  /** What the proof is for. */
  #purpose({ address }: Challenge, part: { key: string; sealed: string } | undefined): string {
    const { token } = this.#parts.self;
    return part ? `register ${token} ${address} ${part.key} ${part.sealed}` : `unregister ${token} ${address}`;
  }

  #derive(derivation: Derivation): Hashed {
    this.#parts.passwords!.derive(derivation);
    return { salt: derivation.salt, derivation };
  }

  #ask(packet: AccountPacket, now: number): void {
    this.#open++;
    this.#parts.transactions.begin({ ask: "account", packet }, now);
  }

  /** Takes the server's word that it is done, if it shows that it knows the password. */
  #replied(change: Change, { text, verifier }: Extract<Answer, { type: "REPLY" }>): Fact[] {
    const { name, next } = change;
    if (verifier !== undefined && verifier === change.verifier) return this.#done(change, text);
    const advice = next ? "; do not use the new one elsewhere" : "";
    return this.#end([{
      type: "distrusted",
      text: `This server does not know the password of ${name}${advice}. Left`,
    }]);
  }

  #done({ change, name }: Change, text: string): Fact[] {
    this.#parts.keys.noteProtected(name, change !== "unregister");
    const lines = [...text].slice(0, MAX_REPLY_CHARACTERS).join("").split("\n").map(printable);
    return this.#end(lines.filter((line) => line !== "").map((text) => ({ type: "notice", text })));
  }

  #fail(text: string): Fact[] {
    return this.#end(failed(text));
  }

  #end(facts: Fact[]): Fact[] {
    this.#change = undefined;
    return facts;
  }
}

/** Why the server does not even say what a change takes. */
function whyNot(answer: Answer): string {
  if (answer.type !== "ERROR") return "the server's answer is not one to this";
  return answer.code === "no-accounts"
    ? "this server registers no names, as it was started without --state"
    : reasonOf(answer);
}

function failed(text: string): Fact[] {
  return [{ type: "problem", text }, { type: "shortfall", what: "unanswered", count: 1 }];
}
