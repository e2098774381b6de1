/**
 * The two programs as they are built: names, entry points, the permissions that each needs.
 *
 * @module
 */

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
    // the network; this machine's addresses, to show them; --state FILE; sendmmsg from the C library
    permissions: ["--allow-net", "--allow-sys=networkInterfaces", "--allow-read", "--allow-write", "--allow-ffi"],
  },
  { name: "udp-chat-client", entry: "client.ts", permissions: ["--allow-net"] },
];

/** Where they are built, below the project's folder. */
export const DIST = "dist";

/** The project's folder, as a path. */
export const ROOT: string = new URL("..", import.meta.url).pathname;

/** Something that kept a program from being built: one line for a person. */
export class BuildError extends Error {
  override name = "BuildError";
}

/**
 * Runs Deno on the project.
 *
 * @throws {BuildError} with the line that says why, when it fails.
 */
export async function runDeno(args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    stdout: "null",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).output();
  if (success) return;
  const lines = new TextDecoder().decode(stderr).split("\n").filter((line) => line.trim() !== "");
  const at = Math.max(0, lines.findIndex((line) => /error/i.test(line)));
  const causes = lines.slice(at, at + 8).filter((line) =>
    !/^\s*(at |Caused by:|Stack backtrace|\d+: <unknown>)/.test(line)
  );
  throw new BuildError(causes.map((line) => line.replace(/^\s*(error: |\d+: )?/, "").trim()).join(": "));
}

/** Writes dist/SHA256SUMS anew for all that has been built, as `sha256sum --check` reads it. */
export async function writeChecksums(): Promise<void> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(`${ROOT}${DIST}`)) {
    if (isFile && PROGRAMS.some((program) => name.startsWith(program.name))) names.push(name);
  }
  let sums = "";
  for (const name of names.sort()) {
    const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(`${ROOT}${DIST}/${name}`));
    const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
    sums += `${hex}  ${name}\n`;
  }
  await Deno.writeTextFile(`${ROOT}${DIST}/SHA256SUMS`, sums);
}
