/**
 * Builds both programs as self-contained executables: `deno task compile`.
 *
 * @module
 */
import { format as formatBytes } from "@std/fmt/bytes";
import { Failure, readCommandLine, run, UsageError } from "../command_line.ts";
import { BuildError, DIST, PROGRAMS, ROOT, runDeno, writeChecksums } from "./programs.ts";

/** What `deno compile` can build for. */
const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-pc-windows-msvc",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
];

const HELP = `Builds the server and the client as executables into ${DIST}/, with their SHA-256 sums.

Usage: deno task compile [--target TARGET | --all]

  --target TARGET  for another system than this one:
                   ${TARGETS.join("\n                   ")}
  --all            for each of them
  --help           this text

Where Deno's own site can't be reached, DENORT_BIN names the runtime (denort) of the same version of Deno to use.`;

/** Builds for one target, or for this machine when none is given. */
async function compileFor(target: string | undefined): Promise<void> {
  const isWindows = (target ?? Deno.build.target).includes("windows");
  for (const { name, entry, permissions } of PROGRAMS) {
    const file = `${DIST}/${name}${target ? `-${target}` : ""}${isWindows ? ".exe" : ""}`;
    const startedAt = performance.now();
    try {
      const forTarget = target ? ["--target", target] : [];
      await runDeno(["compile", "--check", "--unstable-net", ...permissions, ...forTarget, "--output", file, entry]);
    } catch (error) {
      await removePartsOf(file);
      if (!(error instanceof BuildError)) throw error;
      const isOffline = /error sending request|download|dl\.deno/i.test(error.message);
      throw new Failure(
        isOffline
          ? `${file} was not built: Deno's runtime for it can't be fetched. Is there a network? Otherwise set DENORT_BIN ` +
            "to the denort of this version of Deno"
          : `${file} was not built: ${error.message}`,
      );
    }
    const { size } = await Deno.stat(`${ROOT}${file}`);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    console.log(`${file}: ${formatBytes(size)} in ${seconds} s`);
  }
}

/** Deno writes an executable under another name first, and leaves that behind where it fails. */
async function removePartsOf(file: string): Promise<void> {
  for await (const { name } of Deno.readDir(`${ROOT}${DIST}`)) {
    if (`${DIST}/${name}`.startsWith(`${file}.tmp`)) await Deno.remove(`${ROOT}${DIST}/${name}`);
  }
}

if (import.meta.main) {
  await run(async () => {
    const read = readCommandLine(Deno.args, { string: ["target"], boolean: ["all", "help"], positional: 0 });
    if (read.help) return console.log(HELP);
    if (read.target !== undefined && read.all) throw new UsageError("--target and --all exclude each other");
    if (read.target !== undefined && !TARGETS.includes(read.target)) {
      throw new UsageError(`There is no target '${read.target}': ${TARGETS.join(", ")}`);
    }
    await Deno.mkdir(`${ROOT}${DIST}`, { recursive: true });
    for (const target of read.all ? TARGETS : [read.target]) await compileFor(target);
    await writeChecksums();
  });
}
