/**
 * Names on the command line.
 *
 * @module
 */
import { reservedBecause } from "../protocol/look_alikes.ts";
import { NAME_RULE, normalizeName } from "../protocol/names.ts";
import { UsageError } from "../runtime/program.ts";

/**
 * Reads the value of a flag that takes a name; undefined if it was not given.
 *
 * @throws {UsageError} if nobody can have that name.
 */
export function readName(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const name = normalizeName(text);
  const problem = name === undefined ? NAME_RULE : reservedBecause(name);
  if (problem !== undefined) throw new UsageError(problem);
  return name;
}
