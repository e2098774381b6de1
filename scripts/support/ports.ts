/**
 * Ports for servers that are stopped and started again.
 *
 * @module
 */

/** A range below the ports that systems choose themselves: Linux from 32,768, macOS and Windows from 49,152. */
const [LOWEST, HIGHEST] = [20_000, 32_000];

/**
 * Returns a free UDP port that the system gives to no other socket, even while no server listens there.
 *
 * @throws {Error} when none of a hundred random ports is free.
 */
export function freePort(): number {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    try {
      Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error(`No port from ${LOWEST} to ${HIGHEST} is free`);
}
