/**
 * Prints why classic peers may not join.
 *
 * @module
 */
import { splitAddress } from "../protocol/fields.ts";
import type { MemberObserver } from "./room/admission.ts";
import type { ClassicRefusal } from "./room/classic_policy.ts";

/** What follows the address in the line. */
const REASONS: Record<ClassicRefusal, (host: string) => string> = {
  off: () => "the classic dialect is off; start without --classic off to take it",
  network: (host) => `it is in no network that is known as nearby; --classic ${host} takes it, --classic any everyone`,
  address: () => "too many classic members have this IP address; --classic-per-address sets how many may",
  accounts: () => "--members-only lets in only who has an account, and they take our client",
  members: () => "too many classic members are here; --classic-members sets how many may be",
};

/** Returns why a classic peer may not join, in words. */
export function refusalWords(why: ClassicRefusal, host: string): string {
  return REASONS[why](host);
}

/** Returns an observer that prints one line for each reason, at the first peer that it concerns. */
export function refusalLog(print: (line: string) => void): MemberObserver {
  const printed = new Set<ClassicRefusal>();
  return {
    refused({ address }, why) {
      if (printed.has(why)) return;
      printed.add(why);
      const { hostname } = splitAddress(address);
      print(`Ignored a classic client at ${hostname}: ${refusalWords(why, hostname)}`);
    },
  };
}
