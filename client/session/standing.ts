/**
 * How a client stands with the server.
 *
 * @module
 */

/**
 * `joining` until the server has answered, `joined` from then on, `classic` with a server that speaks that dialect only,
 * `refused` when it does not take the client under this name.
 */
export type MembershipState = "joining" | "joined" | "classic" | "refused";

/** As the membership stands, until the session has `closed`. */
export type SessionState = MembershipState | "closed";
