/** The bundles: each is one file without imports, and runs where nothing can be fetched. */
import { assert, assertEquals, assertMatch, assertNotMatch, assertThrows } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { Failure } from "../../runtime/program.ts";
import { withoutImports } from "../../scripts/bundle.ts";
import { messagesOf, start } from "../../scripts/support/processes.ts";

/** Longer than it takes to fetch the bundler and to build, in milliseconds. */
const BUILD_MS = 120_000;

Deno.test("bundle: a module that is built into Deno is loaded without an import", () => {
  const script = `// a comment on import("node:x")
import { isIP } from "node:net";
import process2 from "node:process";
import { lookup as find, a } from "node:dns/promises";
const late = await import("node:sqlite");
console.log("import nothing");
`;
  assertEquals(
    withoutImports(script.replace('// a comment on import("node:x")\n', "")),
    `const { isIP } = globalThis.process.getBuiltinModule("node:net");
const process2 = globalThis.process.getBuiltinModule("node:process");
const { lookup: find, a } = globalThis.process.getBuiltinModule("node:dns/promises");
const late = await Promise.resolve(globalThis.process.getBuiltinModule("node:sqlite"));
console.log("import nothing");
`,
  );
});

Deno.test("bundle: any other import is refused", () => {
  for (
    const line of [
      'import { x } from "jsr:@std/x";',
      'import "./x.js";',
      'export { x } from "./x.js";',
      'import * as x from "node:x";',
      '  const x = await import("./x.js");',
      "const x = await import(name);",
    ]
  ) {
    assertThrows(() => withoutImports(`const a = 1;\n${line}\n`), Failure, "still has an import");
  }
});

/** Builds the bundles into a folder; returns the reason where this machine can't. */
async function build(folder: string): Promise<string | undefined> {
  await using program = start([Deno.execPath(), "run", "-A", "scripts/bundle.ts", "--output", folder]);
  const code = await program.exitCode(BUILD_MS);
  const [, reason] = /was not built: (Deno's bundler.*)/.exec(program.stderr.text()) ?? [];
  if (reason !== undefined) {
    assertMatch(program.stderr.text(), /^[^\n]+\n$/);
    assertEquals(code, 1);
    return reason;
  }
  assertEquals([code, program.stderr.text()], [0, ""]);
  return undefined;
}

/** Opens a network without a connection to any other, until it is disposed of; or returns the reason why it can't. */
async function openIsland() {
  if (Deno.build.os !== "linux") return "a network can be cut off on Linux only";
  if (Deno.uid() !== 0) return "to cut off the network takes root";
  const holder = start(["unshare", "-n", "sh", "-c", "ip link set lo up && echo open && exec cat"]);
  try {
    await holder.stdout.until("open\n");
  } catch {
    await holder[Symbol.asyncDispose]();
    return `this system does not let the network be cut off: ${holder.stderr.text().trim()}`;
  }
  return {
    inside: (command: string[]) => ["nsenter", "-t", String(holder.pid), "-n", ...command],
    [Symbol.asyncDispose]: () => holder[Symbol.asyncDispose](),
  };
}

Deno.test("bundle: it runs from any folder, without a network and without a cache of Deno", async () => {
  const folder = await Deno.makeTempDir({ prefix: "udp-chat-" });
  try {
    const reason = await build(folder);
    if (reason !== undefined) return console.log(`Skipped: ${reason}`);
    for (const program of ["server", "client"]) {
      const script = await Deno.readTextFile(`${folder}/udp-chat-${program}.js`);
      assertNotMatch(script, /^\s*import\b|\bimport\(|\brequire\(/m);
      assert(script.startsWith(`// udp-chat-${program} ${config.version}. Start it with: deno run -A --unstable-net `));
    }
    const island = await openIsland();
    if (typeof island === "string") return console.log(`Skipped in part: ${island}`);
    await using _ = island;
    const bundled = (program: string, ...args: string[]) => {
      const deno = [Deno.execPath(), "run", "-A", "--unstable-net", `udp-chat-${program}.js`, ...args];
      return start(island.inside(["env", "-C", folder, `DENO_DIR=${folder}/cache`, ...deno]));
    };

    // the network is cut off: nothing can be fetched
    const registry = `await import("npm:deno-std@1.4.0")`;
    const fetching = island.inside([
      "env",
      "-C",
      folder,
      `DENO_DIR=${folder}/cache`,
      Deno.execPath(),
      "eval",
      registry,
    ]);
    await using fetcher = start(fetching);
    assertEquals(await fetcher.exitCode(), 1);

    await using version = bundled("client", "--version");
    assertEquals(await version.exitCode(), 0, version.stderr.text());
    assertMatch(
      version.stdout.text(),
      new RegExp(`^udp-chat client ${config.version.replaceAll(".", "\\.")} \\(Deno `),
    );

    await using server = bundled("server", "0", "--verbose", "--state", `${folder}/room.db`);
    const [, port] = await server.stdout.until(/^ {2}deno run -A --unstable-net udp-chat-client\.js \S+ (\d+)\n/m);
    await using bob = bundled("client", "localhost", port);
    await server.stdout.until(/^Client .* connected/m);
    await using alice = bundled("client", "--name", "Alice", "127.0.0.1", port);
    await alice.type("from a stick\n");
    await bob.stdout.until(/^<From 127\.0\.0\.1:\d+:Alice>: from a stick\n/m);
    for (const client of [alice, bob]) {
      await client.endInput();
      assertEquals(await client.exitCode(), 0, client.stderr.text());
      assertEquals(messagesOf(client).length, 1);
    }
    server.kill("SIGTERM");
    assertEquals(await server.exitCode(), 0);
    assertEquals(server.stderr.text(), "");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
