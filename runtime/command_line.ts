/**
 * Reads a program's command line: flags, arguments, numbers, ports.
 *
 * @module
 */
import { type Args, parseArgs, type ParseOptions } from "@std/cli/parse-args";
import { UsageError } from "./program.ts";

export type { Args };

/** The flags and arguments that a program takes. */
export interface CommandLine
  extends Pick<ParseOptions, "boolean" | "string" | "negatable" | "alias" | "default" | "collect"> {
  /** Flags of one dash and several letters, as the assignments write them, and the flags that they stand for. */
  singleDash?: Record<string, string>;
  /** What flags take, for whoever gives one without its value: `a value` if it is not here. */
  values?: Record<string, string>;
  /** The most arguments that are not flags. */
  positional: number;
}

/**
 * Reads flags and arguments.
 *
 * @throws {UsageError} for an unknown flag, a flag without its value, a flag with a value that it does not take, or too
 *   many arguments.
 */
export function readCommandLine(
  args: string[],
  { singleDash = {}, values = {}, positional, ...options }: CommandLine,
): Args {
  const read = parseArgs(normalizeArguments(args, { "-h": "--help", ...singleDash }, options), {
    ...options,
    string: ["_", ...(options.string ?? [])],
    unknown(arg, key) {
      if (key !== undefined) throw new UsageError(`There is no flag ${arg}; --help lists them`);
    },
  });
  for (const key of options.string ?? []) {
    if ([read[key]].flat().includes("")) throw new UsageError(`--${key} takes ${values[key] ?? "a value"}`);
  }
  if (read._.length > positional) throw tooManyArguments(read._[positional]);
  return read;
}

/** Returns the error for more arguments than the program takes. */
export function tooManyArguments(argument: string | number): UsageError {
  return new UsageError(`'${argument}' is one argument too many; --help shows what is taken`);
}

/** Rewrites or refuses arguments that the parser would misread. */
function normalizeArguments(
  args: string[],
  singleDash: Record<string, string>,
  { string, boolean, negatable }: Pick<ParseOptions, "boolean" | "string" | "negatable">,
): string[] {
  const flags = (names: ParseOptions["boolean"], prefix = "--") => [names ?? []].flat().map((name) => prefix + name);
  const withValue = flags(string);
  const withoutValue = [...flags(boolean), ...flags(negatable, "--no-")];
  const result: string[] = [];
  for (let i = 0; i < args.length; i++) {
    if (args[i] === "--") return [...result, ...args.slice(i)];
    const [word, ...value] = args[i].split("=");
    const flag = Object.hasOwn(singleDash, word) ? singleDash[word] : word;
    // the parser would misread "--quiet=no" and "--quiet false"
    if (withoutValue.includes(flag) && (value.length > 0 || /^(true|false)$/.test(args[i + 1]))) {
      throw new UsageError(`${flag} takes no value`);
    }
    // the parser would read a negative number as a flag
    if (withValue.includes(flag) && value.length === 0 && /^-\d/.test(args[i + 1])) value.push(args[++i]);
    result.push([flag, ...value].join("="));
  }
  return result;
}

/**
 * Parses a port number.
 *
 * @throws {UsageError} if the text is not a number from `lowest` to 65535.
 */
export function parsePort(text: string, lowest = 1): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(port >= lowest && port <= 65_535)) {
    throw new UsageError(`'${text}' is no port: give a number from ${lowest} to 65535`);
  }
  return port;
}

/**
 * Returns the whole number that is the value of a flag, or undefined if the flag was not given.
 *
 * @param unit What the number counts, for the message.
 * @throws {UsageError} if the value is not a whole number, or out of range.
 */
export function parseNumber(
  read: Args,
  flag: string,
  lowest: number,
  highest: number,
  unit?: string,
): number | undefined {
  if (read[flag] === undefined) return undefined;
  const value = /^\d+$/.test(read[flag]) ? Number(read[flag]) : NaN;
  if (!(value >= lowest && value <= highest)) {
    throw new UsageError(`--${flag} takes a whole number${unit ? ` of ${unit}` : ""} from ${lowest} to ${highest}`);
  }
  return value;
}
