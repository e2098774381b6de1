/**
 * The first lines of the server's output: where it listens, and what others type to join. What `--verbose` and the state
 * file add to them is in server.ts.
 *
 * @module
 */
import { formatAddress } from "../protocol/fields.ts";
import { isWildcard } from "../runtime/own_addresses.ts";
import { startCommand } from "../runtime/program.ts";
import { joinHosts } from "./join_addresses.ts";

/**
 * Returns the lines, in order.
 *
 * @param host The host as the user gave it.
 * @param address The address that the socket is bound to.
 * @param tcpPort The port of TCP, if the server listens there too.
 * @param isForMembersOnly Whether nobody gets in without a name that is registered.
 */
export function announcement(
  host: string,
  { hostname, port }: Deno.NetAddr,
  tcpPort?: number,
  isForMembersOnly = false,
): string[] {
  const addresses = joinHosts(hostname, host);
  if (addresses.length === 0) addresses.push("127.0.0.1");
  const isLocal = isWildcard(hostname)
    ? addresses[0] === "127.0.0.1"
    : hostname.startsWith("127.") || hostname === "::1";
  return [
    "Server Initialized...",
    `Listening on ${formatAddress({ hostname: host, port })}`,
    `To join from this ${isLocal ? "machine" : "network"}, type:`,
    ...addresses.map((address) =>
      `  ${startCommand("client")} ${isForMembersOnly ? "-u NAME " : ""}${address} ${port}`
    ),
    ...(tcpPort === undefined ? [] : ["or, with nothing of udp-chat (then type a line; /help lists the commands):"]),
    ...(tcpPort === undefined ? [] : addresses.map((address) => `  nc ${address} ${tcpPort}`)),
  ];
}
