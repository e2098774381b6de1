/**
 * The disk of this machine, by Deno: see `files.ts`.
 *
 * @module
 */
import { type Access, failureOf, FileFailure } from "./file_failure.ts";
import type { FileRequest, FileResult, Files } from "./files.ts";
import { PartialFile } from "./partial_file.ts";
import { SentFile } from "./sent_file.ts";

/** What a disk is made with. */
export interface DiskOptions {
  /** The folder that files come to; it is made if it is gone when one comes. By default the working folder. */
  folder?: string;
  /** Takes the results. */
  done: (result: FileResult) => void;
}

/** What is done with one file. */
interface Job {
  /** Whether nothing more is to be done. */
  isClosed: boolean;
  /** When all that was asked is done. */
  last: Promise<void>;
  sent?: SentFile;
  partial?: PartialFile;
}

/** The disk. Nothing of it is touched before something is asked, and no permission is asked for at a prompt. */
export class Disk implements Files {
  readonly folder: string;
  readonly #done: (result: FileResult) => void;
  readonly #jobs = new Map<number, Job>();
  /** What is being let go of. */
  readonly #closing = new Set<Promise<void>>();

  constructor({ folder = ".", done }: DiskOptions) {
    this.folder = folder;
    this.#done = done;
  }

  request(request: FileRequest): void {
    const { job: number } = request;
    if (request.ask === "close") {
      this.#close(number);
      return;
    }
    const job = this.#jobs.get(number) ?? { isClosed: false, last: Promise.resolve() };
    this.#jobs.set(number, job);
    // a file that is let go of and taken again at once is not in use
    const before = request.ask === "create" ? [job.last, ...this.#closing] : [job.last];
    job.last = Promise.all(before).then(() => this.#do(job, request));
  }

  /** Lets go of all files, as the program ends. */
  async close(): Promise<void> {
    for (const job of [...this.#jobs.keys()]) this.#close(job);
    await Promise.all(this.#closing);
  }

  #close(number: number): void {
    const job = this.#jobs.get(number);
    if (!job) return;
    this.#jobs.delete(number);
    job.isClosed = true;
    const closed = job.last.then(async () => {
      job.sent?.close();
      // what can't be removed stays
      await job.partial?.close().catch(() => {});
    }).finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  async #do(job: Job, request: Exclude<FileRequest, { ask: "close" }>): Promise<void> {
    if (job.isClosed) return;
    const result = await this.#answer(job, request);
    if (!job.isClosed) this.#done(result);
  }

  async #answer(job: Job, request: Exclude<FileRequest, { ask: "close" }>): Promise<FileResult> {
    try {
      return await this.#fulfil(job, request);
    } catch (error) {
      const access: Access = request.ask === "inspect" || request.ask === "read" ? "read" : "write";
      const path = request.ask === "inspect" ? request.path : job.sent?.name ?? job.partial?.path ?? this.folder;
      const { problem, message: text } = failureOf(error, access, path);
      return { is: "failed", job: request.job, problem, text };
    }
  }

  async #fulfil(job: Job, request: Exclude<FileRequest, { ask: "close" }>): Promise<FileResult> {
    const { job: number, ask } = request;
    switch (ask) {
      case "inspect": {
        demandNone(job);
        const { name, size } = job.sent = await SentFile.open(request.path);
        return { is: "inspected", job: number, name, size, hash: await job.sent.hash(job) };
      }
      case "read": {
        const { at, length } = request;
        return { is: "read", job: number, at, octets: await opened(job.sent).read(at, length) };
      }
      case "create":
        demandNone(job);
        job.partial = await PartialFile.open(this.folder, request);
        return { is: "created", job: number, have: await job.partial.takeStock(job) };
      case "write":
        return { is: "written", job: number, have: await opened(job.partial).write(request.at, request.octets) };
      case "finish":
        return { is: "finished", job: number, path: await opened(job.partial).finish() };
    }
  }
}

function demandNone({ sent, partial }: Job): void {
  if (sent || partial) throw new FileFailure("failed", "the transfer has a file already");
}

function opened<F>(file: F | undefined): F {
  if (!file) throw new FileFailure("failed", "the file is not open");
  return file;
}
