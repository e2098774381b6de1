/**
 * The signals that stop the server.
 *
 * @module
 */

/** Signals that stop the server, and end the program at once when they come again. */
const STOP_SIGNALS: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];

/**
 * Calls `stop` at Ctrl-C, at SIGTERM, and when the terminal is closed.
 *
 * @returns `release`, after which the system ends the program at Ctrl-C and SIGTERM.
 */
export function onStopSignal(stop: () => void): { release(): void } {
  for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, stop);
  // SIGHUP is never released: both the shell and the system may send it when a terminal is closed
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGHUP", stop);
  return {
    release() {
      for (const signal of STOP_SIGNALS) Deno.removeSignalListener(signal, stop);
    },
  };
}
