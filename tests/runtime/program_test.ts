/** Exit codes, and the line that tells why. */
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { Failure, run, UsageError, versionLine } from "../../runtime/program.ts";

Deno.test("program: the version names the program, its number, the runtime and the machine", () => {
  const line = versionLine("udp-chat server");
  assertMatch(line, /^udp-chat server \d+\.\d+\.\d+ \(Deno \d+\.\d+\.\d+.*, .+\)$/);
  assertStringIncludes(line, config.version);
  assertStringIncludes(line, Deno.build.target);
});

/** Runs a program to its end, without ending this one; `write` is what takes its standard error. */
async function ends(
  main: () => Promise<void>,
  write: (line: string) => void = () => {},
): Promise<{ code: number; lines: string[] }> {
  const { exit } = Deno, { error } = console, { addEventListener } = globalThis;
  const lines: string[] = [];
  class Exit extends Error {
    constructor(readonly code = 0) {
      super();
    }
  }
  try {
    Deno.exit = (code) => {
      throw new Exit(code);
    };
    console.error = (line: string) => (lines.push(line), write(line));
    globalThis.addEventListener = () => {};
    const ended = await assertRejects(() => run(main), Exit);
    return { code: ended.code, lines };
  } finally {
    Deno.exit = exit;
    console.error = error;
    globalThis.addEventListener = addEventListener;
  }
}

Deno.test("run: exit code 0 at the end, 2 for a usage error, 1 for another error, each with one line", async () => {
  assertEquals(await ends(() => Promise.resolve()), { code: 0, lines: [] });
  assertEquals(await ends(() => Promise.reject(new UsageError("no such flag"))), { code: 2, lines: ["no such flag"] });
  assertEquals(await ends(() => Promise.reject(new Failure("no server"))), { code: 1, lines: ["no server"] });
  const unknown = await ends(() => Promise.reject(new TypeError("oh")));
  assertEquals([unknown.code, unknown.lines.length], [1, 1]);
  assertStringIncludes(unknown.lines[0], "oh");
});

Deno.test("run: the exit code is the same where standard error can't be written", async () => {
  const { code } = await ends(() => Promise.reject(new UsageError("no such flag")), () => {
    throw new Error("No space left on device");
  });
  assertEquals(code, 2);
});

Deno.test("run: a permission that is missing is named", async () => {
  const error = new Deno.errors.NotCapable(
    'Requires net access to "0.0.0.0:9090", run again with the --allow-net flag',
  );
  const { code, lines: [line] } = await ends(() => Promise.reject(error));
  assertEquals(code, 2);
  assertStringIncludes(line, "--allow-net");
  assert(!line.includes("\n"));
});
