/**
 * The contact with the server: greets it, and notices for how long it has not answered.
 *
 * @module
 */
import type { V1Packet } from "../../protocol.ts";
import type { LossEstimate } from "../../protocol/reliable/loss_estimate.ts";
import type { RoundTrip } from "../../protocol/reliable/round_trip.ts";
import { Greeter, type Hurry } from "./greeter.ts";
import type { Handshake } from "./handshake.ts";
import { Patience } from "./patience.ts";
import type { Self } from "./self.ts";
import type { Joined, Outside } from "./state.ts";

/** What a contact is made with. */
export interface ContactParts {
  /** The server, as the user gave it; for notices. */
  server: string;
  self: Pick<Self, "token">;
  handshake: Handshake;
  roundTrip: RoundTrip;
  loss: LossEstimate;
  send: (packet: V1Packet) => void;
}

/**
 * How late in a silence a packet that anybody could have sent must come, in milliseconds, for the server to be asked
 * something else too.
 */
const ASK_OTHERWISE_MS = 1000;

/** The greetings of one client, and the answers to them. */
export class Contact {
  readonly patience: Patience;
  readonly #greeter: Greeter;
  readonly #parts: ContactParts;

  constructor(parts: ContactParts) {
    this.#parts = parts;
    this.patience = new Patience(parts.server);
    this.#greeter = new Greeter(parts);
  }

  /** How many greetings were sent. */
  get greetings(): number {
    return this.#greeter.greetings;
  }

  /** When the next greeting is due, in milliseconds. */
  get greetsAt(): number | undefined {
    return this.#greeter.nextWake;
  }

  /** When a greeting is due, or the user is to be told of the silence, in milliseconds; undefined for never. */
  nextWake(state: Joined | Outside, isProving: boolean): number | undefined {
    const { nextWake, silentSince } = this.#greeter;
    if (nextWake === undefined || silentSince === undefined) return nextWake;
    return Math.min(nextWake, silentSince + this.patience.limit(state, silentSince, isProving));
  }

  /** For how long greetings have had no answer, in milliseconds. */
  silence(now: number): number {
    return now - (this.#greeter.silentSince ?? now);
  }

  /** Whether the server has been silent for so long that the user is told now. */
  isTooSilent(state: Joined | Outside, isProving: boolean, now: number): boolean {
    return this.silence(now) >= this.patience.limit(state, this.#greeter.silentSince, isProving);
  }

  /** Greets at once, and on with growing pauses until there is an answer. */
  start(now: number): void {
    this.#greeter.start(now);
    this.greetIfDue(now);
  }

  /** Begins to greet anew, as the server is there: the silence counts from the next greeting on. */
  greetAgain(now: number): void {
    this.#greeter.heard();
    this.#greetSoon(now);
  }

  /** Greets soon to find out whether the server is still there, if that is not being found out already. */
  suspect(now: number): void {
    if (this.#greeter.tries === 0) this.#greetSoon(now);
  }

  /** Makes the pauses around the next greetings shorter. */
  hurry(hurry: Hurry, now: number): void {
    this.#greeter.hurry(hurry, now);
  }

  /** Stops greeting. */
  stop(): void {
    this.#greeter.stop();
  }

  /** Greets if it is time to. */
  greetIfDue(now: number): void {
    const id = this.#greeter.wake(now);
    if (id === undefined) return;
    const { self: { token }, handshake, loss, send } = this.#parts;
    send(handshake.greeting(id, loss.percent));
    // if the server is there and only WELCOMEs are lost, this has an answer
    if (this.patience.claimedFor(this.#greeter.silentSince) >= ASK_OTHERWISE_MS) {
      send({ dialect: "v1", type: "LIST", id, token });
    }
  }

  /** Whether a packet belongs to one of the last greetings. */
  isRecent(id: number | undefined): boolean {
    return this.#greeter.isRecent(id);
  }

  /** Whether a greeting with this id was ever sent. */
  hasGreeted(id: number | undefined): boolean {
    return this.#greeter.hasSent(id);
  }

  /**
   * Takes an answer to greeting `id`.
   *
   * @param keepalive Milliseconds until the next greeting, as the server wants it; undefined for as long as before.
   * @returns When that greeting was sent, and for how long the server had not answered, in milliseconds; undefined if
   * it is out of date.
   */
  answered(
    id: number,
    keepalive: number | undefined,
    now: number,
  ): { askedAt: number; silence: number } | undefined {
    const silentSince = this.#greeter.silentSince ?? now;
    const askedAt = this.#greeter.answered(id, keepalive, now);
    return askedAt === undefined ? undefined : { askedAt, silence: now - Math.min(silentSince, askedAt) };
  }

  /** Takes note of another packet of the server: it is there, although greetings have had no answer. */
  heard(): void {
    this.#greeter.heard();
  }

  /** Notes that answers of the server are not taken for now: its silence begins with the next greeting. */
  noteDeaf(): void {
    this.#greeter.forgetSilence();
  }

  #greetSoon(now: number): void {
    this.#greeter.startAgain(now);
    this.greetIfDue(now);
  }
}
