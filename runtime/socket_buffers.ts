/**
 * Sets how much the system keeps for a socket: what it has not sent yet, and what the program has not read yet.
 *
 * @module
 */
import { findDescriptor, openLibrary, SOL_SOCKET } from "./libc.ts";

const SO_SNDBUF = 7, SO_RCVBUF = 8;

/** Sizes in bytes, of what waits; Linux takes twice as much, for its own bookkeeping. */
export interface BufferSizes {
  send?: number;
  /** No more than the system's limit (`net.core.rmem_max`) is granted. */
  receive?: number;
}

/**
 * Sets the sizes of the buffers of a socket that Deno opened. It never throws and never asks for a permission.
 *
 * @param address The address that the socket is bound to.
 * @returns The reason if that is not possible: another system, or the C library can't be called.
 */
export function setBuffers(address: Deno.NetAddr, { send, receive }: BufferSizes): string | undefined {
  const { os, arch } = Deno.build;
  if (os !== "linux") return `buffers are set on Linux only, not on ${os}`;
  try {
    if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return "it takes --allow-ffi";
    const library = openLibrary(arch);
    if (typeof library === "string") return library;
    try {
      const fd = findDescriptor(library.symbols, address);
      if (typeof fd !== "number") return fd.reason;
      const set = (option: number, bytes: number | undefined) =>
        bytes === undefined ||
        library.symbols.setsockopt(fd, SOL_SOCKET, option, new Uint8Array(Uint32Array.of(bytes).buffer), 4) === 0;
      return set(SO_SNDBUF, send) && set(SO_RCVBUF, receive) ? undefined : "the system has refused it";
    } finally {
      library.close();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
