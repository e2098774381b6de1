/**
 * Sends signals to programs, on systems that have signals.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Process } from "../../scripts/support/processes.ts";

/** Whether a process can handle a signal. On Windows any signal ends the process at once. */
export const HAS_SIGNALS = Deno.build.os !== "windows";

/** Defines a test in which programs handle signals; it is skipped on Windows. */
export function signalTest(name: string, fn: () => Promise<void>): void {
  const reason = HAS_SIGNALS ? "" : " (skipped: Windows has no signals)";
  Deno.test({ name: `${name}${reason}`, ignore: !HAS_SIGNALS, fn });
}

let hasSaidWhy = false;

/**
 * Stops a program by a signal and asserts its exit code, in a test that has other parts too.
 *
 * @returns false on a system without signals. The program still runs then, so the test must not assert the effects of
 *   the signal.
 */
export async function stops(program: Process, signal: Deno.Signal = "SIGTERM", code = 0): Promise<boolean> {
  if (!HAS_SIGNALS) {
    if (!hasSaidWhy) console.log("Skipped: what programs do at SIGINT and SIGTERM, as Windows has no signals");
    hasSaidWhy = true;
    return false;
  }
  program.kill(signal);
  assertEquals(await program.exitCode(), code, program.stderr.text());
  return true;
}
