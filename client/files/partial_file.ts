/**
 * A file that comes: written beside its final name, and given that when it is whole and verified.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join, sep } from "node:path";
import { harmlessName, numberedName } from "../../protocol/file_names.ts";
import { demandPermission, failureOf, FileFailure } from "./file_failure.ts";
import { lock } from "./file_lock.ts";
import { hashNext, PIECE_BYTES, type Wanted } from "./hashing.ts";

/** What a file is to become. */
export interface Expected {
  /** As its sender calls it. */
  name: string;
  /** In bytes. */
  size: number;
  /** Its SHA-256 in hexadecimal digits. */
  hash: string;
}

const HASH = /^[0-9a-f]{64}$/;
/** How many hexadecimal digits tell partial files apart. */
const DIGITS = 16;
/**
 * The rights that a partial file begins with, less those that the user gives to no new file. Who may write to it while
 * it comes may write what is not verified; the rights are those of its final name too, as Deno can't change them later
 * without following a link.
 */
const MODE = 0o644;
/** The right to write of all but the owner. */
const OTHERS_WRITE = 0o022;
/** How often the partial file may be replaced by others while it is opened. */
const MAX_TRIES = 5;
/** How many files of one name there may be. */
const MAX_SAME_NAMES = 9999;

/** A file that is not whole yet. No other program has it open in this way. */
export class PartialFile {
  readonly #folder: string;
  readonly #path: string;
  readonly #expected: Expected;
  readonly #file: Deno.FsFile;
  readonly #hash = createHash("sha256");
  /** How many bytes are there; and how many of them are hashed, and followed by the next that is written. */
  #length: number;
  #have = 0;
  /** How many bytes were there before this transfer. */
  #had = 0;
  #isNamed = false;

  private constructor(folder: string, path: string, expected: Expected, file: Deno.FsFile, length: number) {
    this.#folder = folder;
    this.#path = path;
    this.#expected = expected;
    this.#file = file;
    this.#length = length;
  }

