/**
 * What is typed into the server's terminal about protected names.
 *
 * @module
 */
import type { CryptoFunctions } from "../../protocol/crypto_functions.ts";
import { reservedBecause } from "../../protocol/look_alikes.ts";
import { NAME_RULE, nameKey, normalizeName } from "../../protocol/names.ts";
import { ROUNDS, SALT_BYTES } from "../../protocol/passwords.ts";
import { clientKeysOf, storedKeysOf } from "../../protocol/scram.ts";
import { pluralize } from "../../protocol/text.ts";
import { type Accounts, MAX_ACCOUNTS } from "./accounts.ts";
import { type Derivations, TERMINAL } from "./derivations.ts";
import type { Members } from "./members.ts";
import { type OrderCommand, OrderProblem } from "./orders.ts";

/** What the orders about accounts need of the room. */
export interface AccountOrdersContext {
  members: Members;
  /** Undefined if this server protects no names. */
  parts: { accounts: Accounts; crypto: CryptoFunctions; derivations: Derivations } | undefined;
  /** Prints a line on the server's terminal, later than the answer. */
  tellTerminal: (line: string) => void;
  /** Called when names have been removed. */
  removed: () => void;
}

/**
 * The letters of a password, which sound different from each other: 16 and 4, so that each letter is equally likely.
 */
const CONSONANTS = "bdfghjklmnprstvz", VOWELS = "aeiu";
const GROUPS = 3;
/** How many of the names are listed that were removed together. */
const MAX_LISTED = 20;

/** The orders about accounts. */
export function accountOrders({ members, parts, tellTerminal, removed }: AccountOrdersContext): OrderCommand[] {
  const present = () => {
    if (!parts) throw new OrderProblem("This server protects no names: start it with --state FILE");
    return parts;
  };
  /** Why a name can't become a protected one now; undefined if it can. */
  const refusal = (name: string): string | undefined => {
    const { accounts } = present();
    const other = accounts.lookAlikeOf(name), [here] = members.lookAlikesOf(name);
    if (accounts.get(name)) {
      return `The name ${name} is registered already; account password ${name} makes a new password for it`;
    }
    if (other) return `The name ${name} looks like ${other.name}, which is registered`;
    if (here) return `${here.name} is here now: it has to leave first, or to say /register itself`;
    return accounts.size >= MAX_ACCOUNTS ? `There are ${MAX_ACCOUNTS} accounts, which is the most` : undefined;
  };
  /** Makes a password for a name, keeps its keys, and prints it, unless there is a problem by then. */
  const give = (name: string, problemOf: () => string | undefined, otherwise: string) => {
    const { accounts, crypto, derivations } = present();
    if (!derivations.hasRoomFor(TERMINAL)) {
      throw new OrderProblem("The last ones are not done yet: try again in a second");
    }
    const password = newPassword(crypto), salt = crypto.randomBytes(SALT_BYTES);
    derivations.ask({ password, salt, rounds: ROUNDS }, TERMINAL, (saltedPassword) => {
      const problem = saltedPassword ? problemOf() : "The password can't be hashed";
      if (!saltedPassword || problem !== undefined) return tellTerminal(`${otherwise} for ${name}: ${problem}`);
      const keys = storedKeysOf(clientKeysOf(saltedPassword, crypto), crypto);
      const { isOperator = false } = accounts.get(name) ?? {};
      accounts.put({ name, salt, rounds: ROUNDS, isOperator, ...keys });
      tellTerminal(`The password of ${name} is ${password} (shown only now; ${name} can change it by /password)`);
    });
  };
  const add = (typed: string): string => {
    const name = normalizeName(typed);
    if (name === undefined) throw new OrderProblem(NAME_RULE);
    const problem = reservedBecause(name) ?? refusal(name);
    if (problem !== undefined) throw new OrderProblem(problem);
    // somebody may come meanwhile
    give(name, () => refusal(name), "No account");
    return `Making an account for ${name} …`;
  };
  const change = (typed: string): string => {
    const account = present().accounts.get(typed);
    if (!account) throw new OrderProblem(`The name ${typed} is not registered; account add registers it`);
    const { name } = account;
    give(name, () => present().accounts.get(name) ? undefined : "it is not registered any more", "No new password");
    return `Making a new password for ${name} …`;
  };
  const removeOne = (typed: string): string => {
    const { accounts } = present(), account = accounts.get(typed);
    if (!account) return `The name ${typed} is not registered`;
    accounts.remove(typed);
    const text = `The name ${account.name} is not registered any more${
      account.isOperator ? ", and no operator's" : ""
    }`;
    return members.withName(typed) ? `${text}; who has it now keeps it until it leaves` : text;
  };
  const removeAll = (pattern: string): string => {
    const { accounts } = present(), start = nameKey(pattern.slice(0, -1));
    const names = accounts.all().map(({ name }) => name).filter((name) => nameKey(name).startsWith(start));
    accounts.removeAll(names);
    const left = names.slice(0, MAX_LISTED).join(", ") + (names.length > MAX_LISTED ? ", …" : "");
    return names.length === 0 ? `No registered name is like ${pattern}` : `Not registered any more: ${left}`;
  };
  const remove = (typed: string): string => {
    const answers = typed.split(/\s+/).map((one) => one.endsWith("*") ? removeAll(one) : removeOne(one));
    removed();
    return answers.join("\n");
  };
  const list = (): string => {
    const all = present().accounts.all();
    const names = all.map(({ name, isOperator }) => {
      const marks = [...isOperator ? ["operator"] : [], ...members.withName(name) ? ["here"] : []];
      return marks.length > 0 ? `${name} (${marks.join(", ")})` : name;
    });
    return names.length === 0 ? "No accounts" : `${pluralize(names.length, "account")}: ${names.join(", ")}`;
  };
  const isForTerminal = true;
  return [
    {
      word: "account add",
      parameters: ["NAME"],
      isForTerminal,
      summary: "registers a name, with a new password",
      run: (_, __, name) => add(name),
    },
    {
      word: "account password",
      parameters: ["NAME"],
      isForTerminal,
      summary: "gives a registered name another password",
      run: (_, __, name) => change(name),
    },
    {
      word: "account remove",
      parameters: ["NAME…"],
      isForTerminal,
      summary: "gives names to whoever comes first again; Bot* is all that begin so",
      run: (_, __, names) => remove(names),
    },
    {
      word: "account list",
      parameters: [],
      isForTerminal,
      summary: "lists the registered names, and who of them is here",
      run: list,
    },
  ];
}

/** A password of 48 random bits that can be read aloud and typed: `bakal-simuv-tured`. */
export function newPassword({ randomBytes }: Pick<CryptoFunctions, "randomBytes">): string {
  return Array.from({ length: GROUPS }, () => {
    const [high, low] = randomBytes(2);
    const bits = high << 8 | low;
    const consonant = (at: number) => CONSONANTS[bits >> at & 15], vowel = (at: number) => VOWELS[bits >> at & 3];
    return consonant(0) + vowel(4) + consonant(6) + vowel(10) + consonant(12);
  }).join("-");
}
