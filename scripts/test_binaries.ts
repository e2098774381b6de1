/**
 * Runs the whole-program tests against compiled programs: `deno task test-binaries`.
 *
 * The programs are copied to another folder and started there, with a PATH without Deno. So the tests fail when a
 * program needs something that exists only in the source folder or on a developer's machine.
 *
 * @module
 */
import { join, resolve } from "node:path";
import { readCommandLine } from "../runtime/command_line.ts";
import { Failure, run } from "../runtime/program.ts";
import { DIST, PROGRAMS, ROOT } from "./programs.ts";

const HELP = `Runs the tests of tests/programs/ against compiled programs.

Usage: deno task test-binaries [FOLDER]

  FOLDER  where 'deno task compile' has put them (${DIST})
  --help  this text`;

const TESTS = ["tests/programs", "tests/scripts/binaries_test.ts"];
/** What these say of a server, others say of a compiled one too: they are about programs in Python. */
const NOT_OF_BINARIES = ["tests/programs/python_clients_test.ts", "tests/programs/python_packets_test.ts"];
const IS_WINDOWS = Deno.build.os === "windows";

/**
 * Copies a program to a folder and returns the path of the file that starts it there.
 *
 * @throws {Failure} when the program has not been built.
 */
async function place(name: string, from: string, to: string): Promise<string> {
  const file = IS_WINDOWS ? `${name}.exe` : name;
  try {
    await Deno.copyFile(join(from, file), join(to, file));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Failure(`There is no ${join(from, file)}: build it with 'deno task compile'`);
  }
  if (IS_WINDOWS) return join(to, file);
  const starter = join(to, `start-${name}`);
  await Deno.writeTextFile(
    starter,
    `#!/bin/sh\ncd '${to}' && PATH='${to}' HOME='${to}' && export PATH HOME && unset DENO_DIR && exec './${file}' "$@"\n`,
    { mode: 0o755 },
  );
  return starter;
}

if (import.meta.main) {
  await run(async () => {
    const read = readCommandLine(Deno.args, { boolean: ["help"], positional: 1 });
    if (read.help) return console.log(HELP);
    const from = resolve(ROOT, String(read._[0] ?? DIST));
    const to = await Deno.makeTempDir({ prefix: "udp-chat-" });
    try {
      const env: Record<string, string> = {};
      for (const { name } of PROGRAMS) {
        env[name.replaceAll("-", "_").toUpperCase()] = await place(name, from, to);
      }
      // as in the task "test": newer versions of Deno look for leaks only when these variables are set
      Object.assign(env, { DENO_TEST_SANITIZE_OPS: "1", DENO_TEST_SANITIZE_RESOURCES: "1" });
      const args = ["test", "-A", "--parallel", `--ignore=${NOT_OF_BINARIES.join()}`, ...TESTS];
      const { success } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT, env }).spawn().status;
      if (!success) throw new Failure("The programs have failed their tests");
    } finally {
      await Deno.remove(to, { recursive: true });
    }
  });
}
