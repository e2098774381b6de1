/**
 * What a room has that protects names by passwords.
 *
 * @module
 */
import type { CryptoFunctions } from "../../protocol/crypto_functions.ts";
import type { Accounts } from "./accounts.ts";
import { Attempts } from "./attempts.ts";
import type { Delivery } from "./delivery.ts";
import type { Limits } from "./limits.ts";
import { Logins } from "./login.ts";
import { Proofs } from "./proofs.ts";
import { Registrations } from "./registration.ts";

/** How names are protected. */
export interface ProtectionOptions {
  /** Whether nobody gets in without an account. Default false. */
  membersOnly?: boolean;
  /** Whether passwords are taken over a connection, where others can read them. Default false. */
  plainPasswords?: boolean;
}

/** What the protection of names needs of the room. */
export interface ProtectionContext {
  delivery: Delivery;
  limits: Limits;
  /** Default: this server protects no names. */
  accounts?: Accounts;
  /** Needed for accounts. */
  crypto?: CryptoFunctions;
  /** What salts are made up with; with the same secret, the same ones. Default: a random one. */
  secret?: string;
}

/** What protects the names of one room. */
export interface Protection {
  /** Undefined if this server protects no names. */
  logins: Logins | undefined;
  registrations: Registrations;
}

/** Makes what protects the names of a room. */
export function newProtection(
  { membersOnly = false, plainPasswords = false }: ProtectionOptions,
  { delivery, limits, accounts, crypto, secret }: ProtectionContext,
): Protection {
  if (!accounts || !crypto) {
    const registrations = new Registrations({ delivery, limits, parts: undefined, isForMembersOnly: false });
    return { logins: undefined, registrations };
  }
  const attempts = new Attempts(), proofs = new Proofs({ accounts, crypto, attempts, secret });
  const parts = { accounts, attempts, crypto, proofs };
  return {
    logins: new Logins({ accounts, proofs, isForMembersOnly: membersOnly, takesPlainPasswords: plainPasswords }),
    registrations: new Registrations({ delivery, limits, parts, isForMembersOnly: membersOnly }),
  };
}
