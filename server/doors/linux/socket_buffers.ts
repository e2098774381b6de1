/**
 * Makes the system's buffers of connections smaller: by default it keeps up to some megabytes for one that does not read,
 * and as much of what one has said that the server does not read yet.
 *
 * @module
 */
import { findDescriptor, openLibrary, SOL_SOCKET } from "./libc.ts";

const SO_SNDBUF = 7, SO_RCVBUF = 8;
/**
 * What is asked for, in bytes; Linux takes twice as much, for its own bookkeeping. It is enough for some seconds of a
 * lively room.
 */
const SEND_BYTES = 128 << 10, RECEIVE_BYTES = 64 << 10;

/**
 * Makes the buffers of all connections smaller that a listener takes from now on, which have the options of the listener.
 * It never throws and never asks for a permission.
 *
 * @param address The listener's address.
 * @returns The reason if that is not possible: another system, or the C library can't be called.
 */
export function limitBuffers(address: Deno.NetAddr): string | undefined {
  const { os, arch } = Deno.build;
  if (os !== "linux") return `buffers are limited on Linux only, not on ${os}`;
  try {
    if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return "it takes --allow-ffi";
    const library = openLibrary(arch);
    if (typeof library === "string") return library;
    try {
      const fd = findDescriptor(library.symbols, address);
      if (typeof fd !== "number") return fd.reason;
      const set = (option: number, bytes: number) =>
        library.symbols.setsockopt(fd, SOL_SOCKET, option, new Uint8Array(Uint32Array.of(bytes).buffer), 4) === 0;
      return set(SO_SNDBUF, SEND_BYTES) && set(SO_RCVBUF, RECEIVE_BYTES) ? undefined : "the system has refused it";
    } finally {
      library.close();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
