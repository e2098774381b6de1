/**
 * The file names of the C library on Linux.
 *
 * @module
 */

/** Returns the names that the C library may have: glibc's, and musl's two. */
export function libraryNames(arch: string): string[] {
  return ["libc.so.6", `libc.musl-${arch}.so.1`, `ld-musl-${arch}.so.1`];
}