  /**
   * Opens the partial file of what was offered, and makes it, and the folder, if there is none. It has a name of its
   * own for each name, size and hash.
   *
   * @throws {FileFailure} If it can't be written to, or another program or user can, or it is longer than the file.
   */
  static async open(folder: string, offered: Expected): Promise<PartialFile> {
    if (!HASH.test(offered.hash)) throw new FileFailure("failed", "the hash of the file is malformed");
    const expected = { ...offered, name: harmlessName(offered.name) };
    const path = join(folder, `.${expected.name}.${digitsOf(expected)}.part`);
    demandPermission("write", folder);
    demandPermission("read", folder);
    await makeFolder(folder);
    const file = await openAlone(path);
    try {
      const { size: length } = await file.stat();
      if (length > expected.size) throw inTheWay(path, "it is longer than the file that comes");
      return new PartialFile(folder, path, expected, file, length);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** The path of the partial file. */
  get path(): string {
    return this.#path;
  }

  /** Hashes what is there already, as long as it is wanted; returns how many bytes that is. */
  async takeStock(wanted: Wanted): Promise<number> {
    this.#have = this.#had = await hashNext(this.#file, this.#length, this.#hash, wanted);
    return this.#have;
  }

  /**
   * Writes what is next.
   *
   * @returns How many bytes are there now.
   * @throws An error of the system, for example because the disk is full; what was written stays.
   */
  async write(at: number, octets: Uint8Array): Promise<number> {
    if (at !== this.#have || at + octets.length > this.#expected.size || this.#isNamed) {
      throw new FileFailure("failed", `what was to be written to ${this.#path} is not what is next`);
    }
    for (let done = 0; done < octets.length;) {
      const piece = octets.subarray(done, done + PIECE_BYTES), written = await this.#file.write(piece);
      if (written === 0) throw new FileFailure("failed", `the disk takes no more of ${this.#path}`);
      this.#hash.update(piece.subarray(0, written));
      done += written;
      this.#have += written;
      this.#length = this.#have;
    }
    return this.#have;
  }

  /**
   * Checks the whole, and gives it its final name, with a number if there is a file of that name.
   *
   * @returns The path that it has then.
   * @throws {FileFailure} If it is not what was offered: then nothing of it stays.
   */
  async finish(): Promise<string> {
    const { name, size, hash } = this.#expected;
    if (this.#have !== size || this.#isNamed) throw new FileFailure("failed", `${this.#path} is not whole`);
    if (this.#hash.digest("hex") !== hash) {
      await this.#remove();
      // which of the two was wrong can't be told: the part from before may have come from somebody else
      const [before, then] = this.#had > 0 ? [", or what was here of it before,", ", it begins anew"] : ["", ""];
      throw new FileFailure(
        "wrong-hash",
        `what has arrived${before} is not what was offered: let ${name} be offered again${then}`,
      );
    }
    await this.#file.syncData();
    if (!await isSame(this.#file, this.#path)) {
      throw new FileFailure("failed", `${this.#path} is gone: somebody has removed or replaced it`);
    }
    const final = await giveName(this.#file, this.#path, this.#folder, name);
    this.#isNamed = true;
    return pathAsTyped(this.#folder, final);
  }

  /** Lets go of the file. It stays if anything is in it. */
  async close(): Promise<void> {
    try {
      if (!this.#isNamed && this.#length === 0) await this.#remove();
    } finally {
      this.#file.close();
    }
  }

  async #remove(): Promise<void> {
    this.#length = 0;
    if (await isSame(this.#file, this.#path)) await removeIfThere(this.#path);
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists || error instanceof Deno.errors.NotADirectory) {
      throw new FileFailure("failed", `${folder} is no folder`);
    }
    throw failureOf(error, "write", folder);
  }
}

/** Tells partial files apart: whoever offers another file, though it has the same name or hash, gets to another one. */
function digitsOf({ name, size, hash }: Expected): string {
  return createHash("sha256").update(`${name}\n${size}\n${hash}`).digest("hex").slice(0, DIGITS);
}

function inTheWay(path: string, why: string): FileFailure {
  return new FileFailure("failed", `${path} is in the way, as ${why}: delete it, or have files come to another folder`);
}

/** Opens a file that this program alone writes to. No link is followed, as it might lead to a file of the user. */
async function openAlone(path: string): Promise<Deno.FsFile> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const there = await infoOf(path);
    if (there && !there.isFile) throw inTheWay(path, "it is no regular file");
    const file = await openIf(path, there !== undefined);
    if (!file) continue;
    try {
      if (!await lock(file, path)) {
        throw new FileFailure("failed", `${path} is in use: the same file is on its way to this folder already`);
      }
      // it may have been removed, or replaced by a link, before it was locked
      if (await isSame(file, path)) {
        const info = await file.stat();
        if (!hasOtherNames(info)) {
          if (there) await demandOwn(path, info);
          return file;
        }
        // a program was killed just when it gave the file its name, or it is a file of the user's: only the name goes,
        // and not before the lock is here, as another program may just be giving the file its name
        await removeIfThere(path);
      }
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }
  throw new FileFailure("failed", `${path} is in use by another program`);
}

/**
 * Demands that nobody else can write to a file that was there, or has opened it when he could: in a shared folder it
 * may be somebody's trap. It has to be like one that is made here, as some disks know no owners and no rights.
 */
async function demandOwn(path: string, { uid, mode }: Deno.FileInfo): Promise<void> {
  if (uid === null || mode === null) return;
  const own = await infoOfNew(`${path}.${crypto.randomUUID().slice(0, 8)}`);
  if (uid !== own.uid) throw inTheWay(path, "it is another user's");
  if ((mode & ~(own.mode ?? 0) & OTHERS_WRITE) !== 0) throw inTheWay(path, "other users may write to it");
}

/** Makes a file, and removes it again; returns what the system says of it. */
async function infoOfNew(path: string): Promise<Deno.FileInfo> {
  const file = await Deno.open(path, { write: true, createNew: true, mode: MODE });
  try {
    return await file.stat();
  } finally {
    file.close();
    await removeIfThere(path);
  }
}

/** Opens a file that is there, or makes one; undefined if others have removed or made it meanwhile. */
async function openIf(path: string, isThere: boolean): Promise<Deno.FsFile | undefined> {
  try {
    return await Deno.open(path, { read: true, write: true, ...isThere ? {} : { createNew: true, mode: MODE } });
  } catch (error) {
    if (error instanceof (isThere ? Deno.errors.NotFound : Deno.errors.AlreadyExists)) return undefined;
    throw error;
  }
}

/** Whether a path, no link followed, is that of an open file. */
async function isSame(file: Deno.FsFile, path: string): Promise<boolean> {
  const one = await file.stat(), other = await infoOf(path);
  return other?.isFile === true && one.dev === other.dev && one.ino === other.ino;
}

function hasOtherNames({ nlink }: Deno.FileInfo): boolean {
  return nlink !== null && nlink > 1;
}

async function infoOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Gives a file its final name, or the first one with a number that is free; returns it. */
async function giveName(file: Deno.FsFile, path: string, folder: string, name: string): Promise<string> {
  for (let n = 1; n <= MAX_SAME_NAMES; n++) {
    const final = n === 1 ? name : numberedName(name, n);
    if (await moveUnlessThere(file, path, join(folder, final))) return final;
  }
  throw new FileFailure("failed", `there are ${MAX_SAME_NAMES} files of the name ${name} already`);
}

/** Gives a file another path unless there is anything; returns whether it has it. */
async function moveUnlessThere(file: Deno.FsFile, path: string, to: string): Promise<boolean> {
  try {
    await Deno.link(path, to);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    return await renameUnlessThere(path, to);
  }
  // it has its name now, whatever becomes of the other one; where there are no locks that may be another file's already
  if (await isSame(file, path).catch(() => false)) await removeIfThere(path).catch(() => {});
  return true;
}

/** The same where files can't have two names, as on a FAT: an empty file takes the name until it is replaced. */
async function renameUnlessThere(path: string, to: string): Promise<boolean> {
  const holder = await openIf(to, false);
  if (!holder) return false;
  holder.close();
  try {
    await Deno.rename(path, to);
  } catch (error) {
    await removeIfThere(to);
    throw error;
  }
  return true;
}

/** Returns the path of a file in a folder, as a user would type it. */
export function pathAsTyped(folder: string, name: string): string {
  const path = join(folder, name);
  return path === name ? `.${sep}${name}` : path;
}
