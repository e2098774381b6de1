/**
 * The flag that says whether the server listens on TCP too, and on which port.
 *
 * @module
 */
import { type Args, parsePort } from "../runtime/command_line.ts";
import { openTcpDoor, type TcpDoor } from "./doors/tcp.ts";

/** A port of its own, none at all, or undefined for that of UDP. */
export type TcpChoice = number | "off" | undefined;

/** @throws {UsageError} if the value is neither a port nor `off`. */
export function parseTcp(read: Args): TcpChoice {
  if (read.tcp === undefined) return undefined;
  return read.tcp.toLowerCase() === "off" ? "off" : parsePort(read.tcp, 0);
}

/** Opens the TCP door as the flag says. If it can't be opened, returns why, as one line: UDP goes on. */
export function openChosenTcp(choice: TcpChoice, host: string, udpPort: number): { door?: TcpDoor; problem?: string } {
  if (choice === "off") return {};
  const opened = openTcpDoor(host, choice ?? udpPort);
  return typeof opened === "string" ? { problem: opened } : { door: opened };
}
