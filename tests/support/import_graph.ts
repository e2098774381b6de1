/**
 * The import graph of the project's modules, and what is wrong with it.
 *
 * @module
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * The imports of each module, types included: paths from the project's folder, or names like `node:path`. An import
 * whose name is only known when the program runs stands there as {@linkcode COMPUTED}.
 */
export type ImportGraph = Map<string, string[]>;

/** Which modules may be imported from a part of the project. */
export interface Layer {
  /** A file (`protocol.ts`) or a folder (`protocol/`). If several match a file, the longest counts. */
  part: string;
  /** Files, folders (`protocol/`) and names (`node:path`, `@std/fmt/`) that may be imported. */
  may: string[];
}

/** What stands in the graph for `import(expression)`. */
export const COMPUTED = "import(an expression)";

/** What is not the project's own code. */
const NOT_OURS = ["vendor", "dist", "node_modules"];
const MODULE = /\.[mc]?[jt]sx?$/;

/** Whether a module is a part, or below it. */
function isIn(module: string, part: string): boolean {
  return module === part || part.endsWith("/") && module.startsWith(part);
}

/** The modules below a folder, as paths from it with slashes; hidden files and what is not ours are left out. */
export function modulesIn(root: string, below = ""): string[] {
  return [...Deno.readDirSync(join(root, below))].flatMap(({ name, isDirectory }) => {
    if (name.startsWith(".") || NOT_OURS.includes(name)) return [];
    const path = below + name;
    if (isDirectory) return modulesIn(root, `${path}/`);
    return MODULE.test(name) ? [path] : [];
  });
}

/**
 * Reads the imports of modules, and of all modules that they import.
 *
 * @param root The project's folder, with its deno.json.
 * @param modules Paths from there.
 * @throws {Error} with what Deno says, when a module can't be read.
 */
export async function readImportGraph(root: string, modules: string[]): Promise<ImportGraph> {
  const folder = await Deno.makeTempDir({ prefix: "udp-chat-imports-" });
  try {
    // `deno info` takes one module, so this writes a module that imports all others
    const entry = join(folder, "all.ts");
    const urls = modules.map((module) => pathToFileURL(join(root, module)));
    await Deno.writeTextFile(entry, urls.map((url) => `import "${url}";\n`).join(""));
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--config", join(root, "deno.json"), entry],
      cwd: root,
    }).output();
    const text = new TextDecoder().decode(success ? stdout : stderr);
    if (!success) throw new Error(text);
    return graphOf(JSON.parse(text), root);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The part of the output of `deno info --json` that is used here. */
interface Info {
  modules: {
    specifier: string;
    error?: string;
    dependencies?: { specifier: string; code?: { specifier?: string }; type?: { specifier?: string } }[];
  }[];
}

function graphOf({ modules }: Info, root: string): ImportGraph {
  const base = `${pathToFileURL(root)}/`;
  const pathOf = (url: string) => url.startsWith(base) ? url.slice(base.length) : undefined;
  const isOurs = (path: string | undefined) =>
    path !== undefined && !NOT_OURS.some((folder) => isIn(path, `${folder}/`));
  const graph: ImportGraph = new Map();
  for (const { specifier: url, error, dependencies = [] } of modules) {
    const module = pathOf(url);
    if (module === undefined || !isOurs(module) || !MODULE.test(module)) continue;
    if (error !== undefined) throw new Error(`${module}: ${error}`);
    const imports = dependencies.flatMap(({ specifier, code, type }) => {
      const targets = [code?.specifier, type?.specifier].filter((target) => target !== undefined).map(pathOf);
      // a package has the name by which it is imported, wherever it lies; our own modules have their paths, whatever
      // name an import map gives them
      return targets.length === 0 ? [specifier] : targets.map((path) => isOurs(path) ? path! : specifier);
    });
    if (hasComputedImport(Deno.readTextFileSync(join(root, module)))) imports.push(COMPUTED);
    graph.set(module, [...new Set(imports)].sort());
  }
  return graph;
}

/** Whether a source imports what only an expression names. */
function hasComputedImport(source: string): boolean {
  return /\bimport\s*\(\s*(?!["'][^"']*["']\s*[,)])/.test(withoutComments(source));
}

/** A source without its comments. Those that begin inside a string are taken for comments too. */
export function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[^]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*$/gm, "");
}

/** Finds import cycles, at least one in each group of modules that reach each other, as `a.ts -> b.ts -> a.ts`. */
export function findCycles(graph: ImportGraph): string[] {
  const cycles: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (module: string) => {
    const at = path.indexOf(module);
    if (at >= 0) cycles.push([...path.slice(at), module].join(" -> "));
    if (at >= 0 || done.has(module)) return;
    path.push(module);
    for (const target of graph.get(module) ?? []) visit(target);
    path.pop();
    done.add(module);
  };
  for (const module of graph.keys()) visit(module);
  return cycles;
}

/** The part of the most specific layer that a module is in. */
function layerOf(module: string, layers: Layer[]): Layer | undefined {
  return layers.filter(({ part }) => isIn(module, part)).sort((a, b) => b.part.length - a.part.length)[0];
}

/** Each import that its layer forbids, and each module that is in no layer, as a sentence. */
export function findForbidden(graph: ImportGraph, layers: Layer[]): string[] {
  return [...graph].flatMap(([module, imports]) => {
    const layer = layerOf(module, layers);
    if (!layer) return [`${module} is in no layer`];
    const forbidden = imports.filter((target) => !layer.may.some((part) => isIn(target, part)));
    return forbidden.map((target) => `${module} imports ${target}`);
  });
}

/** All modules that can be reached from a part of the project, itself included, and all names outside the project. */
export function reachableFrom(graph: ImportGraph, part: string): { modules: string[]; outside: string[] } {
  const seen = new Set<string>();
  const visit = (module: string) => {
    if (seen.has(module)) return;
    seen.add(module);
    for (const target of graph.get(module) ?? []) visit(target);
  };
  for (const module of graph.keys()) if (isIn(module, part)) visit(module);
  const all = [...seen].sort();
  return { modules: all.filter((module) => graph.has(module)), outside: all.filter((module) => !graph.has(module)) };
}

/** The graph of the layers: each of them stands for its modules. */
export function graphOfLayers(graph: ImportGraph, layers: Layer[]): ImportGraph {
  const result: ImportGraph = new Map();
  for (const [module, imports] of graph) {
    const part = layerOf(module, layers)?.part;
    if (part === undefined) continue;
    const targets = imports.map((target) => layerOf(target, layers)?.part).filter((target) => target !== undefined);
    result.set(part, [...new Set([...result.get(part) ?? [], ...targets.filter((target) => target !== part)])]);
  }
  return result;
}
