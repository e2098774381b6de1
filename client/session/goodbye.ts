/**
 * Saying goodbye: a few times, until the server has heard it or is taken to be gone.
 *
 * @module
 */

import type { Packet } from "../../protocol.ts";

/** How often goodbye is said, and the pause between, in milliseconds. */
const GOODBYES = 4;
const PAUSE_MS = 100;

/** The end of a session. */
export class Parting {
  readonly #say: (id: number) => void;
  #left = GOODBYES;
  #dueAt: number | undefined;
  #over = false;

  /** @param say Sends a goodbye with an id. */
  constructor(say: (id: number) => void) {
    this.#say = say;
  }

  /** Whether goodbye is being said. */
  get begun(): boolean {
    return this.#over || this.#dueAt !== undefined;
  }

  get over(): boolean {
    return this.#over;
  }

  get nextWake(): number | undefined {
    return this.#dueAt;
  }

  begin(now: number): void {
    if (this.begun) return;
    this.#dueAt = now;
    this.wake(now);
  }

  /** There is nobody to say goodbye to, or the goodbye was heard. */
  end(): void {
    this.#over = true;
    this.#dueAt = undefined;
  }

  /** Takes a packet from the server: only that the goodbye was heard is of interest any more. */
  receive(packet: Packet): void {
    const isHeard = packet.dialect === "v1" && packet.type === "ACK" && packet.stream === undefined;
    const isForgotten = packet.dialect === "v1" && packet.type === "ERROR" && packet.code === "not-joined";
    if (isHeard || isForgotten) this.end();
  }

  wake(now: number): void {
    if (this.#dueAt === undefined || this.#dueAt > now) return;
    if (this.#left === 0) return this.end();
    this.#say(this.#left--);
    this.#dueAt = now + PAUSE_MS;
  }
}
