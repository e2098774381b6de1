/**
 * The flags that say who may speak the classic dialect.
 *
 * @module
 */
import { type IPNetwork, parseNetwork } from "../protocol/ip_network.ts";
import { type Args, parseNumber } from "../runtime/command_line.ts";
import { UsageError } from "../runtime/program.ts";
import type { ClassicPolicyOptions } from "./room/classic_policy.ts";

/** The names of the flags. The first one may be given several times. */
export const CLASSIC_FLAGS: string[] = ["classic", "classic-members", "classic-per-address"];

/** @throws {UsageError} if a value is not valid. */
export function parseClassic(read: Args): Omit<ClassicPolicyOptions, "localNetworks"> {
  return {
    from: parseSources(read.classic),
    members: parseNumber(read, "classic-members", 0, 1_000_000),
    perAddress: parseNumber(read, "classic-per-address", 1, 1_000_000),
  };
}

function parseSources(values: string[]): ClassicPolicyOptions["from"] {
  const words = values.flatMap((value) => value.split(",")).map((word) => word.trim().toLowerCase());
  if (words.includes("off")) {
    if (words.some((word) => word !== "off")) {
      throw new UsageError("--classic is off and names a network too: give only one of the two");
    }
    return "off";
  }
  const networks = words.filter((word) => word !== "any").map(parseSource);
  return words.includes("any") ? "any" : networks;
}

function parseSource(word: string): IPNetwork {
  const network = parseNetwork(word);
  if (!network) {
    throw new UsageError(`--classic takes a network like 192.0.2.0/24 or 2001:db8::/64, or any, or off; not '${word}'`);
  }
  return network;
}
