/**
 * Builds both programs as self-contained executables: `deno task compile`.
 *
 * @module
 */
import { format as formatBytes } from "@std/fmt/bytes";
import { join } from "node:path";
import { readCommandLine } from "../runtime/command_line.ts";
import { run, UsageError } from "../runtime/program.ts";
import {
  BuildError,
  DIST,
  explained,
  type Fetched,
  openFolder,
  type Program,
  PROGRAMS,
  removePartsOf,
  runDeno,
  writeChecksums,
} from "./programs.ts";

/** The targets that `deno compile` supports. */
const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-pc-windows-msvc",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
];

const HELP = `Builds the server and the client as executables, with their SHA-256 sums.

Usage: deno task compile [--target TARGET | --all] [--output FOLDER]

  --target TARGET  for another system than this one:
                   ${TARGETS.join("\n                   ")}
  --all            for each of them
  --output FOLDER  where to put them (${DIST})
  --help           this text

Where Deno's own site can't be reached, DENORT_BIN names the runtime (denort) to use; it must be of the same version as
this Deno, and of the target.`;

/** Deno's runtime, which is a part of each executable and which Deno fetches from its own site. */
const RUNTIME: Fetched = {
  pattern: /denort/,
  advice: "Deno's runtime for it can't be fetched. Is there a network? Otherwise set DENORT_BIN to the denort of " +
    `Deno ${Deno.version.deno}`,
};

/** The folder for a program, and the target to build it for. */
interface Destination {
  /** The folder as the command line names it. */
  output: string;
  /** The same folder as an absolute path. */
  folder: string;
  /** Undefined for this machine. */
  target?: string;
}

/**
 * Builds one program.
 *
 * @throws {Failure} with one line that says why it was not built.
 */
async function compile({ name, entry, permissions }: Program, { output, folder, target }: Destination): Promise<void> {
  const isWindows = (target ?? Deno.build.target).includes("windows");
  const file = `${name}${target ? `-${target}` : ""}${isWindows ? ".exe" : ""}`;
  const shown = `${output}/${file}`;
  const startedAt = performance.now();
  console.log(`Building ${shown}`);
  // without --no-prompt a program that lacks a permission would ask the user for it
  const flags = ["--check", "--unstable-net", "--no-prompt", ...permissions, ...(target ? ["--target", target] : [])];
  try {
    await runDeno(["compile", ...flags, "--output", join(folder, file), entry]);
  } catch (error) {
    await removePartsOf(folder, file);
    throw error instanceof BuildError ? explained(shown, error, RUNTIME) : error;
  }
  const { size } = await Deno.stat(join(folder, file));
  console.log(`${shown}: ${formatBytes(size)} in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

if (import.meta.main) {
  await run(async () => {
    const read = readCommandLine(Deno.args, {
      string: ["target", "output"],
      boolean: ["all", "help"],
      default: { output: DIST },
      positional: 0,
    });
    if (read.help) return console.log(HELP);
    if (read.target !== undefined && read.all) throw new UsageError("--target and --all exclude each other");
    if (read.target !== undefined && !TARGETS.includes(read.target)) {
      throw new UsageError(`There is no target '${read.target}': ${TARGETS.join(", ")}`);
    }
    if (read.all && Deno.env.get("DENORT_BIN")) {
      throw new UsageError("DENORT_BIN is the runtime of one target: unset it for --all, or name that with --target");
    }
    const folder = await openFolder(read.output);
    for (const target of read.all ? TARGETS : [read.target]) {
      for (const program of PROGRAMS) await compile(program, { output: read.output, folder, target });
    }
    await writeChecksums(folder);
  });
}
