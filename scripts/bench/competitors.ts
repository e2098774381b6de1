/**
 * Finds the programs to compare, as far as this machine has their toolchains, and the load generator.
 *
 * @module
 */
import { ROOT } from "../programs.ts";
import { commandOf } from "../support/processes.ts";

/** A server to be measured. */
export interface Competitor {
  /** How it is called on the command line. */
  key: string;
  /** How it is called in the table. */
  label: string;
  /** The words that start it on a free port, which it prints as `Listening on HOST:PORT`. */
  command: string[];
}

/** The servers to measure, and the load generator to measure them with. */
export interface Toolchains {
  competitors: Competitor[];
  /** What is left out and why, in sentences. */
  missing: string[];
  /** The words that start the load generator. */
  load: string[];
  /** The words that start the load generator for rooms with connections; undefined without a C compiler. */
  loadTcp: string[] | undefined;
  /** What the load generator is written in. */
  loadLabel: string;
}

/** The folder of this module. */
const HERE = import.meta.dirname!;

/** The keys of all competitors, in the order in which they take turns. */
export const COMPETITORS = ["c", "ours", "python", "node", "deno"] as const;

/** What the competitors are called in tables. */
export const LABELS: Readonly<Record<string, string>> = {
  c: "C, sendmmsg",
  ours: "udp-chat",
  python: "Python, sendto",
  node: "Node, dgram",
  deno: "Deno, conn.send",
};

/**
 * Finds the toolchains and compiles what has to be compiled.
 *
 * @param folder Where the compiled programs go.
 * @param only The keys of the competitors to find.
 */
export async function findToolchains(folder: string, only: readonly string[] = COMPETITORS): Promise<Toolchains> {
  const competitors: Competitor[] = [];
  const missing: string[] = [];
  const add = (key: string, command: string[] | undefined, reason: string) => {
    if (!only.includes(key)) return;
    if (command) competitors.push({ key, label: LABELS[key], command });
    else missing.push(`${LABELS[key]} is left out: ${reason}`);
  };
  const relay = only.includes("c") ? await compile("relay", folder) : undefined;
  const python = only.includes("python") ? await output(["python3", "-c", "import sys; print(sys.executable)"]) : "";
  // on a machine without Node, the program `node` may be Deno under that name
  const findNode = ["node", "--print", "process.versions.deno ? '' : process.execPath"];
  const node = only.includes("node") ? await output(findNode) : "";
  add("c", relay ? [relay, "0"] : undefined, "there is no C compiler 'cc'");
  add("ours", [...commandOf("server"), "0", "--quiet", ...await noLimitFlags()], "");
  add("python", python ? [python, "-S", "-E", `${HERE}/relay.py`, "0"] : undefined, "there is no 'python3'");
  add("node", node ? [node, `${HERE}/relay.mjs`, "0"] : undefined, "there is no 'node'");
  add("deno", [Deno.execPath(), "run", "-A", `${HERE}/relay.ts`, "0"], "");

  const load = await compile("load", folder), loadTcp = await compile("load_tcp", folder);
  if (!load) missing.push("The load comes from Deno instead of C, and is slower: there is no C compiler 'cc'");
  return {
    competitors,
    missing,
    load: load ? [load] : [Deno.execPath(), "run", "-A", `${HERE}/load.ts`],
    loadTcp: loadTcp === undefined ? undefined : [loadTcp],
    loadLabel: load ? "C" : "Deno",
  };
}

/** Flags that turn off the limits of our server, as far as it has them: the other servers here have none. */
async function noLimitFlags(): Promise<string[]> {
  const help = await output([...commandOf("server"), "--help"]);
  const flags = [["--rate", "0"], ["--classic-members", "1000000"]];
  return flags.filter(([flag]) => help?.includes(flag)).flat();
}

/** Compiles a C program and returns its path, or undefined when there is no compiler or it fails. */
export async function compile(name: string, folder: string): Promise<string | undefined> {
  const path = `${folder}/${name}`;
  const done = await output(["cc", "-O2", "-o", path, `${HERE}/${name}.c`]);
  return done === undefined ? undefined : path;
}

/** What a command prints, or undefined where it does not exist or fails. */
export async function output([executable, ...args]: string[]): Promise<string | undefined> {
  try {
    const command = new Deno.Command(executable, { args, cwd: ROOT, stdin: "null", stderr: "null" });
    const { success, stdout } = await command.output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}
