/**
 * Hashes files piece by piece, so that nothing else waits long.
 *
 * @module
 */
import type { Hash } from "node:crypto";

/** How much is hashed or written at once, in bytes: it takes less than a millisecond. */
export const PIECE_BYTES = 256 * 1024;

/** Whether something that takes long is still wanted. */
export interface Wanted {
  readonly isClosed: boolean;
}

/**
 * Hashes the next bytes of a file, unless they are wanted no more.
 *
 * @returns How many there were.
 */
export async function hashNext(file: Deno.FsFile, length: number, hash: Hash, wanted: Wanted): Promise<number> {
  const piece = new Uint8Array(Math.min(length, PIECE_BYTES));
  let done = 0;
  while (done < length && !wanted.isClosed) {
    const read = await file.read(piece.subarray(0, Math.min(length - done, PIECE_BYTES)));
    if (read === null) break;
    hash.update(piece.subarray(0, read));
    done += read;
  }
  return done;
}
