/**
 * Builds each program as one small JavaScript file that needs nothing but Deno: `deno task bundle`.
 *
 * @module
 */
import { format as formatBytes } from "@std/fmt/bytes";
import { join } from "node:path";
import config from "../deno.json" with { type: "json" };
import { readCommandLine } from "../runtime/command_line.ts";
import { Failure, run } from "../runtime/program.ts";
import {
  BuildError,
  DIST,
  explained,
  type Fetched,
  openFolder,
  type Program,
  PROGRAMS,
  runDeno,
  writeChecksums,
} from "./programs.ts";

const HELP = `Builds the server and the client as one JavaScript file each, with their SHA-256 sums.

Usage: deno task bundle [--output FOLDER]

  --output FOLDER  where to put them (${DIST})
  --help           this text

They are started with: deno run -A --unstable-net udp-chat-server.js`;

/** Deno's bundler, which Deno fetches from npm. */
const BUNDLER: Fetched = {
  pattern: /esbuild/,
  advice: "Deno's bundler, esbuild from npm, can't be fetched. Is there a network?",
};

/** Imports of modules that are built into Deno, in the form in which the bundler writes them. */
const STATIC_IMPORT = /^import (?:(\w+)|\{ ([^}]*) \}) from ("node:[\w/]+");$/mg;
const DYNAMIC_IMPORT = /\bimport\(("node:[\w/]+")\)/g;

/**
 * Replaces the imports of a script by calls of `process.getBuiltinModule`, which returns modules built into Deno.
 *
 * @throws {Failure} when the script has any other import, because it would not be self-contained.
 */
export function withoutImports(script: string): string {
  const builtIn = (name: string) => `globalThis.process.getBuiltinModule(${name})`;
  const result = script
    .replace(STATIC_IMPORT, (_, whole: string | undefined, parts: string, name: string) => {
      const binding = whole ?? `{ ${parts.replaceAll(" as ", ": ")} }`;
      return `const ${binding} = ${builtIn(name)};`;
    })
    .replace(DYNAMIC_IMPORT, (_, name: string) => `Promise.resolve(${builtIn(name)})`);
  const [remaining] = /^\s*(import\b|export\b.* from ).*$/m.exec(result) ?? /\bimport\(.*$/m.exec(result) ?? [];
  if (remaining !== undefined) throw new Failure(`The bundle still has an import: ${remaining.trim()}`);
  return result;
}

/** The comment at the top of a bundle, for someone who finds the file on a USB stick. */
function heading({ name }: Program): string {
  return `// ${name} ${config.version}. Start it with: deno run -A --unstable-net ${name}.js
// MIT license. Contains parts of the Deno standard library: copyright the Deno authors, MIT license.
`;
}

/**
 * Builds one program.
 *
 * @throws {Failure} with one line that says why it was not built.
 */
async function bundle(program: Program, output: string, folder: string): Promise<void> {
  const file = `${program.name}.js`;
  const path = join(folder, file);
  try {
    await runDeno(["bundle", "--platform", "deno", "--output", path, program.entry]);
  } catch (error) {
    throw error instanceof BuildError ? explained(`${output}/${file}`, error, BUNDLER) : error;
  }
  await Deno.writeTextFile(path, heading(program) + withoutImports(await Deno.readTextFile(path)));
  console.log(`${output}/${file}: ${formatBytes((await Deno.stat(path)).size)}`);
}

if (import.meta.main) {
  await run(async () => {
    const read = readCommandLine(Deno.args, {
      string: ["output"],
      boolean: ["help"],
      default: { output: DIST },
      positional: 0,
    });
    if (read.help) return console.log(HELP);
    const folder = await openFolder(read.output);
    for (const program of PROGRAMS) await bundle(program, read.output, folder);
    await writeChecksums(folder);
  });
}
