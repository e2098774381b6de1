/**
 * Questions to the server, each asked again until it is answered or it is too late.
 *
 * @module
 */
import type { V1Packet } from "../../protocol.ts";
import type { RoundTrip } from "../../protocol/reliable/round_trip.ts";

/** What can be the answer to a question. */
export type Answer = Extract<V1Packet, { type: "USERS" | "PEER" | "ERROR" }>;

/** A question and what is done with its answer. */
export interface Question {
  /** The packet that asks, with an id by which its answer is known. */
  packet: (id: number) => V1Packet;
  answered: (answer: Answer, now: number) => void;
  /** There was no answer in time. */
  failed?: (now: number) => void;
}

interface Open extends Question {
  id: number;
  times: number;
  dueAt: number;
  giveUpAt: number;
}

/** How long an answer is waited for, in milliseconds. */
export const ANSWER_DEADLINE_MS = 5000;

/** The questions that are open. */
export class Questions {
  readonly #roundTrip: RoundTrip;
  readonly #send: (packet: V1Packet) => void;
  readonly #open = new Map<number, Open>();
  #id: number;

  /** @param firstId Where the ids begin; random unless told otherwise, so that nobody elsewhere can forge an answer. */
  constructor(
    roundTrip: RoundTrip,
    send: (packet: V1Packet) => void,
    firstId: number = crypto.getRandomValues(new Uint32Array(1))[0],
  ) {
    this.#roundTrip = roundTrip;
    this.#send = send;
    this.#id = firstId;
  }

  /** How many questions have no answer yet. */
  get size(): number {
    return this.#open.size;
  }

  get nextWake(): number | undefined {
    if (this.#open.size === 0) return undefined;
    return Math.min(...[...this.#open.values()].map(({ dueAt, giveUpAt }) => Math.min(dueAt, giveUpAt)));
  }

  ask(question: Question, now: number): void {
    const id = ++this.#id;
    this.#open.set(id, { ...question, id, times: 0, dueAt: now, giveUpAt: now + ANSWER_DEADLINE_MS });
    this.wake(now);
  }

  /** Takes an answer; returns whether anybody had asked. */
  answer(answer: Answer, now: number): boolean {
    const question = answer.id === undefined ? undefined : this.#open.get(answer.id);
    if (!question) return false;
    this.#open.delete(question.id);
    question.answered(answer, now);
    return true;
  }

  wake(now: number): void {
    for (const question of [...this.#open.values()]) {
      if (question.giveUpAt <= now) {
        this.#open.delete(question.id);
        question.failed?.(now);
      } else if (question.dueAt <= now) {
        question.dueAt = now + this.#roundTrip.timeout(++question.times);
        this.#send(question.packet(question.id));
      }
    }
  }
}
