/**
 * Whether this process may read from the terminal that it was started in.
 *
 * A process in the background of a shell that reads from its terminal is stopped by the system (SIGTTIN), which would
 * be the end of a server that was started with `&`.
 *
 * @module
 */

import { libraryNames } from "./c_library.ts";

const MACOS_LIBRARY = "/usr/lib/libSystem.B.dylib";

const SYMBOLS = {
  getpgrp: { parameters: [], result: "i32" },
  tcgetpgrp: { parameters: ["i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Whether the C library may be asked; on Windows it need not be. */
export function canTellForeground(): boolean {
  return Deno.build.os === "windows" || Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

/**
 * Whether standard input can be read without being stopped: it is no terminal, or this process is in its foreground.
 * Where nobody can tell (no permission to call the C library), a terminal is left alone.
 */
export function mayReadTerminal(): boolean {
  if (!Deno.stdin.isTerminal() || Deno.build.os === "windows") return true;
  if (!canTellForeground()) return false;
  for (const name of Deno.build.os === "darwin" ? [MACOS_LIBRARY] : libraryNames(Deno.build.arch)) {
    try {
      const library = Deno.dlopen(name, SYMBOLS);
      const isForeground = library.symbols.tcgetpgrp(0) === library.symbols.getpgrp();
      library.close();
      return isForeground;
    } catch {
      // another system's name
    }
  }
  return false;
}
