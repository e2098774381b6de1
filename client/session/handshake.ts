/**
 * What the next greeting has in it: the name and the proof of its password, the token, and the cookie of the server.
 *
 * @module
 */
import type { V1Packet } from "../../protocol.ts";
import type { Login } from "./login.ts";
import type { Naming } from "./naming.ts";

/** How many cookies, or questions for a proof, in a row are each followed by another greeting at once. */
const MAX_RETRIES_IN_A_ROW = 4;

/** What a handshake is made with. */
export interface HandshakeParts {
  token: string;
  naming: Naming;
  login: Login;
}

/** How far the greetings of one client have come. */
export class Handshake {
  readonly #token: string;
  readonly #naming: Naming;
  readonly #login: Login;
  /** The cookie for the next greeting: the server has not validated this client's address yet. */
  #cookie: string | undefined;
  /** How many cookies, or questions for a proof, came in a row. */
  #retriesInARow = 0;
  #hasAnswered = false;

  constructor({ token, naming, login }: HandshakeParts) {
    this.#token = token;
    this.#naming = naming;
    this.#login = login;
  }

  /** Whether the server has ever answered a greeting, and so speaks version 1. Its first answer is a cookie. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /**
   * The greeting that is to be sent now.
   *
   * @param lost How much is lost of what the server sends, in percent; undefined for nothing.
   */
  greeting(id: number, lost: number | undefined): V1Packet {
    const name = this.#naming.greeted;
    this.#naming.noteGreeting(id);
    // whoever has not shown that it speaks version 1 does not get the token: it may hand it on to everybody
    const token = this.#hasAnswered ? this.#token : undefined;
    const loss = this.#hasAnswered ? lost : undefined;
    const greeting = { dialect: "v1", id, token, cookie: this.#cookie, loss } as const;
    return name === undefined
      ? { ...greeting, type: "GREETING" }
      : { ...greeting, type: "SIGN-IN", name, ...this.#login.proofFor(name) };
  }

  /** Takes the cookie with which the server wants to be greeted again. Returns whether to do so at once. */
  takeCookie(cookie: string): boolean {
    this.#hasAnswered = true;
    this.#cookie = cookie;
    // if the address changes with each datagram, no cookie is right: then the next greeting waits for its time
    return this.#countRetry();
  }

  /** Greets by a name for which there is a proof now. Returns whether to do so at once. */
  takeProof(name: string): boolean {
    // an answer to a greeting without this proof is out of date
    if (this.#naming.name === name) this.#naming.begin();
    else this.#naming.ask(name);
    return this.#countRetry();
  }

  /** Notes that the server has welcomed this client. */
  welcomed(): void {
    this.#cookie = undefined;
    this.forgetRetries();
  }

  /** Counts the cookies and questions anew. */
  forgetRetries(): void {
    this.#retriesInARow = 0;
  }

  /** Counts another one. Returns whether a greeting may follow at once. */
  #countRetry(): boolean {
    return ++this.#retriesInARow <= MAX_RETRIES_IN_A_ROW;
  }
}
