/**
 * A file that is sent: read, hashed, and watched for changes.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { harmlessName } from "../../protocol/file_names.ts";
import { MAX_FILE_NAME_BYTES } from "../../protocol/packets.ts";
import { byteLength } from "../../protocol/utf8.ts";
import { demandPermission, FileFailure } from "./file_failure.ts";
import { hashNext, type Wanted } from "./hashing.ts";
import { resolvePath } from "./typed_path.ts";

/** The most that is read at once, in bytes. */
const MAX_READ_BYTES = 1024 * 1024;

/** A file that is open to be read. Who replaces it by another one of its name does not change it. */
export class SentFile {
  /** Without the folder. */
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #modifiedAt: number | undefined;
  /** Where the next read begins, unless it is told. */
  #position = 0;

  private constructor(path: string, file: Deno.FsFile, info: Deno.FileInfo) {
    this.#path = path;
    this.#file = file;
    this.size = info.size;
    this.#modifiedAt = info.mtime?.getTime();
    const name = basename(path);
    this.name = byteLength(name) > MAX_FILE_NAME_BYTES ? harmlessName(name) : name;
  }

  /**
   * Opens a file.
   *
   * @param typed Its path, as a user types it.
   * @throws {FileFailure} If there is none, or it is no regular file, or may not be read.
   */
  static async open(typed: string): Promise<SentFile> {
    const path = await findTyped(typed);
    const file = await Deno.open(path);
    try {
      const info = await file.stat();
      demandRegular(path, info);
      return new SentFile(path, file, info);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /**
   * Returns the SHA-256 of the whole in hexadecimal digits; of a part only if it is wanted no more.
   *
   * @throws {FileFailure} If it is changed meanwhile, or has not as many bytes as the system says.
   */
  async hash(wanted: Wanted): Promise<string> {
    const hash = createHash("sha256");
    this.#position = await hashNext(this.#file, this.size, hash, wanted);
    if (!wanted.isClosed) {
      const isWhole = this.#position === this.size && await this.#file.read(new Uint8Array(1)) === null;
      await this.#demandSame(true);
      if (!isWhole) throw new FileFailure("not-a-file", `${this.#path} has no fixed size: send a copy of it`);
    }
    return hash.digest("hex");
  }

  /**
   * Reads a part of the file, if it is still what it was.
   *
   * @throws {FileFailure} If it is changed, or the part is none of it, or too long.
   */
  async read(at: number, length: number): Promise<Uint8Array> {
    if (at < 0 || length < 0 || length > MAX_READ_BYTES || at + length > this.size) {
      throw new FileFailure("failed", `what was to be read of ${this.#path} is no part of it`);
    }
    const octets = new Uint8Array(length);
    if (at !== this.#position) this.#position = await this.#file.seek(at, Deno.SeekMode.Start);
    let done = 0;
    while (done < octets.length) {
      const read = await this.#file.read(octets.subarray(done));
      if (read === null) break;
      done += read;
      this.#position += read;
    }
    await this.#demandSame(done === octets.length);
    return octets;
  }

  /** Lets go of the file. */
  close(): void {
    this.#file.close();
  }

  async #demandSame(isWhole: boolean): Promise<void> {
    const { size, mtime } = await this.#file.stat();
    if (isWhole && size === this.size && mtime?.getTime() === this.#modifiedAt) return;
    throw new FileFailure(
      "changed",
      `${this.#path} has been changed meanwhile: offer it again when nothing writes to it`,
    );
  }
}

/** Returns which file is meant: that of exactly this path, or what a shell would make of it. */
async function findTyped(typed: string): Promise<string> {
  let path = typed;
  demandPermission("read", path);
  try {
    // a pipe that is opened may wait for ever
    demandRegular(path, await Deno.stat(path));
  } catch (error) {
    path = resolvePath(typed);
    if (path === typed || !(error instanceof Deno.errors.NotFound)) throw error;
    demandPermission("read", path);
    demandRegular(path, await Deno.stat(path));
  }
  return path;
}

function demandRegular(path: string, { isFile, isDirectory }: Deno.FileInfo): void {
  if (isFile) return;
  throw new FileFailure("not-a-file", isDirectory ? `${path} is a folder` : `${path} is no regular file`);
}
