/**
 * A disk in a temporary folder, which is asked and answers.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { Disk } from "../../client/files/disk.ts";
import type { FileRequest, FileResult } from "../../client/files/files.ts";

/** What a test has to do with a disk. */
export interface TestDisk {
  /** The folder that files come to. */
  folder: string;
  disk: Disk;
  /** Asks, and waits for the result; those of one job come in their order. */
  ask: (request: FileRequest) => Promise<FileResult>;
  /** All results so far. */
  results: FileResult[];
}

/** Opens a disk. */
export function openDisk(folder: string): TestDisk {
  const results: FileResult[] = [], waiting = new Map<number, ((result: FileResult) => void)[]>();
  const disk = new Disk({
    folder,
    done: (result) => {
      results.push(result);
      waiting.get(result.job)?.shift()?.(result);
    },
  });
  const ask = (request: FileRequest) => {
    const { promise, resolve } = Promise.withResolvers<FileResult>();
    waiting.set(request.job, [...waiting.get(request.job) ?? [], resolve]);
    disk.request(request);
    return promise;
  };
  return { folder, disk, ask, results };
}

/** Runs something with a disk in a temporary folder of its own, which is removed afterwards. */
export async function withDisk(run: (disk: TestDisk) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "udp-chat-" });
  const opened = openDisk(folder);
  try {
    await run(opened);
  } finally {
    await opened.disk.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Returns what to ask for a file to come. */
export function creating(job: number, name: string, content: Uint8Array): FileRequest & { ask: "create" } {
  return { ask: "create", job, name, size: content.length, hash: sha256(content) };
}

/** Has a file come as a whole; returns the last result. */
export async function takeFile(to: TestDisk, job: number, name: string, content: Uint8Array): Promise<FileResult> {
  const created = await to.ask(creating(job, name, content));
  if (created.is !== "created") return created;
  const { have: at } = created;
  if (at < content.length) {
    const written = await to.ask({ ask: "write", job, at, octets: content.subarray(at) });
    if (written.is !== "written") return written;
  }
  const result = await to.ask({ ask: "finish", job });
  to.disk.request({ ask: "close", job });
  return result;
}

/** Returns which problem a result is, whose text is one sentence without a full stop. */
export function problemOf(result: FileResult): string {
  assert(result.is === "failed", JSON.stringify(result));
  assert(/^[^\n]+[^.\n]$/.test(result.text), result.text);
  return result.problem;
}

/** Returns what is said of a result that is some other failure. */
export function textOf(result: FileResult): string {
  assertEquals(problemOf(result), "failed");
  return result.is === "failed" ? result.text : "";
}

/** Returns the name of the partial file. */
export function partOf(name: string, content: Uint8Array): string {
  const told = new TextEncoder().encode(`${name}\n${content.length}\n${sha256(content)}`);
  return `.${name}.${sha256(told).slice(0, 16)}.part`;
}

/** Lets a part of a file come, and lets go of it. */
export async function takePart({ ask, disk }: TestDisk, job: number, name: string, content: Uint8Array, end: number) {
  const created = await ask(creating(job, name, content));
  assert(created.is === "created", JSON.stringify(created));
  await ask({ ask: "write", job, at: created.have, octets: content.subarray(created.have, end) });
  disk.request({ ask: "close", job });
}

/** Returns the SHA-256 of bytes as hexadecimal digits. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Returns bytes that are different from place to place. */
export function someBytes(length: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + seed) & 0xff);
}

/** Returns the names of all that is in a folder, sorted. */
export function listFolder(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

/** Makes a named pipe, and returns whether it could. */
export async function makePipe(path: string): Promise<boolean> {
  try {
    return (await new Deno.Command("mkfifo", { args: [path] }).output()).success;
  } catch {
    console.log("Skipped: there is no mkfifo here");
    return false;
  }
}

/** Runs something in a folder on a disk of so many bytes, which root alone can make; returns whether it could. */
export async function withSmallDisk(bytes: number, run: (folder: string) => Promise<void>): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) {
    console.log("Skipped: only root can mount a small disk, on Linux");
    return false;
  }
  const folder = await Deno.makeTempDir({ prefix: "udp-chat-" });
  const args = ["-t", "tmpfs", "-o", `size=${bytes}`, "udp-chat-test", folder];
  const { success } = await new Deno.Command("mount", { args, stderr: "null" }).output();
  try {
    if (!success) console.log("Skipped: a small disk can't be mounted here");
    else await run(folder);
    return success;
  } finally {
    if (success) await new Deno.Command("umount", { args: [folder] }).output();
    await Deno.remove(folder, { recursive: true });
  }
}
