/**
 * Transactions with the server: each is a question that is repeated until it is answered or its time is up.
 *
 * @module
 */
import type { V1Packet } from "../../protocol.ts";
import { earliestWake } from "../../protocol/earliest.ts";
import { Retry } from "../../protocol/reliable/retry.ts";
import type { RoundTrip } from "../../protocol/reliable/round_trip.ts";
import type { Answer, Fact, Question, Timed } from "./facts.ts";
import { RequestIds } from "./request_ids.ts";
import type { Self } from "./self.ts";

/** A question that has no answer yet. */
interface OpenTransaction {
  id: number;
  question: Question;
  retry: Retry;
  /** When it fails, in milliseconds. */
  deadline: number;
  readonly nextWake: number;
}

/** How long an answer is waited for, in milliseconds. */
export const ANSWER_DEADLINE_MS = 5000;

/** The questions that have no answer yet. */
export class Transactions implements Timed {
  readonly #roundTrip: RoundTrip;
  readonly #self: Pick<Self, "token">;
  readonly #send: (packet: V1Packet) => void;
  readonly #open = new Map<number, OpenTransaction>();
  readonly #ids: RequestIds;

  constructor(
    roundTrip: RoundTrip,
    self: Pick<Self, "token">,
    send: (packet: V1Packet) => void,
    ids = new RequestIds(),
  ) {
    this.#roundTrip = roundTrip;
    this.#self = self;
    this.#send = send;
    this.#ids = ids;
  }

  /** How many questions have no answer yet. */
  get size(): number {
    return this.#open.size;
  }

  /** When {@linkcode wake} is to be called, in milliseconds; undefined for never. */
  get nextWake(): number | undefined {
    return earliestWake(this.#open.values());
  }

  /** Asks a question. */
  begin(question: Question, now: number): void {
    const id = this.#ids.next();
    const retry = new Retry(), deadline = now + ANSWER_DEADLINE_MS;
    retry.start(now);
    const open = {
      id,
      question,
      retry,
      deadline,
      get nextWake() {
        return Math.min(retry.dueAt!, deadline);
      },
    };
    this.#open.set(id, open);
    this.#sendIfDue(open, now);
  }

  /** Returns the question that an answer belongs to, which is answered then; undefined if there is none. */
  answer({ id }: Answer): Question | undefined {
    const transaction = id === undefined ? undefined : this.#open.get(id);
    if (transaction) this.#open.delete(transaction.id);
    return transaction?.question;
  }

  /** Whether a question with this id was ever asked. */
  hasAsked(id: number | undefined): boolean {
    return this.#ids.has(id);
  }

  /** Repeats what is due. Returns the questions that have had no answer in time, and are given up. */
  wake(now: number): Fact[] {
    const failed: Fact[] = [];
    for (const transaction of this.#open.values()) {
      if (transaction.deadline > now) {
        this.#sendIfDue(transaction, now);
        continue;
      }
      this.#open.delete(transaction.id);
      failed.push({ type: "unanswered", question: transaction.question });
    }
    return failed;
  }

  /** Gives up the questions of some kinds, or all; returns them as unanswered. */
  giveUp(isMeant: (question: Question) => boolean = () => true): Fact[] {
    const those = [...this.#open.values()].filter(({ question }) => isMeant(question));
    for (const { id } of those) this.#open.delete(id);
    return those.map(({ question }) => ({ type: "unanswered", question }));
  }

  #sendIfDue({ id, question, retry }: OpenTransaction, now: number): void {
    if (!retry.isDue(now)) return;
    retry.tried(now + this.#roundTrip.timeout(retry.times + 1));
    this.#send(packetOf(question, id, this.#self.token));
  }
}

function packetOf(question: Question, id: number, token: string): V1Packet {
  const head = { dialect: "v1", id, token } as const;
  switch (question.ask) {
    case "names":
      return { ...head, type: "LIST", after: question.after };
    case "whois":
    case "where":
    case "reach":
      return { ...head, type: "LOOKUP", ...question.who };
    case "order":
      return { ...head, type: "COMMAND", text: question.text };
    case "account":
      return { ...head, ...question.packet };
  }
}
