/**
 * The flags of the client for files: where they go, and what a script does with one.
 *
 * @module
 */
import { printable } from "../protocol/text.ts";
import { type Args, parseNumber } from "../runtime/command_line.ts";
import { UsageError } from "../runtime/program.ts";
import type { Task } from "./errand.ts";
import { demandPermission, FileFailure } from "./files/file_failure.ts";
import { readName } from "./given_name.ts";

/** What is asked with files. */
export interface FileOptions {
  /** The folder that they come to, as it was typed. */
  folder: string;
  /** What is to be done without anybody who types. */
  task?: Task;
}

/** What is said of `--send -`. */
const NO_INPUT = "a file; standard input can't be sent";

/** The flags, and the kinds of their values. Each is read as all the values that it was given. */
export const FILE_FLAGS = {
  string: ["downloads", "send", "to", "wait", "receive", "from"],
  boolean: ["keep"],
  /** What is said of one that is given without its value; `-` is no value either. */
  values: { send: NO_INPUT },
};

/** What flags are good for only beside another one. */
const BESIDE: Record<string, string> = { to: "send", wait: "send", from: "receive", keep: "receive" };
/** How long a member may be away to which something is sent, in seconds. */
const DEFAULT_WAIT = 10, MAX_WAIT = 86_400;

/**
 * Reads the flags for files, and looks whether the file or the folder is there.
 *
 * @throws {UsageError} for what can't be meant, and for a file or folder that can't be used.
 */
export function readFileFlags(args: Args): FileOptions {
  const read = onlyValues(args);
  const isGiven = (flag: string) => read[flag] !== undefined && read[flag] !== false;
  const given = [...FILE_FLAGS.string, ...FILE_FLAGS.boolean].filter(isGiven);
  if (read.tcp && given.length > 0) {
    throw new UsageError(`--${given[0]} is for UDP; with --tcp nobody hands over files`);
  }
  if (isGiven("send") && isGiven("receive")) throw new UsageError("--send and --receive exclude each other");
  for (const [flag, other] of Object.entries(BESIDE)) {
    if (isGiven(flag) && !isGiven(other)) {
      throw new UsageError(`--${flag} is only for --${other}`);
    }
  }
  if (isGiven("downloads") && (isGiven("send") || isGiven("receive"))) {
    throw new UsageError("--downloads is for a chat; with --receive DIR files go to that folder");
  }
  const to = readName(read.to), from = readName(read.from);
  const wait = parseNumber(read, "wait", 0, MAX_WAIT, "seconds") ?? DEFAULT_WAIT;
  if (isGiven("send")) {
    if (to === undefined) throw new UsageError("--send needs --to NAME, the member who is to get the file");
    if (read.send === "-") throw new UsageError(`--send takes ${NO_INPUT}`);
    checkFile(read.send);
    return { folder: ".", task: { send: { to, path: read.send, wait: wait * 1000 } } };
  }
  if (isGiven("receive")) {
    if (from === undefined) throw new UsageError("--receive needs --from NAME, the member whose files are taken");
    checkFolder(read.receive);
    return { folder: read.receive, task: { receive: { from, keep: read.keep } } };
  }
  if (isGiven("downloads")) checkFolder(read.downloads);
  return { folder: read.downloads ?? "." };
}

/** Takes the one value that each flag was given. */
function onlyValues(args: Args): Args {
  const read = { ...args };
  for (const flag of FILE_FLAGS.string) {
    const [value, another] = args[flag];
    if (another !== undefined) throw new UsageError(`--${flag} is given twice, and taken once`);
    read[flag] = value;
  }
  return read;
}

/**
 * What a folder is called for people: the working folder by its path, where Deno may tell that without asking the user.
 */
export function shownFolder(folder: string): string {
  if (folder !== ".") return printable(folder);
  const { state } = Deno.permissions.querySync({ name: "read", path: "." });
  try {
    return state === "granted" ? printable(Deno.cwd()) : "this folder";
  } catch {
    // it was removed
    return "this folder";
  }
}

/** Checks that a file can be read. */
function checkFile(path: string): void {
  const { isFile, isDirectory } = look(path, "file");
  if (isDirectory) throw new UsageError(`${quoted(path)} is a folder; --send takes a file`);
  // a pipe could let this wait for ever
  if (!isFile) throw new UsageError(`${quoted(path)} is no regular file`);
  try {
    Deno.openSync(path).close();
  } catch (error) {
    throw new UsageError(unreadable(path, error));
  }
}

/** Checks that there is a folder, and that files may be written there. */
function checkFolder(path: string): void {
  if (!look(path, "folder").isDirectory) throw new UsageError(`${quoted(path)} is no folder`);
  demand("write", path);
}

/** Looks at what is there. */
function look(path: string, what: string): Deno.FileInfo {
  demand("read", path);
  try {
    return Deno.statSync(path);
  } catch (error) {
    throw new UsageError(
      error instanceof Deno.errors.NotFound ? `There is no ${what} ${quoted(path)}` : unreadable(path, error),
    );
  }
}

/** Checks that Deno was given a permission, without asking the user for it. */
function demand(name: "read" | "write", path: string): void {
  try {
    demandPermission(name, path);
  } catch (error) {
    throw error instanceof FileFailure ? new UsageError(error.message) : error;
  }
}

function unreadable(path: string, error: unknown): string {
  if (error instanceof Deno.errors.PermissionDenied) return `${quoted(path)} can't be read: the system forbids it`;
  const why = error instanceof Error ? error.message.replace(/ \(os error \d+\).*$/, "") : String(error);
  return `${quoted(path)} can't be read: ${printable(why)}`;
}

function quoted(path: string): string {
  return `'${printable(path)}'`;
}
