/**
 * The states of a membership and of a session.
 *
 * @module
 */

/**
 * `joining` until this client is a member, and again when the server no longer answers; `joined` while it is a member;
 * `classic` with a server that speaks that dialect only; `refused` when the server does not take it under this name;
 * `expelled` when the server has told it to go.
 */
export type MembershipState = "joining" | "joined" | "classic" | "refused" | "expelled";

/** The state of the membership, or `closed` when the session has ended. */
export type SessionState = MembershipState | "closed";
