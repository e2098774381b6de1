/**
 * The commands of those that keep order. The server carries them out, and refuses them to others.
 *
 * @module
 */
import type { Command } from "./command.ts";

/** How each is typed, and what help shows. The words are those of the server. */
const ORDERS: Omit<Command, "run">[] = [
  {
    names: ["kick"],
    parameters: ["NAME"],
    optional: "REASON",
    summary: "tells a member to go; it may come back after a minute",
  },
  {
    names: ["mute"],
    parameters: ["NAME"],
    optional: "MINUTES",
    summary: "what the member says to all is not said, for so long or until /unmute",
  },
  { names: ["unmute"], parameters: ["NAME"], summary: "ends that" },
  {
    names: ["ban"],
    parameters: ["NAME|ADDRESS[/PREFIX]"],
    optional: "MINUTES",
    summary: "lets nobody in with the name, or from the IP addresses, for so long or until /unban",
  },
  { names: ["unban"], parameters: ["NAME|ADDRESS[/PREFIX]"], summary: "ends that" },
  { names: ["bans"], parameters: [], summary: "lists the bans, and how long they last" },
  { names: ["say"], parameters: ["TEXT"], summary: "says it to everyone in the server's name: [Server] TEXT" },
  { names: ["lock"], parameters: [], summary: "lets no newcomers in" },
  { names: ["unlock"], parameters: [], summary: "lets them in again" },
];

/** The commands of operators. */
export const OPERATOR_COMMANDS: Command[] = ORDERS.map((order) => ({
  ...order,
  run: ({ session, now }, ...values) => session.order([order.names[0], ...values].join(" "), now),
}));
