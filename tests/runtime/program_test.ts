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
  write: (bytes: Uint8Array) => Promise<number> = ({ length }) => Promise.resolve(length),
): Promise<{ code: number; lines: string[] }> {
  const { exit } = Deno, { addEventListener } = globalThis, writeError = Deno.stderr.write;
  let written = "";
  class Exit extends Error {
    constructor(readonly code = 0) {
      super();
    }
  }
  try {
    Deno.exit = (code) => {
      throw new Exit(code);
    };
    Deno.stderr.write = (bytes) => {
      written += new TextDecoder().decode(bytes);
      return write(bytes);
    };
    globalThis.addEventListener = () => {};
    const ended = await assertRejects(() => run(main), Exit);
    return { code: ended.code, lines: written.split("\n").slice(0, -1) };
  } finally {
    Deno.exit = exit;
    Deno.stderr.write = writeError;
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
  const full = () => Promise.reject(new Error("No space left on device"));
  const { code } = await ends(() => Promise.reject(new UsageError("no such flag")), full);
  assertEquals(code, 2);
});

Deno.test("run: a standard error that nobody reads delays the exit by a second, no more", async () => {
  const never = Promise.withResolvers<number>();
  const startedAt = performance.now();
  const { code, lines } = await ends(() => Promise.reject(new Failure("no server")), () => never.promise);
  assertEquals([code, lines], [1, ["no server"]]);
  assert(performance.now() - startedAt >= 990);
  // what comes after it must not wait for it
  never.resolve(10);
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
