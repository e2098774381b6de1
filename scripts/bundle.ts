/**
 * Builds each program as one small JavaScript file that needs nothing but Deno: `deno task bundle`.
 *
 * @module
 */
import { format as formatBytes } from "@std/fmt/bytes";
import { readCommandLine, run } from "../command_line.ts";
import { DIST, PROGRAMS, ROOT, runDeno, writeChecksums } from "./programs.ts";

if (import.meta.main) {
  await run(async () => {
    readCommandLine(Deno.args, { positional: 0 });
    await Deno.mkdir(`${ROOT}${DIST}`, { recursive: true });
    for (const { name, entry } of PROGRAMS) {
      const file = `${DIST}/${name}.js`;
      await runDeno(["bundle", "--platform", "deno", "--output", file, entry]);
      console.log(`${file}: ${formatBytes((await Deno.stat(`${ROOT}${file}`)).size)}`);
    }
    await writeChecksums();
  });
}
