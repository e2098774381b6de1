/**
 * Converts the name of a host, or any form of its address, to the form that a socket reports.
 *
 * @module
 */
import process from "node:process";
import { canonicalIPv6, isIPv4, isIPv6 } from "../protocol/ip_address.ts";
import { printable } from "../protocol/text.ts";
import { UsageError } from "./program.ts";

/**
 * Finds the address of a host. If the host has IPv4 and IPv6 addresses, it returns an IPv4 one, because servers listen
 * on IPv4 by default.
 *
 * @throws {UsageError} when there is no such host, or the address is valid on one link only.
 */
export async function resolveHost(host: string): Promise<string> {
  if (isIPv4(host) || isIPv6(host)) {
    if (host.includes("%")) {
      throw new UsageError(
        `${host} is an address of one link only, which can't be used here: give another of the server's`,
      );
    }
    const address = isIPv6(host) ? canonicalIPv6(host) : host;
    // datagrams to "any address" go to this machine, but the answers come from its loopback address
    return { "0.0.0.0": "127.0.0.1", "::": "::1" }[address] ?? address;
  }
  try {
    // node:dns in Deno 2.4 prints a deprecation warning about a module that it uses itself
    Object.assign(process, { noDeprecation: true });
    const { lookup } = await import("node:dns/promises");
    const found = await lookup(host, { all: true });
    return (found.find(({ family }) => family === 4) ?? found[0]).address;
  } catch (error) {
    if ((error as { code?: unknown }).code === "EPERM") throw new Deno.errors.NotCapable("--allow-net");
    throw new UsageError(
      `There is no host '${printable(host)}': give the server's name or its address, like 192.168.1.5`,
    );
  }
}
