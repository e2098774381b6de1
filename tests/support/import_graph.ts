/**
 * Reads the import graph of a project's modules, and finds cycles and forbidden imports in it.
 *
 * @module
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** The imports of each module, types included: paths from the project's folder, or names like `node:path`. */
export type ImportGraph = Map<string, string[]>;

/** The modules that a part of the project may import. */
export interface Layer {
  /** A file (`protocol.ts`) or a folder (`protocol/`). Of several that fit a file, the longest counts. */
  part: string;
  /** Files, folders and names (`node:`) that may be imported. */
  may: string[];
}

/** Whether a module is the file `part`, lies in the folder `part`, or has a name that begins with `part`. */
function isIn(module: string, part: string): boolean {
  return module === part || /[/:]$/.test(part) && module.startsWith(part);
}

/**
 * Reads the imports of all modules below some folders, and of all modules that they import.
 *
 * @param root The project's folder, with its deno.json.
 * @param folders The folders and files of the project to begin with.
 * @throws {Error} with what Deno says, when a module can't be read.
 */
export async function readImportGraph(root: string, folders: string[]): Promise<ImportGraph> {
  const modules = (await Promise.all(folders.map((folder) => modulesIn(join(root, folder))))).flat();
  const folder = await Deno.makeTempDir({ prefix: "udp-chat-imports-" });
  try {
    // `deno info` takes one module, so this writes a module that imports all others
    const entry = join(folder, "all.ts");
    await Deno.writeTextFile(entry, modules.map((path) => `import "${pathToFileURL(path)}";\n`).join(""));
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

async function modulesIn(path: string): Promise<string[]> {
  if ((await Deno.stat(path)).isFile) return [path];
  const modules: string[] = [];
  for await (const entry of Deno.readDir(path)) {
    if (entry.isDirectory) modules.push(...await modulesIn(join(path, entry.name)));
    else if (entry.name.endsWith(".ts")) modules.push(join(path, entry.name));
  }
  return modules;
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
  const name = (specifier: string) => specifier.startsWith(base) ? specifier.slice(base.length) : specifier;
  const graph: ImportGraph = new Map();
  for (const { specifier, error, dependencies = [] } of modules) {
    if (!specifier.startsWith(base) || specifier.startsWith(`${base}vendor/`) || !specifier.endsWith(".ts")) continue;
    if (error !== undefined) throw new Error(`${specifier}: ${error}`);
    const imports = dependencies.flatMap(({ specifier, code, type }) => {
      const targets = [code?.specifier, type?.specifier].filter((target) => target !== undefined);
      // a package may come from vendor/, so the graph has the name by which it is imported, not its path
      return targets.map((target) => target.startsWith(base) && specifier.startsWith(".") ? name(target) : specifier);
    });
    graph.set(name(specifier), [...new Set(imports)].sort());
  }
  return graph;
}

/** Finds import cycles, at least one in each group of modules that reach each other, as `a.ts -> b.ts -> a.ts`. */
export function circlesIn(graph: ImportGraph): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (module: string) => {
    const at = path.indexOf(module);
    if (at >= 0) circles.push([...path.slice(at), module].join(" -> "));
    if (at >= 0 || done.has(module)) return;
    path.push(module);
    for (const target of graph.get(module) ?? []) visit(target);
    path.pop();
    done.add(module);
  };
  for (const module of graph.keys()) visit(module);
  return circles;
}

/** Each import that the layer of its module forbids, and each module that is in no layer. */
export function forbiddenIn(graph: ImportGraph, layers: Layer[]): string[] {
  const problems: string[] = [];
  for (const [module, imports] of graph) {
    const [layer] = layers.filter(({ part }) => isIn(module, part)).sort((a, b) => b.part.length - a.part.length);
    if (!layer) {
      problems.push(`${module} is in no layer`);
      continue;
    }
    for (const target of imports) {
      if (!layer.may.some((part) => isIn(target, part))) problems.push(`${module} imports ${target}`);
    }
  }
  return problems;
}

/** Each name outside the project that a part of it imports, directly or through other modules. */
export function outsideOf(graph: ImportGraph, part: string): string[] {
  const outside = new Set<string>(), seen = new Set<string>();
  const visit = (module: string) => {
    if (seen.has(module)) return;
    seen.add(module);
    const imports = graph.get(module);
    if (!imports) outside.add(module);
    for (const target of imports ?? []) visit(target);
  };
  for (const module of graph.keys()) if (isIn(module, part)) visit(module);
  return [...outside].sort();
}

/** The import graph of the layers, each of which stands for all its modules. */
export function graphOfLayers(graph: ImportGraph, layers: Layer[]): ImportGraph {
  const partOf = (module: string) => {
    return layers.map(({ part }) => part).filter((part) => isIn(module, part)).sort((a, b) => b.length - a.length)[0];
  };
  const result: ImportGraph = new Map();
  for (const [module, imports] of graph) {
    const part = partOf(module);
    if (part === undefined) continue;
    const targets = imports.map(partOf).filter((target) => target !== undefined && target !== part) as string[];
    result.set(part, [...new Set([...result.get(part) ?? [], ...targets])]);
  }
  return result;
}
