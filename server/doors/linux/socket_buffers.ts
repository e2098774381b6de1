/**
 * Makes the system's buffers of connections smaller: by default it keeps up to some megabytes for one that does not read,
 * and as much of what one has said that the server does not read yet.
 *
 * @module
 */
import { type BufferSizes, setBuffers } from "../../../runtime/socket_buffers.ts";

/** It is enough for some seconds of a lively room. */
const SIZES: BufferSizes = { send: 128 << 10, receive: 64 << 10 };

/**
 * Makes the buffers of all connections smaller that a listener takes from now on, which have the options of the listener.
 * It never throws and never asks for a permission.
 *
 * @param address The listener's address.
 * @returns The reason if that is not possible.
 */
export function limitBuffers(address: Deno.NetAddr): string | undefined {
  return setBuffers(address, SIZES);
}
