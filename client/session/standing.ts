/**
 * How a client stands with the server.
 *
 * @module
 */

/**
 * How a client stands with the server: `joining` until it has answered, `joined` from then on, `classic` with a server
 * that speaks that dialect only, `refused` when it does not take the client under this name.
 */
export type MembershipState = "joining" | "joined" | "classic" | "refused";

/** How a session stands: as its membership does, until it has `left`. */
export type SessionState = MembershipState | "left";
