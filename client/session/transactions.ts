/**
 * Transactions with the server: each is a request that is repeated until it is answered or its time is up.
 *
 * @module
 */
import type { V1Packet } from "../../protocol.ts";
import type { RoundTrip } from "../../protocol/reliable/round_trip.ts";

/** A packet that can answer a request. */
export type Answer = Extract<V1Packet, { type: "USERS" | "PEER" | "ERROR" }>;

/** A request, and what is done with its answer. */
export interface Transaction {
  /** Makes the packet of the request; the answer carries the same id. */
  packet: (id: number) => V1Packet;
  answered: (answer: Answer, now: number) => void;
  /** No answer came within {@linkcode ANSWER_DEADLINE_MS}. */
  failed?: (now: number) => void;
}

interface OpenTransaction extends Transaction {
  id: number;
  /** How many times the request was sent. */
  times: number;
  /** When it is sent again, and when it fails, in milliseconds. */
  dueAt: number;
  deadline: number;
}

/** How long an answer is waited for, in milliseconds. */
export const ANSWER_DEADLINE_MS = 5000;

/** The requests that have no answer yet. */
export class Transactions {
  readonly #roundTrip: RoundTrip;
  readonly #send: (packet: V1Packet) => void;
  readonly #open = new Map<number, OpenTransaction>();
  #id: number;

  /** @param firstId Where the ids begin; random by default, so that an outsider can't forge an answer. */
  constructor(
    roundTrip: RoundTrip,
    send: (packet: V1Packet) => void,
    firstId: number = crypto.getRandomValues(new Uint32Array(1))[0],
  ) {
    this.#roundTrip = roundTrip;
    this.#send = send;
    this.#id = firstId;
  }

  /** How many requests have no answer yet. */
  get size(): number {
    return this.#open.size;
  }

  /** When {@linkcode wake} is to be called, in milliseconds; undefined for never. */
  get nextWake(): number | undefined {
    if (this.#open.size === 0) return undefined;
    return Math.min(...[...this.#open.values()].map(({ dueAt, deadline }) => Math.min(dueAt, deadline)));
  }

  /** Sends a request. */
  begin(transaction: Transaction, now: number): void {
    const id = ++this.#id;
    this.#open.set(id, { ...transaction, id, times: 0, dueAt: now, deadline: now + ANSWER_DEADLINE_MS });
    this.wake(now);
  }

  /** Takes an answer; returns whether it belongs to an open request. */
  answer(answer: Answer, now: number): boolean {
    const transaction = answer.id === undefined ? undefined : this.#open.get(answer.id);
    if (!transaction) return false;
    this.#open.delete(transaction.id);
    transaction.answered(answer, now);
    return true;
  }

  /** Repeats what is due, and gives up what has had no answer in time. */
  wake(now: number): void {
    for (const transaction of [...this.#open.values()]) {
      if (transaction.deadline <= now) {
        this.#open.delete(transaction.id);
        transaction.failed?.(now);
      } else if (transaction.dueAt <= now) {
        transaction.dueAt = now + this.#roundTrip.timeout(++transaction.times);
        this.#send(transaction.packet(transaction.id));
      }
    }
  }
}
