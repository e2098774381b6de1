/**
 * What all programs share: errors and exit codes, the version, the start command.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import { FLUSH_MS, stderr, stdout } from "./output.ts";

/** The user has made a mistake: the program prints the message and exits with 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Something has failed while the program ran: the program prints the message and exits with 1. */
export class Failure extends Error {
  override name = "Failure";
}

/** Returns the command that starts the server or the client in the same way as this program was started. */
export function startCommand(program: "server" | "client"): string {
  if (Deno.build.standalone) {
    // the name of a downloaded file may contain the operating system, or the user may have changed it
    const [own] = /[^/\\]+$/.exec(Deno.execPath()) ?? [""];
    const other = own.replace(/server|client/, program);
    return Deno.build.os === "windows" ? `.\\${other}` : `./${other}`;
  }
  if (import.meta.url.startsWith("https:")) return `deno run -A --unstable-net jsr:${config.name}/${program}`;
  if (import.meta.url.endsWith(".js")) return `deno run -A --unstable-net udp-chat-${program}.js`;
  return `deno run -A ${program}.ts`;
}

/** Returns the line that `--version` prints: the program, its version, Deno's version, and the target platform. */
export function versionLine(program: string): string {
  return `${program} ${config.version} (Deno ${Deno.version.deno}, ${Deno.build.target})`;
}

/**
 * Runs a program to its end and exits with 0. On an error it prints one line on standard error and exits with 2 for a
 * {@linkcode UsageError} or a missing permission, and with 1 for any other error. An error that a timer or a forgotten
 * promise throws ends the program in the same way. Output that nobody reads delays the exit by 1 s at most.
 */
export async function run(main: () => Promise<void>): Promise<never> {
  let ending: Promise<never> | undefined;
  const fail = (error: unknown): Promise<never> => {
    // only the first error is told
    if (ending) return ending;
    const [line, code] = describeError(error);
    stderr.printLast(line);
    return ending = exit(code);
  };
  // the program itself ends after the line is written, so the runtime must not end it before
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    fail(event.error);
  });
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    fail(event.reason);
  });
  try {
    await main();
  } catch (error) {
    return fail(error);
  }
  return ending ?? exit(0);
}

/** Exits when what was printed is written, after 1 s at the latest. */
async function exit(code: number): Promise<never> {
  await Promise.all([stdout.flush(FLUSH_MS), stderr.flush(FLUSH_MS)]);
  Deno.exit(code);
}

/** Returns the line that tells the user about an error, and the exit code. */
function describeError(error: unknown): [string, number] {
  if (error instanceof UsageError) return [error.message, 2];
  if (error instanceof Failure) return [error.message, 1];
  if (error instanceof Deno.errors.NotCapable) {
    const flag = /--allow-[a-z]+/.exec(error.message)?.[0] ?? "-A";
    return [`Deno was not given the permission for that: add ${flag} (or -A for all) behind 'deno run'`, 2];
  }
  return [`Failed: ${error instanceof Error ? error.message : error}`, 1];
}
