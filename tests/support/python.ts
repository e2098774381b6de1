/**
 * The Python programs that PROTOCOL.md prints, as processes.
 *
 * @module
 */
import { type Process, start } from "../../scripts/support/processes.ts";

/** The files of the programs. */
export const CLASSIC = "docs/examples/classic.py";
export const SAY_AND_PRINT = "docs/examples/say_and_print.py";
export const LOSE_NOTHING = "docs/examples/lose_nothing.py";

/** Whether `python3` runs on this machine. */
export async function hasPython(): Promise<boolean> {
  try {
    return (await new Deno.Command("python3", { args: ["-V"], stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

/** Defines a test that needs Python. */
export function pythonTest(name: string, fn: () => Promise<void>): void {
  Deno.test(`python: ${name}`, async () => {
    if (!await hasPython()) return console.log("Skipped: there is no python3");
    if (Deno.build.os === "windows") return console.log("Skipped: on Windows Python ends its lines otherwise");
    await fn();
  });
}

/** Starts one of the programs. */
export function startPython(file: string, ...args: (string | number)[]): Process {
  return start(["python3", file, ...args.map(String)]);
}

/** The lines that a program has printed. */
export function linesOf({ stdout }: Process): string[] {
  return stdout.text().split("\n").slice(0, -1);
}
