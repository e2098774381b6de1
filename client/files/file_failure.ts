/**
 * Why something could not be done with a file, in words.
 *
 * @module
 */
import type { FileProblem } from "./files.ts";

/** What is done with a file. */
export type Access = "read" | "write";

/** Something that could not be done with a file. Its message is one sentence for the user, without a full stop. */
export class FileFailure extends Error {
  override name = "FileFailure";
  readonly problem: FileProblem;

  constructor(problem: FileProblem, text: string) {
    super(text);
    this.problem = problem;
  }
}

/** Errors to which Deno gives no code, by their numbers: no room, a share that is used up, a file that is too large. */
const NUMBERS: Record<string, string | undefined> = Deno.build.os === "windows"
  ? { 39: "ENOSPC", 112: "ENOSPC", 1295: "EDQUOT", 223: "EFBIG" }
  : { 28: "ENOSPC", [Deno.build.os === "linux" ? 122 : 69]: "EDQUOT", 27: "EFBIG" };

/** Returns why the system, or Deno, refused something. */
export function failureOf(error: unknown, access: Access, path: string): FileFailure {
  if (error instanceof FileFailure) return error;
  if (error instanceof Deno.errors.NotCapable) {
    return missingPermission(error.message.includes("--allow-write") ? "write" : "read");
  }
  const { code, message = "" } = error as { code?: string; message?: string };
  switch (code ?? codeIn(message)) {
    case "ENOENT":
    case "ENOTDIR":
      return new FileFailure("not-found", `there is no file ${path}`);
    case "EISDIR":
      return new FileFailure("not-a-file", `${path} is a folder`);
    case "EACCES":
    case "EPERM":
      return new FileFailure("no-permission", `the system does not let you ${access} ${path}`);
    case "EROFS":
      return new FileFailure("no-permission", `${path} is on a disk that can only be read`);
    case "ENOSPC":
      return new FileFailure("disk-full", `the disk is full: make room for ${path}`);
    case "EDQUOT":
      return new FileFailure("disk-full", `your share of the disk is used up: make room for ${path}`);
    case "EFBIG":
      return new FileFailure("disk-full", `the disk takes no file as large as ${path}`);
  }
  // what follows is the call, and the path once more
  const [why] = message.split(" (os error");
  const done = access === "read" ? "read" : "written";
  return new FileFailure("failed", `${path} can't be ${done}: ${why || "for an unknown reason"}`);
}

function codeIn(message: string): string | undefined {
  return NUMBERS[/\(os error (\d+)\)/.exec(message)?.[1] ?? ""];
}

/** Checks that Deno was given a permission, without asking for it. */
export function demandPermission(access: Access, path: string): void {
  const { state } = Deno.permissions.querySync({ name: access, path });
  if (state !== "granted") throw missingPermission(access);
}

function missingPermission(access: Access): FileFailure {
  const flag = `--allow-${access}`;
  return new FileFailure(
    "no-permission",
    `Deno was not given the permission to ${access} files: start with ${flag} (or -A)`,
  );
}
