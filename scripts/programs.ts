/**
 * The two programs as they are built: names, entry points, the permissions that each needs.
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

/** What is built. */
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
      // sendmmsg; the permission for one library takes its whole path, which is another on each system
      "--allow-ffi",
    ],
  },
  {
    name: "udp-chat-client",
    entry: "client.ts",
    permissions: [
      "--allow-net",
      // the node:readline of Deno 2.4 asks for it before it draws a prompt
      "--allow-env=TERM",
    ],
  },
];

/** The folder in which they are put, unless another one is asked for. */
export const DIST = "dist";

/** The project's folder. */
export const ROOT: string = resolve(import.meta.dirname!, "..");

/** The list of checksums, beside what they are of. */
const CHECKSUMS = "SHA256SUMS";

/** Something that kept a program from being built, in the words of Deno. */
export class BuildError extends Error {
  override name = "BuildError";
  /** The error and what caused it, the root last. */
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
 * @throws {BuildError} with what it says when it fails.
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

/** What matters in the report of a failed Deno: the error and its causes, a line each, without its stack. */
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

/** What Deno fetches from the network in order to build. */
export interface Fetched {
  /** In the message of an error when it can't be fetched. */
  pattern: RegExp;
  /** What to say then. */
  advice: string;
}

/** Why a program could not be built, with what to do about it. */
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
 * Makes the folder that programs are put into, below the project's where its path is not absolute, and removes the
 * checksums there: until {@linkcode writeChecksums} they would be those of other programs.
 */
export async function openFolder(name: string): Promise<string> {
  const folder = resolve(ROOT, name);
  await Deno.mkdir(folder, { recursive: true });
  await Deno.remove(join(folder, CHECKSUMS)).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  return folder;
}

/** Writes SHA256SUMS anew for all programs in a folder, as `sha256sum --check` reads it. */
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

/** In the name under which Deno writes an executable before it is whole. */
const PARTIAL = ".tmp-";

/** Removes what Deno has left of an executable that it could not finish. */
export async function removePartsOf(folder: string, file: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (name.startsWith(`${file}${PARTIAL}`)) await Deno.remove(join(folder, name));
  }
}
