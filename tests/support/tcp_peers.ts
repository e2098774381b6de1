/**
 * Programs of other people that chat over TCP, as processes.
 *
 * @module
 */
import { ROOT } from "../../scripts/programs.ts";
import { type Process, start } from "../../scripts/support/processes.ts";

/** The folder of the programs. */
const PEERS = "tests/support/peers";

/** Whether a program can be started on this machine. */
export async function hasProgram(name: string): Promise<boolean> {
  try {
    const flag = name === "nc" ? "-h" : "--version";
    await new Deno.Command(name, { args: [flag], stdin: "null", stdout: "null", stderr: "null" }).output();
    return true;
  } catch {
    return false;
  }
}

/** Starts one of the programs in Python. */
export function startPeer(file: string, ...args: string[]): Process {
  return start(["python3", `${PEERS}/${file}`, ...args]);
}

/** A program that was compiled, until it is disposed of. */
export interface Compiled extends AsyncDisposable {
  readonly path: string;
}

/**
 * Compiles one of the programs in C.
 *
 * @throws {Error} with what the compiler says, if it can't.
 */
export async function compilePeer(file: string): Promise<Compiled> {
  const path = await Deno.makeTempFile({ prefix: "udp-chat-peer-" });
  const dispose = { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
  const args = ["-Wall", "-Werror", "-o", path, `${PEERS}/${file}`];
  const { success, stderr } = await new Deno.Command("gcc", { args, cwd: ROOT, stdout: "null" }).output();
  if (success) return dispose;
  await Deno.remove(path);
  throw new Error(new TextDecoder().decode(stderr));
}
