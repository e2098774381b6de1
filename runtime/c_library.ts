/**
 * Where the C library is found.
 *
 * @module
 */

/** The names that the C library has: glibc's, and musl's two. */
export function libraryNames(arch: string): string[] {
  return ["libc.so.6", `libc.musl-${arch}.so.1`, `ld-musl-${arch}.so.1`];
}
