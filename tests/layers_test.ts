/** The layers: which part of the project may import which, and that nothing goes in a circle. CONTRIBUTING.md says why. */
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../scripts/programs.ts";
import {
  COMPUTED,
  findCycles,
  findForbidden,
  graphOfLayers,
  type ImportGraph,
  type Layer,
  modulesIn,
  reachableFrom,
  readImportGraph,
  withoutComments,
} from "./support/import_graph.ts";

/** All that lies at the top of the project; hidden files are left out, and what git does not keep. */
const TOP_LEVEL = [
  ...["CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "PROTOCOL.md", "README.md", "SECURITY.md", "deno.json", "docs"],
  ...["client.ts", "protocol.ts", "server.ts", "client", "protocol", "runtime", "server", "scripts", "tests"],
];

const PROTOCOL = ["protocol.ts", "protocol/"];

const LAYERS: Layer[] = [
  { part: "protocol/", may: ["protocol/"] },
  { part: "protocol.ts", may: ["protocol/"] },
  {
    part: "runtime/",
    may: ["runtime/", "protocol/", "deno.json", "@std/cli/", "node:crypto", "node:dns/promises", "node:process"],
  },

  { part: "client/session/", may: ["client/session/", "client/files/files.ts", ...PROTOCOL] },
  { part: "client/files/", may: ["client/files/", ...PROTOCOL, "runtime/", "node:crypto", "node:path"] },
  {
    part: "client/terminal/",
    may: [
      ...["client/terminal/", "client/session/", ...PROTOCOL, "runtime/output.ts"],
      ...["@std/fmt/", "node:process", "node:readline", "node:stream"],
    ],
  },
  {
    part: "client/lines/",
    may: ["client/lines/", "client/session/shown.ts", "client/terminal/", "runtime/", ...PROTOCOL],
  },
  { part: "client/", may: ["client/", "runtime/", ...PROTOCOL] },
  { part: "client.ts", may: ["client/", "runtime/", ...PROTOCOL] },

  {
    part: "server/journal/",
    may: ["server/journal/", ...PROTOCOL, "runtime/program.ts", "runtime/sha256.ts", "node:sqlite"],
  },
  {
    part: "server/room/",
    may: [
      "server/room/",
      ...["server/journal/journal.ts", "server/journal/heartbeats.ts", "server/journal/past.ts"],
      ...[...PROTOCOL, "node:crypto"],
    ],
  },
  {
    part: "server/doors/",
    may: ["server/doors/", "server/room/delivery.ts", "server/room/peer.ts", "runtime/", ...PROTOCOL, "node:timers"],
  },
  { part: "server/", may: ["server/", "runtime/", ...PROTOCOL, "node:process", "node:readline"] },
  { part: "server.ts", may: ["server/", "runtime/", ...PROTOCOL] },

  {
    part: "scripts/",
    may: [
      ...["scripts/", "server/", "client/", "runtime/", ...PROTOCOL, "deno.json", "@std/", "fast-check"],
      ...["node:buffer", "node:dgram", "node:path", "node:process", COMPUTED],
    ],
  },
];

/** What runs in a browser too, or is tested in a network that exists in memory only. */
const PURE = [
  ...["protocol.ts", "protocol/", "client/session/", "client/files/files.ts", "client/lines/session.ts"],
  "server/room/",
];

const graph = await readImportGraph(ROOT, modulesIn(ROOT).filter((module) => !module.startsWith("tests/")));

Deno.test("layers: no module imports what its layer forbids, types included", () => {
  assertEquals(findForbidden(graph, LAYERS), []);
});

Deno.test("layers: no imports go in a circle, neither of files nor of layers", () => {
  assertEquals(findCycles(graph), []);
  assertEquals(findCycles(graphOfLayers(graph, LAYERS)), []);
});

Deno.test("layers: protocol, session and room reach nothing outside the project but a hash, by whatever way", () => {
  for (const part of PURE) {
    assertEquals(reachableFrom(graph, part).outside, part === "server/room/" ? ["node:crypto"] : [], part);
  }
});

Deno.test("layers: at the top of the project there is nothing else", async () => {
  const files = await filesInGit();
  // an archive of the sources has no git
  if (!files) return console.log("Skipped: git does not tell which files are the project's");
  const top = new Set(files.map((file) => file.split("/")[0]).filter((name) => !name.startsWith(".")));
  assertEquals([...top].sort(), TOP_LEVEL.toSorted());
});

/** The files that git keeps, or undefined where there is none. */
async function filesInGit(): Promise<string[] | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("git", { args: ["ls-files"], cwd: ROOT }).output();
    return success ? new TextDecoder().decode(stdout).trim().split("\n") : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

Deno.test("layers: each of them has modules, and the graph has its types", () => {
  for (const { part } of LAYERS) assert([...graph.keys()].some((module) => module.startsWith(part)), part);
  // of this one only a type is imported
  assert(graph.get("server/room/room.ts")!.includes("server/room/delivery.ts"));
});

/** What the type checker finds in modules, where the only globals are those of the language and a few of the web's. */
async function checkWithoutDeno(modules: string[]): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "udp-chat-" });
  try {
    const entry = join(folder, "all.ts");
    await Deno.writeTextFile(join(folder, "deno.json"), `{ "compilerOptions": { "lib": ["esnext"], "types": [] } }`);
    await Deno.writeTextFile(
      entry,
      `declare global {
        var TextEncoder: new () => {
          encode(text: string): Uint8Array<ArrayBuffer>;
          encodeInto(text: string, bytes: Uint8Array): { written: number };
        };
        var TextDecoder: new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }) =>
          { decode(bytes?: Uint8Array): string };
        var URL: new (url: string) => { hostname: string };
        var crypto: { getRandomValues<T>(array: T): T };
      }\n` + modules.map((module) => `import "${pathToFileURL(module)}";\n`).join(""),
    );
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", "--config", join(folder, "deno.json"), entry],
      env: { NO_COLOR: "1" },
    }).output();
    return success ? "" : new TextDecoder().decode(stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("layers: protocol, session and room use no clock, no timer and nothing of Deno's", async () => {
  const pure = [...new Set(PURE.flatMap((part) => reachableFrom(graph, part).modules))];
  assertEquals(await checkWithoutDeno(pure.map((module) => join(ROOT, module))), "");
  for (const module of pure) {
    // the language itself has this clock
    const code = withoutComments(Deno.readTextFileSync(join(ROOT, module)));
    assert(!/\b(?:Date|Temporal)\s*\.|\bnew Date\(\)/.test(code), `${module} looks at the clock`);
  }
});

Deno.test("layers: a clock, a timer or Deno in such a module is found", async () => {
  const folder = await Deno.makeTempDir({ prefix: "udp-chat-" });
  try {
    const uses = [
      "Deno.pid",
      "performance.now()",
      "setTimeout",
      "setImmediate",
      "fetch",
      "console",
      "process",
      "Buffer",
    ];
    for (const [i, use] of uses.entries()) {
      await Deno.writeTextFile(join(folder, `${i}.ts`), `export const x = ${use};\n`);
    }
    const found = await checkWithoutDeno(uses.map((_, i) => join(folder, `${i}.ts`)));
    for (const use of uses) assert(found.includes(`'${use.split(".")[0]}'`), `${use}: ${found}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("layers: what is forbidden is found", () => {
  const wrong: [module: string, target: string][] = [
    ["protocol/fields.ts", "node:net"],
    ["protocol/fields.ts", "protocol.ts"],
    ["protocol/text.ts", "npm:left-pad"],
    ["protocol/text.ts", COMPUTED],
    ["protocol/helper.mjs", "server/host.ts"],
    ["client/session/view.ts", "client/terminal/screen.ts"],
    ["client/session/view.ts", "runtime/clock.ts"],
    ["client/session/view.ts", "client/lines/session.ts"],
    ["client/session/view.ts", "client/files/disk.ts"],
    ["client/files/files.ts", "client/session/session.ts"],
    ["client/lines/session.ts", "client/session/session.ts"],
    ["server/room/room.ts", "server/doors/udp.ts"],
    ["server/room/room.ts", "server/journal/state_file.ts"],
    ["server/room/room.ts", "server/journal/memory.ts"],
    ["server/room/room.ts", "runtime/clock.ts"],
    ["server/doors/udp.ts", "server/room/room.ts"],
    ["server.ts", "tests/support/fake_room.ts"],
    ["scripts/lossy_demo.ts", "tests/support/fake_room.ts"],
    ["scripts/lossy_demo.ts", "npm:left-pad"],
  ];
  for (const [module, target] of wrong) {
    const changed: ImportGraph = new Map(graph);
    changed.set(module, [...graph.get(module) ?? [], target]);
    const sentence = `${module} imports ${target}`;
    assert(findForbidden(changed, LAYERS).includes(sentence), sentence);
  }
  assertEquals(findForbidden(new Map([["helpers/new.ts", []]]), LAYERS), ["helpers/new.ts is in no layer"]);
});

Deno.test("layers: the graph has types, aliases, scripts and computed imports, and cycles are named", async () => {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "udp-chat-" }));
  const files: Record<string, string> = {
    "deno.json": `{ "imports": { "@alias/": "./sub/", "node-net": "node:net" } }`,
    "a.ts": `import { b } from "./b.ts";\nexport const a: number = b;\n`,
    "b.ts": `import type { C } from "./c.ts";\nexport const b: C = 1;\n`,
    "c.ts": `import type { a } from "./a.ts";\nexport type C = typeof a;\n`,
    "d.ts": `import "@alias/e.mjs";\nimport "node-net";\n// import("x" + 1)\n`,
    "sub/e.mjs": `await import("../" + "a.ts");\nawait import("node:path");\n`,
    "vendor/v.ts": "",
    "f.ts": `import "./vendor/v.ts";\n`,
  };
  try {
    for (const name of ["sub", "vendor"]) await Deno.mkdir(join(folder, name));
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(join(folder, name), text);
    const modules = modulesIn(folder);
    assertEquals(modules.sort(), ["a.ts", "b.ts", "c.ts", "d.ts", "f.ts", "sub/e.mjs"]);
    const found = await readImportGraph(folder, modules);
    assertEquals(Object.fromEntries([...found].sort()), {
      "a.ts": ["b.ts"],
      "b.ts": ["c.ts"],
      "c.ts": ["a.ts"],
      "d.ts": ["node-net", "sub/e.mjs"],
      "f.ts": ["./vendor/v.ts"],
      "sub/e.mjs": [COMPUTED, "node:path"],
    });
    assertEquals(findCycles(found).map((cycle) => [...new Set(cycle.split(" -> "))].sort()), [[
      "a.ts",
      "b.ts",
      "c.ts",
    ]]);
    assertEquals(reachableFrom(found, "d.ts").outside, [COMPUTED, "node-net", "node:path"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
