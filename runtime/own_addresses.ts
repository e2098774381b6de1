/**
 * The addresses by which other machines reach this one.
 *
 * @module
 */

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
  let interfaces: Deno.NetworkInterfaceInfo[];
  try {
    interfaces = Deno.networkInterfaces();
  } catch {
    return undefined;
  }
  const reachable = interfaces.filter(({ family, address }) =>
    family === "IPv4"
      ? !address.startsWith("127.")
      : wildcard === "::" && address !== "::1" && !address.startsWith("fe80")
  );
  return [...new Set(reachable.map(({ address }) => address))];
}
