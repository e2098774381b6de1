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
    summary: "lets a member say nothing to all, for so long or until /unmute",
  },
  { names: ["unmute"], parameters: ["NAME"], summary: "lets it speak again" },
  { names: ["mutes"], parameters: [], summary: "lists who is muted, and for how long" },
  {
    names: ["ban"],
    parameters: ["NAME|ADDRESS[/PREFIX]"],
    optional: "MINUTES",
    summary: "keeps a name, or all with an IP address, out: for so long or until /unban",
  },
  {
    names: ["unban"],
    parameters: ["NAME|ADDRESS[/PREFIX]"],
    summary: "lets it in again, also before the minute of a kick is over",
  },
  { names: ["bans"], parameters: [], summary: "lists who is banned, and for how long" },
  {
    names: ["say"],
    parameters: ["TEXT"],
    summary: "says it to everyone in the server's name: [Server] Alice says: TEXT",
  },
  {
    names: ["lock"],
    parameters: [],
    summary: "lets nobody new in; who falls silent may come back, and operators come as ever",
  },
  { names: ["unlock"], parameters: [], summary: "ends that" },
];

/** The commands of operators. */
export const OPERATOR_COMMANDS: Command[] = ORDERS.map((order) => ({
  ...order,
  run: ({ session, now }, ...values) => session.order([order.names[0], ...values].join(" "), now),
}));
