/**
 * What passes a network interface, as a test sees it that takes no program's word for it.
 *
 * @module
 */
import { type Process, start } from "../../scripts/support/processes.ts";

/** A UDP datagram. */
export interface Captured {
  /** Address and port, like `10.73.0.1|9090`. */
  from: string;
  to: string;
  /** Its bytes; those that are no printable ASCII as escapes. */
  text: string;
}

/** A capture that runs. Disposing of it ends it. */
export interface Capture extends AsyncDisposable {
  /** Those that have passed so far, in order. */
  datagrams(): Captured[];
  /** Waits until one has passed that has this text in it, or until all of them together match. */
  until(text: string | RegExp): Promise<void>;
}

/**
 * Starts to capture, with Python; when this returns, it does.
 *
 * @param inside Wraps the command, so that it runs in a namespace.
 */
export async function openCapture(device: string, inside: (command: string[]) => string[]): Promise<Capture> {
  const process: Process = start(inside(["python3", "tests/support/capture.py", device]));
  try {
    await process.stdout.until("capturing\n");
  } catch (error) {
    await process[Symbol.asyncDispose]();
    throw error;
  }
  return {
    datagrams: () =>
      [...process.stdout.text().matchAll(/^(\S+) (\S+) (.*)\n/mg)].map(([, from, to, text]) => ({ from, to, text })),
    async until(text) {
      await process.stdout.until(text);
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
