/**
 * What a room has that protects names by passwords.
 *
 * @module
 */
import type { CryptoFunctions } from "../../protocol/crypto_functions.ts";
import type { KeptMember } from "../journal/past.ts";
import { accountOrders } from "./account_orders.ts";
import type { Accounts } from "./accounts.ts";
import { Attempts } from "./attempts.ts";
import type { Delivery } from "./delivery.ts";
import { type BeginDerivation, Derivations } from "./derivations.ts";
import type { Limits } from "./limits.ts";
import { LineLogins } from "./line_login.ts";
import { Logins } from "./login.ts";
import type { Members } from "./members.ts";
import type { OrderCommand } from "./orders.ts";
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
  members: Members;
  delivery: Delivery;
  limits: Limits;
  /** Undefined if this server protects no names. */
  parts: ProtectionParts | undefined;
  /** Prints a line on the server's terminal. Default: nothing is printed. */
  tellTerminal?: (line: string) => void;
  /** What salts are made up with; with the same secret, the same ones. Default: a random one. */
  secret?: string;
}

/** What the protection of names works with. */
export interface ProtectionParts {
  accounts: Accounts;
  crypto: CryptoFunctions;
  /** Begins to hash a password, which is handed to `Room.derived` later. */
  beginDerivation: BeginDerivation;
}

/** What protects the names of one room. */
export interface Protection {
  /** Undefined if this server protects no names. */
  logins: Logins | undefined;
  registrations: Registrations;
  /** Undefined unless passwords are taken over a connection. */
  lineLogins: LineLogins | undefined;
  derivations: Derivations;
  commands: readonly OrderCommand[];
  /** Whether a member of an earlier run of the server may stay. */
  mayStay(member: KeptMember): boolean;
}

/**
 * Makes what protects the names of a room.
 *
 * @throws {TypeError} if the options need accounts and there are none: such a room would let everybody in.
 */
export function newProtection(
  { membersOnly: isForMembersOnly = false, plainPasswords = false }: ProtectionOptions,
  { members, delivery, limits, parts: given, tellTerminal = () => {}, secret }: ProtectionContext,
): Protection {
  if (!given) {
    if (isForMembersOnly || plainPasswords) throw new TypeError("membersOnly and plainPasswords need accounts");
    return {
      logins: undefined,
      registrations: new Registrations({ delivery, limits, parts: undefined, isForMembersOnly: false }),
      lineLogins: undefined,
      derivations: new Derivations(() => {}),
      commands: accountOrders({ members, parts: undefined, tellTerminal, removed: () => {} }),
      mayStay: () => true,
    };
  }
  const { accounts, crypto, beginDerivation } = given, derivations = new Derivations(beginDerivation);
  const attempts = new Attempts(accounts), proofs = new Proofs({ accounts, crypto, attempts, secret });
  const parts = { accounts, attempts, crypto, derivations, proofs };
  const registrations = new Registrations({ delivery, limits, parts, isForMembersOnly });
  return {
    logins: new Logins({ accounts, proofs, isForMembersOnly, takesPlainPasswords: plainPasswords }),
    registrations,
    lineLogins: plainPasswords ? new LineLogins(parts) : undefined,
    derivations,
    commands: accountOrders({ members, parts, tellTerminal, removed: () => registrations.forgetKeys() }),
    mayStay: ({ name }) => !isForMembersOnly || name !== undefined && accounts.get(name) !== undefined,
  };
}
