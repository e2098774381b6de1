/**
 * What every program does: its errors and exit codes, its version, how it is started.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };

/** The user has asked for something wrongly: the program prints the message and exits with 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Something has failed while the program ran: it prints the message and exits with 1. */
export class Failure extends Error {
  override name = "Failure";
}

/** What a person types to start the server or the client, in the form in which this program was started. */
export function startCommand(program: "server" | "client"): string {
  if (Deno.build.standalone) {
    // a downloaded file may have the system in its name, or another name
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
 * Runs a program to its end and exits: with 0, or with one line on standard error and 2 for a {@linkcode UsageError},
 * 1 for any other. What a timer or a forgotten promise throws ends the program in the same way.
 */
export async function run(main: () => Promise<void>): Promise<never> {
  const fail = (error: unknown): never => {
    const [line, code] = describeError(error);
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

/** The line that tells a person about an error, and the exit code. */
function describeError(error: unknown): [string, number] {
  if (error instanceof UsageError) return [error.message, 2];
  if (error instanceof Failure) return [error.message, 1];
  if (error instanceof Deno.errors.NotCapable) {
    const flag = /--allow-[a-z]+/.exec(error.message)?.[0] ?? "-A";
    return [`Deno was not given the permission for that: add ${flag} (or -A for all) behind 'deno run'`, 2];
  }
  return [`Failed: ${error instanceof Error ? error.message : error}`, 1];
}
