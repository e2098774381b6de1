/**
 * What both programs do with their command line: flags, exit codes, `--version`.
 *
 * @module
 */
import { type Args, parseArgs, type ParseOptions } from "@std/cli/parse-args";
import config from "../deno.json" with { type: "json" };

/** Something that was asked for wrongly: one line, then exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Something that failed: one line, then exit code 1. */
export class Failure extends Error {
  override name = "Failure";
}

/** How a program wants its command line read. */
export interface CommandLine extends Pick<ParseOptions, "boolean" | "string" | "negatable" | "alias" | "default"> {
  /** Flags of one dash and several letters, as the assignments have them, and what they stand for. */
  singleDash?: Record<string, string>;
  /** The most arguments that are no flags. */
  positional: number;
}

/**
 * Reads flags and arguments.
 *
 * @throws {UsageError} for a flag that the program does not have, a flag without its value or with one that it does not
 *   take, or too many arguments.
 */
export function readCommandLine(args: string[], { singleDash = {}, positional, ...options }: CommandLine): Args {
  const read = parseArgs(spelledOut(args, { "-h": "--help", ...singleDash }, options), {
    ...options,
    string: ["_", ...(options.string ?? [])],
    unknown(arg, key) {
      if (key !== undefined) throw new UsageError(`There is no flag ${arg}; --help lists them`);
    },
  });
  for (const key of options.string ?? []) {
    if (read[key] === "") throw new UsageError(`--${key} takes a value`);
  }
  if (read._.length > positional) throw oneTooMany(read._[positional]);
  return read;
}

/** What to tell someone who gave more arguments than are taken. */
export function oneTooMany(argument: string | number): UsageError {
  return new UsageError(`'${argument}' is one argument too many; --help shows what is taken`);
}

/** The arguments in the forms in which the parser understands each as it is meant. */
function spelledOut(
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
    // the parser would take "--quiet=no" and "--quiet false" for something else than what they say
    if (withoutValue.includes(flag) && (value.length > 0 || /^(true|false)$/.test(args[i + 1]))) {
      throw new UsageError(`${flag} takes no value`);
    }
    // and a negative number for a flag of its own
    if (withValue.includes(flag) && value.length === 0 && /^-\d/.test(args[i + 1])) value.push(args[++i]);
    result.push([flag, ...value].join("="));
  }
  return result;
}

/**
 * The port in a text.
 *
 * @throws {UsageError} where it is none.
 */
export function parsePort(text: string, lowest = 1): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(port >= lowest && port <= 65_535)) {
    throw new UsageError(`'${text}' is no port: give a number from ${lowest} to 65535`);
  }
  return port;
}

/**
 * The whole number that a flag was given, or undefined where it was not.
 *
 * @param unit What the number counts, for the message.
 * @throws {UsageError} where it is none, or out of range.
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

/** What a person types to start one of the two programs, in the form in which this one was started. */
export function startedBy(program: "server" | "client"): string {
  if (Deno.build.standalone) {
    // as the file is called that was downloaded, with the system in its name or not
    const [own] = /[^/\\]+$/.exec(Deno.execPath()) ?? [""];
    const other = own.replace(/server|client/, program);
    return Deno.build.os === "windows" ? `.\\${other}` : `./${other}`;
  }
  if (import.meta.url.startsWith("https:")) return `deno run -A --unstable-net jsr:${config.name}/${program}`;
  if (import.meta.url.endsWith(".js")) return `deno run -A --unstable-net udp-chat-${program}.js`;
  return `deno run -A ${program}.ts`;
}

/** The line that `--version` prints: the program, the Deno that runs it, and the machine that it is for. */
export function versionLine(program: string): string {
  return `${program} ${config.version} (Deno ${Deno.version.deno}, ${Deno.build.target})`;
}

/**
 * Opens a UDP socket.
 *
 * @throws {UsageError} when the runtime was started without what UDP needs.
 */
export function openSocket(hostname: string, port: number): Deno.DatagramConn {
  if (typeof Deno.listenDatagram !== "function") {
    throw new UsageError("UDP is not switched on in this Deno: add --unstable-net behind 'deno run'");
  }
  return Deno.listenDatagram({ transport: "udp", hostname, port });
}

/** Runs a program to its end, and turns what it throws, also from a timer, into one line and an exit code. */
export async function run(main: () => Promise<void>): Promise<never> {
  const fail = (error: unknown): never => {
    const [line, code] = explain(error);
    try {
      console.error(line);
    } catch {
      // nobody can read it: the exit code has to do
    }
    Deno.exit(code);
  };
  globalThis.addEventListener("error", ({ error }) => fail(error));
  globalThis.addEventListener("unhandledrejection", ({ reason }) => fail(reason));
  try {
    await main();
  } catch (error) {
    fail(error);
  }
  Deno.exit(0);
}

/** What a person needs to know of an error, and the exit code. */
function explain(error: unknown): [string, number] {
  if (error instanceof UsageError) return [error.message, 2];
  if (error instanceof Failure) return [error.message, 1];
  if (error instanceof Deno.errors.NotCapable) {
    const flag = /--allow-[a-z]+/.exec(error.message)?.[0] ?? "-A";
    return [`Deno was not given the permission for that: add ${flag} (or -A for all) behind 'deno run'`, 2];
  }
  return [`Failed: ${error instanceof Error ? error.message : error}`, 1];
}
