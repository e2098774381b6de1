/** The notes of a release, from the changelog. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { notesOf } from "../../scripts/release_notes.ts";
import { start } from "../../scripts/support/processes.ts";

const CHANGELOG = `# Changelog

## [Unreleased]

## [0.10.0] - 2025-03-01

### Added

- Ten

## [0.1.0] - 2025-01-31

First

[0.10.0]: https://example.com/compare/v0.1.0...v0.10.0
[0.1.0]: https://example.com/tag/v0.1.0
`;

Deno.test("release notes: the whole section of the version, and no other section", () => {
  assertEquals(notesOf(CHANGELOG, "0.10.0"), "### Added\n\n- Ten");
  assertEquals(notesOf(CHANGELOG, "0.1.0"), "First");
  assertEquals(notesOf(CHANGELOG.replaceAll("\n", "\r\n"), "0.1.0"), "First");
  for (const version of ["0.1", "1.0.0", "Unreleased", ""]) assertEquals(notesOf(CHANGELOG, version), undefined);
});

Deno.test("release notes: the changelog has a section for the version in deno.json", async () => {
  const script = [Deno.execPath(), "run", "-A", "scripts/release_notes.ts"];
  const changelog = await Deno.readTextFile(new URL("../../CHANGELOG.md", import.meta.url));
  const notes = notesOf(changelog, config.version);
  assert(notes !== undefined);
  for (const args of [[], [config.version], [`v${config.version}`]]) {
    await using program = start([...script, ...args]);
    assertEquals(await program.exitCode(), 0, program.stderr.text());
    assertEquals(program.stdout.text(), `${notes}\n`);
  }
  await using wrong = start([...script, "v999.0.0"]);
  assertEquals(await wrong.exitCode(), 2);
  assertMatch(wrong.stderr.text(), /^The version in deno\.json is .*, not 999\.0\.0: change it, or the tag\n$/);
});
