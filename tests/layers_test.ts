/** The house: which part of the project may import which, and that nothing goes in a circle. CONTRIBUTING.md says why. */
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { ROOT } from "../scripts/programs.ts";
import {
  circlesIn,
  forbiddenIn,
  graphOfLayers,
  type ImportGraph,
  type Layer,
  outsideOf,
  readImportGraph,
} from "./support/import_graph.ts";

const PROTOCOL = ["protocol.ts", "protocol/"];

const LAYERS: Layer[] = [
  { part: "protocol/", may: ["protocol/"] },
  { part: "protocol.ts", may: ["protocol/"] },
  { part: "runtime/", may: ["runtime/", "protocol/", "deno.json", "@std/cli/", "node:"] },

  { part: "client/session/", may: ["client/session/", ...PROTOCOL] },
  { part: "client/terminal/", may: ["client/terminal/", "client/session/", ...PROTOCOL, "@std/fmt/", "node:"] },
  { part: "client.ts", may: ["client/", "runtime/", ...PROTOCOL] },

  { part: "server/journal/", may: ["server/journal/", ...PROTOCOL, "runtime/program.ts", "node:sqlite"] },
  { part: "server/room/", may: ["server/room/", "server/journal/event_log.ts", "server/journal/past.ts", ...PROTOCOL] },
  {
    part: "server/doors/",
    may: [
      "server/doors/",
      "server/room/delivery.ts",
      "server/room/dialects.ts",
      "runtime/",
      ...PROTOCOL,
      "node:timers",
    ],
  },
  { part: "server/", may: ["server/", "runtime/", ...PROTOCOL, "node:process", "node:readline"] },
  { part: "server.ts", may: ["server/", "runtime/", ...PROTOCOL] },

  {
    part: "scripts/",
    may: [
      "scripts/",
      "server/",
      "client/",
      "runtime/",
      ...PROTOCOL,
      "deno.json",
      "@std/",
      "node:",
      "npm:",
      "fast-check",
    ],
  },
];

/** What runs in a browser too, or is tested in a network that exists in memory only. */
const PURE = ["protocol.ts", "protocol/", "client/session/", "server/room/"];

const graph = await readImportGraph(ROOT, [
  "server.ts",
  "client.ts",
  "protocol.ts",
  "protocol",
  "runtime",
  "server",
  "client",
  "scripts",
]);

Deno.test("layers: no module imports what its layer forbids, types included", () => {
  assertEquals(forbiddenIn(graph, LAYERS), []);
});

Deno.test("layers: no imports go in a circle, neither of files nor of layers", () => {
  assertEquals(circlesIn(graph), []);
  assertEquals(circlesIn(graphOfLayers(graph, LAYERS)), []);
});

Deno.test("layers: protocol, session and room reach nothing outside the project, by whatever way", () => {
  for (const part of PURE) assertEquals(outsideOf(graph, part), [], part);
});

/** A source without its comments. */
function codeOf(module: string): string {
  return Deno.readTextFileSync(join(ROOT, module)).replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*$/gm, "");
}

Deno.test("layers: protocol, session and room have no clock, no timer, no console and nothing of Deno's", () => {
  for (const module of graph.keys()) {
    if (!PURE.some((part) => module === part || module.startsWith(part))) continue;
    const found = /\b(?:Deno|Date|performance|setTimeout|setInterval|console|process)\b(?!["':])/.exec(codeOf(module));
    assert(!found, `${module} uses ${found?.[0]}`);
  }
});

Deno.test("layers: each of them has modules, and the graph has its types", () => {
  for (const { part } of LAYERS) {
    assert([...graph.keys()].some((module) => module.startsWith(part)), part);
  }
  // of this one only a type is imported
  assert(graph.get("server/room/room.ts")!.includes("server/room/delivery.ts"));
});

Deno.test("layers: what is forbidden is found", () => {
  const wrong: [module: string, target: string][] = [
    ["protocol/fields.ts", "node:net"],
    ["protocol/fields.ts", "protocol.ts"],
    ["protocol/text.ts", "npm:left-pad"],
    ["client/session/view.ts", "client/terminal/screen.ts"],
    ["client/session/view.ts", "runtime/clock.ts"],
    ["server/room/room.ts", "server/doors/udp.ts"],
    ["server/room/room.ts", "server/journal/state_file.ts"],
    ["server/room/room.ts", "runtime/clock.ts"],
    ["server.ts", "tests/support/fake_room.ts"],
    ["scripts/lossy_demo.ts", "tests/support/fake_room.ts"],
  ];
  for (const [module, target] of wrong) {
    const changed: ImportGraph = new Map(graph);
    changed.set(module, [...graph.get(module) ?? [], target]);
    assert(forbiddenIn(changed, LAYERS).includes(`${module} imports ${target}`), `${module} imports ${target}`);
  }
});

Deno.test("layers: a module that is in none is found", () => {
  assertEquals(forbiddenIn(new Map([["helpers/new.ts", []]]), LAYERS), ["helpers/new.ts is in no layer"]);
});

Deno.test("layers: a circle is found, of types only too, and named", async () => {
  const folder = await Deno.makeTempDir({ prefix: "udp-chat-" });
  try {
    await Deno.writeTextFile(join(folder, "deno.json"), "{}");
    await Deno.writeTextFile(join(folder, "a.ts"), `import { b } from "./b.ts";\nexport const a: number = b;\n`);
    await Deno.writeTextFile(join(folder, "b.ts"), `import type { C } from "./c.ts";\nexport const b: C = 1;\n`);
    await Deno.writeTextFile(join(folder, "c.ts"), `import type { a } from "./a.ts";\nexport type C = typeof a;\n`);
    await Deno.writeTextFile(join(folder, "d.ts"), `import "./a.ts";\nimport "node:net";\n`);
    const found = await readImportGraph(await Deno.realPath(folder), ["."]);
    assertEquals(circlesIn(found).map((circle) => [...new Set(circle.split(" -> "))].sort()), [[
      "a.ts",
      "b.ts",
      "c.ts",
    ]]);
    assertEquals(outsideOf(found, "d.ts"), ["node:net"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
