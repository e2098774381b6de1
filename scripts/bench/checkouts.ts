/**
 * This checkout of the project, and another one that is measured beside it: `deno task bench --against DIR`.
 *
 * @module
 */
import { UsageError } from "../../runtime/program.ts";
import { ROOT } from "../programs.ts";
import { commandOf } from "../support/processes.ts";
import { output } from "./competitors.ts";

/** A checkout whose server and session are measured. */
export interface Checkout {
  /** What it is called in tables. */
  label: string;
  folder: string;
  /** The words that start its server on a free port, which it prints as `Listening on HOST:PORT`. */
  server: string[];
}

/** This checkout. */
export function thisCheckout(): Checkout {
  return { label: "udp-chat", folder: ROOT, server: [...commandOf("server"), "0", "--quiet"] };
}

/** Another checkout, which is called by its commit. */
export async function otherCheckout(folder: string): Promise<Checkout> {
  const commit = await output(["git", "-C", folder, "rev-parse", "--short", "HEAD"]);
  const server = commandIn(folder, `${folder}/server.ts`, "0", "--quiet");
  return { label: `udp-chat ${commit ?? folder}`, folder, server };
}

/** The words that run a module with what a checkout's configuration says of the modules it imports. */
export function commandIn(folder: string, module: string, ...args: string[]): string[] {
  return [Deno.execPath(), "run", "-A", "--no-check", "--config", `${folder}/deno.json`, module, ...args];
}

/**
 * Returns the whole path of another checkout.
 *
 * @throws {UsageError} if the folder is none.
 */
export function findCheckout(folder: string): string {
  try {
    const path = Deno.realPathSync(folder);
    for (const file of ["deno.json", "server.ts", "protocol.ts", "client/session/session.ts"]) {
      Deno.statSync(`${path}/${file}`);
    }
    return path;
  } catch {
    throw new UsageError(`--against takes the folder of another checkout of this project; '${folder}' is none`);
  }
}
