/**
 * Takes passwords over a connection, where others can read them, if the server was started so.
 *
 * @module
 */
import { addressKey } from "../../protocol/address_key.ts";
import { isEqualInConstantTime } from "../../protocol/bytes.ts";
import type { CryptoFunctions } from "../../protocol/crypto_functions.ts";
import { NAME_RULE, normalizeName } from "../../protocol/names.ts";
import { preparePassword } from "../../protocol/passwords.ts";
import { clientKeysOf, storedKeysOf } from "../../protocol/scram.ts";
import type { Accounts } from "./accounts.ts";
import type { Attempts } from "./attempts.ts";
import type { Derivations } from "./derivations.ts";
import type { Peer } from "./peer.ts";
import { type Proofs, TOO_MANY_TRIES, wrongPassword } from "./proofs.ts";

/** What these logins need of the room. */
export interface LineLoginsContext {
  accounts: Accounts;
  attempts: Attempts;
  crypto: CryptoFunctions;
  derivations: Derivations;
  proofs: Proofs;
}

/** What somebody has typed. */
export interface TypedLogin {
  name: string;
  password: string;
}

/** Told what becomes of a login: the name that is proven, or why not, as a line. */
export type LoginResult = (result: { name: string } | { problem: string }, now: number) => void;

const BUSY = "Too many log in at once: try again in a few seconds";
/** How long a line waits before it is looked at again while its sender's password is hashed, in milliseconds. */
export const LOGIN_PAUSE_MS = 50;

/** The logins over connections. */
export class LineLogins {
  readonly #context: LineLoginsContext;
  /** The keys of the peers whose passwords are looked at. */
  readonly #busy = new Set<string>();

  constructor(context: LineLoginsContext) {
    this.#context = context;
  }

  /** Whether a peer's password is looked at now; what it says meanwhile has to wait. */
  isBusy({ key }: Pick<Peer, "key">): boolean {
    return this.#busy.has(key);
  }

  /** Looks whether a password is right. For a name without an account this takes as long, and ends in the same way. */
  logIn(typed: TypedLogin, peer: Peer, now: number, then: LoginResult): void {
    const { accounts, attempts, crypto, derivations, proofs } = this.#context;
    const name = normalizeName(typed.name), by = addressKey(peer.address);
    if (name === undefined) return then({ problem: NAME_RULE }, now);
    if (!derivations.hasRoomFor(by)) return then({ problem: BUSY }, now);
    const attempt = proofs.attemptOf({ name, peer });
    if (!attempts.take(attempt, now)) return then({ problem: TOO_MANY_TRIES.text }, now);
    const { salt, rounds, storedKey } = proofs.keptOf(name);
    // no password is prepared to a control character
    const password = preparePassword(typed.password) ?? "\0";
    this.#busy.add(peer.key);
    derivations.ask({ password, salt, rounds }, by, (saltedPassword, now) => {
      this.#busy.delete(peer.key);
      const keys = saltedPassword && storedKeysOf(clientKeysOf(saltedPassword, crypto), crypto);
      // it may have changed meanwhile
      const isPresent = accounts.get(name)?.storedKey === storedKey;
      if (!keys || !isEqualInConstantTime(keys.storedKey, storedKey) || !isPresent) {
        attempts.failed(attempt, now);
        return then({ problem: wrongPassword(name).text }, now);
      }
      attempts.succeeded(attempt);
      then({ name }, now);
    });
  }
}
