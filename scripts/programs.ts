/**
 * The two programs that are built (names, entry points and permissions), and what compile.ts and bundle.ts share.
 *
 * @module
 */
import { join, resolve } from "node:path";
import { Failure } from "../runtime/program.ts";

/** A program that is built. */
export interface Program {
  name: string;
  entry: string;
  /** The narrowest permissions with which everything in `--help` works. */
  permissions: string[];
}

/** The programs that are built. */
export const PROGRAMS: Program[] = [
  {
    name: "udp-chat-server",
    entry: "server.ts",
    permissions: [
      "--allow-net",
      // this machine's addresses, to show them
      "--allow-sys=networkInterfaces",
      // --state FILE, wherever that is
      "--allow-read",
      "--allow-write",
      // sendmmsg; a permission for this library alone needs its full path, which differs between systems
      "--allow-ffi",
    ],
  },
  {
    name: "udp-chat-client",
    entry: "client.ts",
    permissions: [
      "--allow-net",
      // the node:readline of Deno 2.4 asks for TERM before it draws a prompt
      "--allow-env=TERM,UDP_CHAT_PASSWORD",
      // whether a server in this machine's own networks sees this client where it is
      "--allow-sys=networkInterfaces",
      // --password-file, and files that members hand to each other
      "--allow-read",
      "--allow-write",
    ],
  },
];

/** The folder for the built programs, unless the command line names another one. */
export const DIST = "dist";

/** The project's folder. */
export const ROOT: string = resolve(import.meta.dirname!, "..");

/** The file with the checksums, in the folder of the built programs. */
const CHECKSUMS = "SHA256SUMS";

/** The reason why Deno could not build a program, in Deno's words. */
export class BuildError extends Error {
  override name = "BuildError";
  /** The error and its causes; the root cause is the last. */
  readonly causes: string[];

  constructor(causes: string[]) {
    super(causes.join(": "));
    this.causes = causes;
  }
}

/**
 * Runs Deno on the project.
 *
 * @param args What follows `deno` on the command line.
 * @throws {BuildError} with Deno's own messages when it fails.
 */
export async function runDeno(args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    stdout: "null",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).output();
  if (!success) throw new BuildError(causesIn(new TextDecoder().decode(stderr)));
}

/** Finds the error and its causes in the output of a failed Deno: one line each, without the stack. */
export function causesIn(report: string): string[] {
  const [lines] = report.split("Stack backtrace:");
  const all = lines.split(/\r?\n/).filter((line) => line.trim() !== "");
  const first = Math.max(0, all.findIndex((line) => /^(\w+ )?(error\b|\[error\])/i.test(line.trim())));
  return all.slice(first)
    // these say what Deno was about to do, not what went wrong
    .filter((line) => !/^(Caused by:|\s+at )|Writing deno compile executable|Setting up base binary/.test(line))
    .slice(0, 8)
    .map((line) => line.replace(/^\s*(error(\[[^\]]*\])?: |\d+: )?/, "").trim());
}

/** Something that Deno fetches from the network to build a program. */
export interface Fetched {
  /** Matches the error message when the fetch fails. */
  pattern: RegExp;
  /** The advice to the user in this case. */
  advice: string;
}

/** Explains why a program could not be built and what to do about it. */
export function explained(file: string, { message, causes }: BuildError, { pattern, advice }: Fetched): Failure {
  const isOffline = /error sending request|failed to download/i.test(message);
  const because = /no space left|not enough space|os error (28|112)\b/i.test(message)
    ? "the disk is full: make room, or name another folder with --output"
    : isOffline && pattern.test(message)
    ? `${advice} (${causes.at(-1)})`
    : isOffline
    ? `what it imports can't be fetched: run 'sh scripts/setup.sh' where there is a network (${causes.at(-1)})`
    : message;
  return new Failure(`${file} was not built: ${because}`);
}

/**
 * Makes the folder for the built programs and returns its absolute path.
 *
 * A relative path is relative to the project's folder. The old checksums in the folder are removed, because they belong
 * to other programs until {@linkcode writeChecksums} writes new ones.
 */
export async function openFolder(name: string): Promise<string> {
  const folder = resolve(ROOT, name);
  await Deno.mkdir(folder, { recursive: true });
  await Deno.remove(join(folder, CHECKSUMS)).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  return folder;
}

/** Writes SHA256SUMS for all programs in a folder, in the format of `sha256sum --check`. */
export async function writeChecksums(folder: string): Promise<void> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    const isProgram = PROGRAMS.some((program) => name.startsWith(program.name));
    if (isFile && isProgram && !name.includes(PARTIAL)) names.push(name);
  }
  let sums = "";
  for (const name of names.sort()) {
    const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(join(folder, name)));
    const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
    sums += `${hex}  ${name}\n`;
  }
  await Deno.writeTextFile(join(folder, CHECKSUMS), sums);
}

/** A part of the name of an executable while Deno is still writing it. */
const PARTIAL = ".tmp-";

/** Removes the partial files of an executable that Deno could not finish. */
export async function removePartsOf(folder: string, file: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (name.startsWith(`${file}${PARTIAL}`)) await Deno.remove(join(folder, name));
  }
}
