/**
 * Real clients that hand over files, and the folders with these.
 *
 * @module
 */
import { assert } from "@std/assert";
import { join } from "node:path";
import { commandOf, type Process, start } from "../../scripts/support/processes.ts";
import { Changing } from "../../scripts/support/waiting.ts";
import type { SignInOptions } from "./signed_in.ts";

/** Pause between two looks at a folder, in milliseconds: much less than a file takes. */
const LOOK_AGAIN_MS = 10;

/** A folder of a test's own, with one for what is received. Disposing of it removes both. */
export interface Folder extends AsyncDisposable {
  /** Where files are received. */
  readonly downloads: string;
  /** Makes a file of random octets and returns its path. */
  make(name: string, size: number): Promise<string>;
  /** The path of a file in the folder. */
  path(name: string): string;
  /** The names of what was received, in their order; without partial files. */
  received(): string[];
  /** How many bytes there are of the only partial file; undefined if there is none. */
  partial(): number | undefined;
  /** Waits until a partial file has more bytes, and returns how many. */
  partialBeyond(bytes: number): Promise<number>;
  /** Asserts that two files have the same octets. */
  assertSame(path: string, received: string): Promise<void>;
}

/** Makes the folder. */
export async function openFolder(): Promise<Folder> {
  const root = await Deno.makeTempDir({ prefix: "udp-chat-files-" });
  const downloads = join(root, "downloads");
  await Deno.mkdir(downloads);
  const entries = () => [...Deno.readDirSync(downloads)].map(({ name }) => name).sort();
  const isPartial = (name: string) => name.startsWith(".");
  const partial = () => {
    const [name] = entries().filter(isPartial);
    return name === undefined ? undefined : sizeOf(join(downloads, name));
  };
  return {
    downloads,
    partial,
    path: (name) => join(root, name),
    received: () => entries().filter((name) => !isPartial(name)),
    async make(name, size) {
      const octets = new Uint8Array(size), path = join(root, name);
      // the system gives no more at once
      for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(octets.subarray(at, at + 65_536));
      await Deno.writeFile(path, octets);
      return path;
    },
    async partialBeyond(bytes) {
      const folder = new Changing(), looking = setInterval(() => folder.changed(), LOOK_AGAIN_MS);
      const describe = () => `no more than ${bytes} bytes; the folder has ${entries().join(", ") || "nothing"}`;
      const look = () => {
        const size = partial();
        return size !== undefined && size > bytes ? size : undefined;
      };
      try {
        return await folder.until(look, describe);
      } finally {
        clearInterval(looking);
      }
    },
    async assertSame(path, received) {
      const [one, other] = await Promise.all([path, join(downloads, received)].map((it) => Deno.readFile(it)));
      assert(one.length === other.length && one.every((octet, i) => octet === other[i]), `${received} is another file`);
    },
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** The size of a file that may just be given another name. */
function sizeOf(path: string): number | undefined {
  try {
    return Deno.statSync(path).size;
  } catch {
    return undefined;
  }
}

/** How a script is started; `port` is the server's. */
export type ScriptOptions = SignInOptions & { port: number };

/** Starts a client that sends a file to a member. */
export function startSending(name: string, path: string, to: string, options: ScriptOptions): Process {
  return startScript(name, ["--send", path, "--to", to], options);
}

/** Starts a client that takes a file of a member. */
export function startReceiving(name: string, folder: string, from: string, options: ScriptOptions): Process {
  return startScript(name, ["--receive", folder, "--from", from], options);
}

function startScript(name: string, task: string[], options: ScriptOptions): Process {
  const { port, host = "127.0.0.1", flags = [], inside = (command) => command } = options;
  return start(inside([...commandOf("client"), "-u", name, ...task, ...flags, host, String(port)]));
}
