/**
 * Whether this process may read from the terminal that it was started in.
 *
 * The system stops a process that reads from its terminal in the background of a shell (SIGTTIN). A server that was
 * started with `&` would stop working.
 *
 * @module
 */

import { libraryNames } from "./c_library.ts";

const MACOS_LIBRARY = "/usr/lib/libSystem.B.dylib";

const SYMBOLS = {
  getpgrp: { parameters: [], result: "i32" },
  tcgetpgrp: { parameters: ["i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Whether the foreground can be determined: the C library may be called, or is not needed, as on Windows. */
export function canTellForeground(): boolean {
  return Deno.build.os === "windows" || Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

/**
 * Whether this process can read standard input without being stopped: it is no terminal, or this process is in the
 * terminal's foreground. Returns false for a terminal if that is not known (no permission to call the C library).
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
      // the C library has another name on this system
    }
  }
  return false;
}
