/**
 * Measures how long the programs take to start, and their memory then: from source and, if compiled, as executables.
 *
 * @module
 */
import { residentMemory } from "./measure.ts";
import { markdownTable, median, quantile, readable } from "./table.ts";
import { ROOT } from "../programs.ts";
import { start, startServer } from "../support/processes.ts";

/** One way to start a program, and how it went. */
export interface StartupResult {
  program: "server" | "client";
  from: "source" | "binary";
  starts: number;
  /** From the start of the process to its first sign of readiness, in milliseconds. */
  median: number;
  slowest: number;
  /** Resident memory at that moment, in bytes. */
  memory: number;
}

/** What each program prints once it is ready. */
const READY = { server: /^Listening on /m, client: /^Welcome to the chat room!/m };

/** Starts each program so many times and measures it. */
export async function measureStartup(starts: number, progress: (line: string) => void): Promise<StartupResult[]> {
  const results: StartupResult[] = [];
  await using host = await startServer("--quiet");
  for (const program of ["server", "client"] as const) {
    const args = program === "server" ? ["0", "--quiet"] : ["127.0.0.1", String(host.port)];
    for (const from of ["source", "binary"] as const) {
      const binary = `${ROOT}/dist/udp-chat-${program}`;
      if (from === "binary" && !isFile(binary)) continue;
      const command = from === "binary" ? [binary] : [Deno.execPath(), "run", "-A", `${program}.ts`];
      const times: number[] = [], memories: number[] = [];
      for (let i = 0; i < starts; i++) {
        const began = performance.now();
        await using started = start([...command, ...args]);
        await started.stdout.until(READY[program]);
        times.push(performance.now() - began);
        memories.push(residentMemory(started.pid) ?? NaN);
      }
      const result = { program, from, starts, median: median(times), slowest: quantile(times, 1) };
      results.push({ ...result, memory: median(memories) });
      progress(`start-up of the ${program} from ${from}: ${readable(result.median)} ms`);
    }
  }
  return results;
}

/** The results as a table. */
export function startupTable(results: readonly StartupResult[]): string {
  return markdownTable(
    ["Start-up", "median, ms", "slowest, ms", "memory, MB"],
    results.map(({ program, from, median, slowest, memory }) => [
      `${program}, ${from}`,
      readable(median),
      readable(slowest),
      readable(memory / 2 ** 20),
    ]),
  );
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
