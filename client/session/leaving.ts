/**
 * How a session ends: when everything is delivered, when its user leaves, or because the server is not the right one.
 *
 * @module
 */
import type { Packet } from "../../protocol.ts";
import { earliestWake } from "../../protocol/earliest.ts";
import type { Detection } from "./detection.ts";
import type { Timed } from "./facts.ts";
import type { History } from "./history.ts";
import type { Peers } from "./peers.ts";
import type { Requests } from "./requests.ts";
import type { Send } from "./self.ts";
import { Shutdown } from "./shutdown.ts";
import type { Transfers } from "./transfers/transfers.ts";
import type { SessionState } from "./state.ts";
import type { Remainder, Tally } from "./tally.ts";

/** The parts that may have something to do yet, and what the goodbye is sent with. */
export interface LeavingParts {
  detection: Detection;
  requests: Requests;
  peers: Peers;
  transfers: Transfers;
  history: History;
  tally: Tally;
  send: Send;
}

/** The end of one session, and what it leaves undone. */
export class Leaving {
  readonly #parts: LeavingParts;
  readonly #shutdown = new Shutdown();

  constructor(parts: LeavingParts) {
    this.#parts = parts;
  }

  get state(): SessionState {
    return this.#shutdown.closed ? "closed" : this.#parts.detection.state;
  }

  /** How many messages wait to be sent or acknowledged. */
  get waiting(): number {
    const { detection, requests, peers } = this.#parts;
    return detection.waiting + requests.unsaid + peers.waiting;
  }

  /** Whether the session drains: no more messages are added, and those that wait are still delivered. */
  get draining(): boolean {
    return this.#shutdown.draining;
  }

  /** Whether the session is saying goodbye, or has said it. */
  get closing(): boolean {
    return this.#shutdown.closing;
  }

  /** Why a session that has ended did not do all that it was asked to; undefined when it did. */
  get failure(): string | undefined {
    return this.#shutdown.failure;
  }

  /** When something is due, in milliseconds: of these parts, or only the goodbye once it is being said. */
  nextWake(parts: readonly Timed[]): number | undefined {
    return this.closing ? this.#shutdown.nextWake : earliestWake([...parts, this.#shutdown]);
  }

  /** Begins to drain: the session leaves when everything has arrived, or after 10 s without progress. */
  drain(now: number): void {
    this.#shutdown.drain(now);
    this.closeIfDrained(now);
  }

  /** Leaves if the session drains, and has nothing left to do or can't go on. */
  closeIfDrained(now: number): void {
    if (!this.draining) return;
    const { detection, requests, peers, history, transfers } = this.#parts;
    const left = this.waiting + requests.size + transfers.openCount;
    this.#shutdown.noteProgress(Math.max(history.askedAt, peers.waitsSince, transfers.progressAt(now)));
    if (detection.v1.membership.login.isHashing) this.#shutdown.noteProgress(now);
    const isExpecting = detection.v1.backlog > 0;
    if (this.#shutdown.isDrained({ state: this.state, left, isExpecting }, now)) this.close(now);
  }

  /** Leaves at once. */
  close(now: number): void {
    if (this.closing) return;
    const isKnown = this.#parts.detection.v1.membership.hasAnswered && this.state !== "expelled";
    const failure = this.waiting > 0 || this.draining ? this.#parts.tally.describe(this.#remainder) : undefined;
    this.#close({ failure, isKnown }, now);
  }

  /** Leaves at once because something is wrong with the server. */
  fail(failure: string, now: number): void {
    this.#close({ failure, isKnown: true }, now);
  }

  #close(how: { failure: string | undefined; isKnown: boolean }, now: number): void {
    this.#shutdown.close(how, now);
    this.#parts.detection.v1.stop();
    this.sayGoodbye(now);
  }

  /** Notes progress that is not seen in what is left. */
  noteProgress(now: number): void {
    this.#shutdown.noteProgress(now);
  }

  /** Takes a packet from the server while the session is saying goodbye. */
  receive(packet: Packet): void {
    this.#shutdown.receive(packet, this.#parts.detection.v1.membership.self.token);
  }

  /** Says goodbye if it is time to. */
  sayGoodbye(now: number): void {
    const id = this.#shutdown.wake(now);
    if (id === undefined) return;
    const { detection, send } = this.#parts;
    send({ dialect: "v1", type: "LEAVE", id, token: detection.v1.membership.self.token });
  }

  /** What is still to be done. */
  get #remainder(): Remainder {
    const { detection: { v1, classic }, requests } = this.#parts;
    const { refusal, contact } = v1.membership;
    return {
      state: this.state,
      problem: refusal || contact.patience.problem,
      waiting: this.waiting,
      onTrial: classic.onTrial,
      unconfirmed: classic.unconfirmed,
      confirmed: classic.confirmed,
      asked: requests.size,
    };
  }
}
