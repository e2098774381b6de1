/**
 * A disk in memory, as a session uses it. It outlives the program: who crashes finds its files again.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { FileProblem, FileRequest, FileResult, Files } from "../../client/files/files.ts";

/** Returns the SHA-256 of bytes as hexadecimal digits. */
export function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** So many bytes, which a seed decides. */
export function bytesFor(length: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => (state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff) >> 16);
}

/** The files on one disk. */
export class FakeDisk {
  /** By their names. */
  readonly files = new Map<string, Uint8Array>();
  /** What is there of files that are not whole, by their names and hashes. */
  readonly partial = new Map<string, Uint8Array>();
  /** How many bytes may still be written; then it is full. */
  free = Infinity;
  /** Whether files may be written. */
  mayWrite = true;
}

/** The disk as one program has it open. */
export class FakeFiles implements Files {
  readonly folder = ".";
  readonly disk: FakeDisk;
  readonly #later: (run: () => void) => void;
  readonly #done: (result: FileResult) => void;
  /** What each job has open: the content as it was, or the key of the partial file. */
  readonly #reading = new Map<number, { name: string; content: Uint8Array }>();
  readonly #writing = new Map<number, { key: string; name: string; hash: string }>();

  /**
   * @param later Runs something after the time that a disk takes.
   * @param done Takes the results.
   */
  constructor(disk: FakeDisk, later: (run: () => void) => void, done: (result: FileResult) => void) {
    this.disk = disk;
    this.#later = later;
    this.#done = done;
  }

  /** How many jobs have a file open. */
  get open(): number {
    return this.#reading.size + this.#writing.size;
  }

  request(request: FileRequest): void {
    const { job } = request;
    if (request.ask === "close") {
      this.#reading.delete(job);
      this.#writing.delete(job);
      return;
    }
    const isOpening = request.ask === "inspect" || request.ask === "create";
    if (isOpening) this.#open(request);
    this.#later(() => {
      if (!this.#reading.has(job) && !this.#writing.has(job) && !isOpening) return;
      const result = this.#do(request);
      if (result) this.#done(result);
    });
  }

  #open(request: FileRequest & { ask: "inspect" | "create" }): void {
    const { disk } = this;
    if (request.ask === "inspect") {
      const content = disk.files.get(request.path);
      if (content) this.#reading.set(request.job, { name: request.path, content });
    } else {
      const { job, name, hash } = request;
      this.#writing.set(job, { key: `${name} ${hash}`, name, hash });
    }
  }

  #do(request: FileRequest): FileResult | undefined {
    const { job, ask } = request, reading = this.#reading.get(job), writing = this.#writing.get(job), { disk } = this;
    const failed = (problem: FileProblem): FileResult => ({ is: "failed", job, problem, text: `it is ${problem}` });
    switch (ask) {
      case "inspect":
        if (!reading) return disk.files.has(request.path) ? undefined : failed("not-found");
        return {
          is: "inspected",
          job,
          name: reading.name,
          size: reading.content.length,
          hash: hashOf(reading.content),
        };
      case "read": {
        const { name, content } = reading!;
        if (disk.files.get(name) !== content) return failed("changed");
        return { is: "read", job, at: request.at, octets: content.slice(request.at, request.at + request.length) };
      }
      case "create":
        if (!writing) return undefined;
        if (!disk.mayWrite) return failed("no-permission");
        return { is: "created", job, have: disk.partial.get(writing.key)?.length ?? 0 };
      case "write": {
        const before = disk.partial.get(writing!.key) ?? new Uint8Array(), { at, octets } = request;
        if (before.length !== at) throw new Error(`written at ${at} of ${before.length}`);
        if (octets.length > disk.free) return failed("disk-full");
        disk.free -= octets.length;
        const whole = new Uint8Array(at + octets.length);
        whole.set(before);
        whole.set(octets, at);
        disk.partial.set(writing!.key, whole);
        return { is: "written", job, have: whole.length };
      }
      case "finish": {
        const { key, name, hash } = writing!, content = disk.partial.get(key) ?? new Uint8Array();
        disk.partial.delete(key);
        if (hashOf(content) !== hash) return failed("wrong-hash");
        let path = name;
        for (let n = 2; disk.files.has(path); n++) path = `${name} (${n})`;
        disk.files.set(path, content);
        return { is: "finished", job, path };
      }
    }
  }
}
