/**
 * What was answered to a member's last requests, so that one that is repeated is answered again and not done twice.
 *
 * @module
 */
import type { V1Packet } from "../../protocol.ts";
import { newKeyedHash } from "./keyed_hash.ts";

/** A request that changes something, so that it must not be done twice. */
type Request = Extract<V1Packet, { type: "REGISTER" | "UNREGISTER" | "COMMAND" }>;
type Answer = Extract<V1Packet, { type: "REPLY" | "ERROR" }>;

/** How many answers of each member are kept: a client asks a few things at a time. */
const MAX_ANSWERS = 8;

/** What a request is known by: all that stands in it, since somebody else who has the token could use the same id. */
const digestOf = newKeyedHash();

/** The last answers to one member. */
export class AnsweredRequests {
  readonly #answers = new Map<string, { to: Request["type"]; answer: Answer }>();
  /** The greatest ids of those whose answers are forgotten, by their types. */
  readonly #forgotten = new Map<Request["type"], number>();

  /** The answer to a request that was made before; undefined for a new one. */
  get(request: Request): Answer | undefined {
    return this.#answers.get(digestOf(JSON.stringify(request)))?.answer;
  }

  /**
   * Whether a request without an answer here may have been made before: its id is no greater than one that is
   * forgotten.
   */
  isOld({ type, id }: Request): boolean {
    return id <= (this.#forgotten.get(type) ?? -Infinity);
  }

  add(request: Request, answer: Answer): void {
    this.#answers.set(digestOf(JSON.stringify(request)), { to: request.type, answer });
    if (this.#answers.size <= MAX_ANSWERS) return;
    const [[oldest, { to, answer: { id = -Infinity } }]] = this.#answers;
    this.#answers.delete(oldest);
    this.#forgotten.set(to, Math.max(id, this.#forgotten.get(to) ?? -Infinity));
  }
}
