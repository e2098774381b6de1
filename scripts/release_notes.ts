/**
 * Prints what CHANGELOG.md says of a version: `deno run -A scripts/release_notes.ts v0.1.0`.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import { readCommandLine } from "../runtime/command_line.ts";
import { Failure, run, UsageError } from "../runtime/program.ts";

const HELP = `Prints what CHANGELOG.md says of a version, for the page of its release.

Usage: deno run -A scripts/release_notes.ts [VERSION]

  VERSION  the version or its tag (v${config.version}); it must be the one in deno.json
  --help   this text`;

/**
 * Returns a version's section of a changelog in the format of Keep a Changelog, without the heading. Returns undefined
 * when the section is missing or empty.
 *
 * @example
 * ```ts
 * notesOf("# Changelog\n\n## [0.2.0] - 2025-01-31\n\n- Faster\n", "0.2.0"); // "- Faster"
 * ```
 */
export function notesOf(changelog: string, version: string): string | undefined {
  const sections = changelog.replaceAll("\r\n", "\n").split(/^## /m).slice(1);
  const heading = `[${version}] - `;
  const section = sections.find((section) => section.startsWith(heading));
  // the last section is followed by the link targets of all sections
  const text = section?.slice(section.indexOf("\n")).replace(/^\[[^\]]+\]: \S+$/mg, "").trim();
  return text || undefined;
}

if (import.meta.main) {
  await run(async () => {
    const read = readCommandLine(Deno.args, { boolean: ["help"], positional: 1 });
    if (read.help) return console.log(HELP);
    const version = String(read._[0] ?? config.version).replace(/^v/, "");
    if (version !== config.version) {
      throw new UsageError(`The version in deno.json is ${config.version}, not ${version}: change it, or the tag`);
    }
    const notes = notesOf(await Deno.readTextFile(new URL("../CHANGELOG.md", import.meta.url)), version);
    if (notes === undefined) throw new Failure(`CHANGELOG.md says nothing of ${version}: add "## [${version}] - DATE"`);
    console.log(notes);
  });
}
