/**
 * The lines in the body of an ONLINE, OFFLINE or RENAMED: one for each member.
 *
 * @module
 */
import { address, name } from "./fields.ts";
import type { Presence, Renamed } from "./packets.ts";

/** Writes a member: its address, its name, and the name that it had before. */
export function memberLine(member: Presence | Renamed): string {
  const { address, name } = member, before = "before" in member ? member.before : undefined;
  return [address, name, before].filter((part) => part !== undefined).join(" ");
}

/** Reads a member of an ONLINE or OFFLINE; undefined if the line is malformed. */
export function readPresence(line: string): Presence | undefined {
  const [where, ...who] = line.split(" "), read = address.read(where);
  if (read === undefined) return undefined;
  if (who.length === 0) return { address: read };
  const itsName = name.read(who.join(" "));
  return itsName === undefined ? undefined : { address: read, name: itsName };
}

/** Reads a member of a RENAMED; undefined if the line is malformed. */
export function readRenamed(line: string): Renamed | undefined {
  const [where, now = "", ...others] = line.split(" "), read = address.read(where), itsName = name.read(now);
  if (read === undefined || itsName === undefined) return undefined;
  if (others.length === 0) return { address: read, name: itsName };
  const before = name.read(others.join(" "));
  return before === undefined ? undefined : { address: read, name: itsName, before };
}
