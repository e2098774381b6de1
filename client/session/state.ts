/**
 * The states of a membership and of a session.
 *
 * @module
 */

/**
 * `joining` until this client is a member, and again when the server no longer answers; `joined` while it is a member;
 * `classic` with a server that speaks that dialect only; `refused` when the server does not take it under this name;
 * `challenged` while the user is asked for the password of the name, without which it is no member; `expelled` when the
 * server has told it to go.
 */
export type MembershipState = "joining" | "joined" | "classic" | "refused" | "challenged" | "expelled";

/** The state of the membership, or `closed` when the session has ended. */
export type SessionState = MembershipState | "closed";

/** A client that is a member. */
export interface Joined {
  is: "joined";
  /** What the server refuses this client all the same; empty if nothing. */
  refusal: string;
  /** Whether somebody has said that the server goes away. If it has, the next greeting has no answer. */
  isClosing: boolean;
}

/** A client that is no member, and what belongs to that. */
export interface Outside {
  is: "joining" | "refused" | "challenged" | "expelled";
  /** Why the server refuses this client; empty if it has not refused it. */
  refusal: string;
  /** Whether the user has been told that there is no answer. */
  toldSilent: boolean;
  /** Whether the server has said that it goes away, and has gone. */
  hasClosed: boolean;
}

/** A client that has not joined yet. */
export const OUTSIDE: Outside = { is: "joining", refusal: "", toldSilent: false, hasClosed: false };
