/**
 * Signals to programs, where the system has them.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Program } from "../../scripts/support/processes.ts";

/** Whether a process can be sent a signal that it answers; on Windows whatever is sent ends it at once. */
export const HAS_SIGNALS = Deno.build.os !== "windows";

/** A test that sends programs signals that they answer. */
export function signalTest(name: string, fn: () => Promise<void>): void {
  const reason = HAS_SIGNALS ? "" : " (skipped: Windows has no signals)";
  Deno.test({ name: `${name}${reason}`, ignore: !HAS_SIGNALS, fn });
}

let hasSaidWhy = false;

/**
 * Stops a program by a signal and asserts its exit code, in a test of which this is only a part.
 *
 * @returns false, and leaves the program alone, where there are no signals; what follows from them is not to be
 *   asserted then.
 */
export async function stops(program: Program, signal: Deno.Signal = "SIGTERM", code = 0): Promise<boolean> {
  if (!HAS_SIGNALS) {
    if (!hasSaidWhy) console.log("Skipped: what programs do at SIGINT and SIGTERM, as Windows has no signals");
    hasSaidWhy = true;
    return false;
  }
  program.kill(signal);
  assertEquals(await program.exitCode(), code, program.stderr.text());
  return true;
}
