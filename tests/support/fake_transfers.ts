/**
 * Files of a session that are not handed over at all: it notes what it is asked to do.
 *
 * @module
 */
import type { TransferControl, TransferEnd, TransferState } from "../../client/session/transfers/transfer.ts";

/** Notes what is asked, and is what a test makes of it. */
export class FakeTransfers implements TransferControl {
  states: TransferState[] = [];
  ended: TransferEnd[] = [];
  /** What was asked: `accept 2`. */
  readonly asked: string[] = [];
  /** What {@linkcode offer} does beside noting it. */
  offers: (who: string, path: string) => void = () => {};

  offer(who: string, path: string, now: number, until?: number): void {
    this.asked.push(["offer", who, path, ...(until === undefined ? [] : [`${until - now} ms`])].join(" "));
    this.offers(who, path);
  }

  accept(number: number | undefined): void {
    this.#note("accept", number);
  }

  decline(number: number | undefined): void {
    this.#note("decline", number);
  }

  cancel(number: number | undefined): void {
    this.#note("cancel", number);
  }

  takeOnlyFrom(name: string): void {
    this.asked.push(`only from ${name}`);
  }

  list(): void {
    this.asked.push("list");
  }

  takeEnded(): TransferEnd[] {
    return this.ended.splice(0);
  }

  /** What was asked since the last call. */
  take(): string[] {
    return this.asked.splice(0);
  }

  #note(what: string, number: number | undefined): void {
    this.asked.push(number === undefined ? what : `${what} ${number}`);
  }
}

/** A file that is under way, or offered. */
export function transferState(fields: Partial<TransferState> = {}): TransferState {
  return {
    ...{ number: 1, direction: "in", peer: "Alice", file: "a.pdf", size: 100, state: "asked", done: 0 },
    isRelayed: false,
    ...fields,
  };
}

/** The end of a transfer: the whole file is here, or at the other member. */
export function transferEnd(fields: Partial<TransferEnd> = {}): TransferEnd {
  return { number: 1, direction: "in", peer: "Alice", file: "a.pdf", size: 100, took: 10, had: 0, ...fields };
}
