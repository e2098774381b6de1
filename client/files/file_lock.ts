/**
 * Keeps two programs from writing to one file.
 *
 * @module
 */

/** How long it is waited where a lock can only be waited for, in milliseconds. */
const PATIENCE_MS = 500;

/** A file of a newer Deno. */
type Lockable = { tryLock?: (exclusive: boolean) => Promise<boolean> };

/** The paths of which a lock is waited for. */
const waited = new Set<string>();

/**
 * Locks a file for this program alone, until the file is closed; the system forgets it with the program.
 *
 * @returns Whether it could be had. Where there are no locks, as in some networks, it always can.
 */
export async function lock(file: Deno.FsFile, path: string): Promise<boolean> {
  const { tryLock } = file as Lockable;
  if (tryLock) return await tryLock.call(file, true).catch(() => true);
  // Deno 2.4 has only a lock that waits, in a thread of its own: not more than one for each file
  if (waited.has(path)) return false;
  waited.add(path);
  const locked = file.lock(true).catch(() => {}).then(() => waited.delete(path));
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), PATIENCE_MS);
  try {
    return await Promise.race([promise, locked]);
  } finally {
    clearTimeout(timer);
  }
}
