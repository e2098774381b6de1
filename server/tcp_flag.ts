/**
 * The flag that says whether the server listens on TCP too, and on which port.
 *
 * @module
 */
import type { Args } from "../runtime/command_line.ts";
import { UsageError } from "../runtime/program.ts";
import { openTcpDoor, type TcpDoor } from "./doors/tcp.ts";

/** A port of its own, none at all, or undefined for that of UDP. */
export type TcpChoice = number | "off" | undefined;

/** What the flag takes, for whoever gives it no value or a wrong one. */
export const TCP_VALUE = "a port from 0 to 65535, or off";

/** @throws {UsageError} if the value is neither a port nor `off`. */
export function parseTcp(read: Args): TcpChoice {
  if (read.tcp === undefined) return undefined;
  if (read.tcp.toLowerCase() === "off") return "off";
  const port = /^\d{1,5}$/.test(read.tcp) ? Number(read.tcp) : NaN;
  if (!(port <= 65_535)) throw new UsageError(`--tcp takes ${TCP_VALUE}`);
  return port;
}

/**
 * Opens the UDP door, and the TCP door as the flag says. If that can't be opened, returns why, as one line: UDP goes on.
 *
 * @param openUdp Opens the UDP door on a port. What it throws is thrown.
 */
export function openDoors<Udp extends { address: Deno.NetAddr }>(
  { host, port, tcp }: { host: string; port: number; tcp: TcpChoice },
  openUdp: (port: number) => Udp,
): { udp: Udp; tcp?: TcpDoor; problem?: string } {
  // a free port of UDP may well be taken for TCP, since each ended connection keeps one for a minute
  const first = port === 0 && tcp === undefined ? openTcpDoor(host, 0) : "";
  if (typeof first !== "string") {
    try {
      return { udp: openUdp(first.address.port), tcp: first };
    } catch {
      first.close();
    }
  }
  const udp = openUdp(port);
  if (tcp === "off") return { udp };
  const opened = openTcpDoor(host, tcp ?? udp.address.port);
  return typeof opened === "string" ? { udp, problem: opened } : { udp, tcp: opened };
}
