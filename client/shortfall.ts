/**
 * Why a session that is at its end has not done all that it was asked to: one line for the user.
 *
 * @module
 */
import { count } from "../protocol/text.ts";
import type { SessionState } from "./session.ts";

/** How a session stands when it ends; the numbers are messages. */
export interface Standing {
  /** The server, as people know it. */
  server: string;
  state: SessionState;
  /** Why the server does not let this client in, where it doesn't. */
  refusal: string | undefined;
  /** Those that are not acknowledged. */
  waiting: number;
  /** Direct ones that did not arrive. */
  undelivered: number;
  /** Lines that were to be commands and are none. */
  misunderstood: number;
  /** Those of which a classic server does not say whether they arrived. */
  unconfirmed: number;
}

/** What was left undone, in words; undefined when nothing was. */
export function shortfall(standing: Standing): string | undefined {
  const { server, state, refusal, waiting, undelivered, misunderstood, unconfirmed } = standing;
  if (state === "refused") return refusal;
  if (state === "joining") {
    return `No answer from ${server}${waiting > 0 ? `; ${count(waiting, "message")} not delivered` : ""}`;
  }
  if (waiting > 0) return `${count(waiting, "message")} not delivered: the server has not confirmed in time`;
  if (undelivered > 0) return `${count(undelivered, "message")} not delivered`;
  if (misunderstood > 0) return `${count(misunderstood, "line")} not understood, and not sent`;
  if (unconfirmed > 0) {
    return `${count(unconfirmed, "message")} sent, but this classic server does not say whether they arrived`;
  }
  return undefined;
}
