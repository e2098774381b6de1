/**
 * The network interfaces of this machine, and the addresses by which other machines reach it.
 *
 * @module
 */

/**
 * Returns the network interfaces of this machine.
 *
 * @returns undefined if they can't be listed, for instance without the permission. Nobody is asked for it: a server
 * that waits at its terminal stands still.
 */
export function networkInterfaces(): Deno.NetworkInterfaceInfo[] | undefined {
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "networkInterfaces" });
  if (state !== "granted") return undefined;
  try {
    return Deno.networkInterfaces();
  } catch {
    return undefined;
  }
}

/** The host of a socket that hears all addresses of this machine. */
export function isWildcard(hostname: string): boolean {
  return hostname === "0.0.0.0" || hostname === "::";
}

/**
 * Returns the addresses by which other machines reach a socket with a wildcard host. Addresses of one link only
 * (`fe80::`) are left out, because nobody can type them without the name of an interface of their own.
 *
 * @returns undefined without the permission to list them.
 */
export function ownAddresses(wildcard: string): string[] | undefined {
  const reachable = networkInterfaces()?.filter(({ family, address }) =>
    family === "IPv4"
      ? !address.startsWith("127.")
      : wildcard === "::" && address !== "::1" && !address.startsWith("fe80")
  );
  return reachable && [...new Set(reachable.map(({ address }) => address))];
}
