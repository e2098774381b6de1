/** The protected names in a state file. */
import { assertEquals, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { AccountTable } from "../../../server/journal/account_table.ts";
import { OrderTable } from "../../../server/journal/order_table.ts";
import { Writer } from "../../../server/journal/sqlite_writer.ts";
import { openState } from "../../../server/journal/state_file.ts";
import { MemoryAccounts } from "../../../server/room/accounts.ts";
import { ACCOUNT, copyAsAfterCrash, openFolder } from "../../support/state_files.ts";

Deno.test("accounts: they are in the file as soon as they are put there, changed or removed", () => {
  using folder = openFolder();
  const path = folder.file(), state = openState(path);
  const accounts = new MemoryAccounts(state.accounts, state.accountTable);
  /** What the next server finds if this one crashes now. */
  const kept = () => {
    const { accounts, close } = openState(copyAsAfterCrash(path, folder.file("copy.db")));
    close();
    return accounts.sort((a, b) => a.name < b.name ? -1 : 1);
  };
  accounts.put(ACCOUNT);
  assertEquals(kept(), [ACCOUNT]);
  const bob = { ...ACCOUNT, name: "Bob", isOperator: true };
  accounts.put(bob);
  // the same name
  accounts.put({ ...ACCOUNT, name: "ALICE", rounds: 700_000 });
  assertEquals(kept(), [{ ...ACCOUNT, name: "ALICE", rounds: 700_000 }, bob]);
  assertEquals([accounts.remove("alice"), accounts.remove("alice"), accounts.size], [true, false, 1]);
  assertEquals(kept(), [bob]);
  state.close();
});

Deno.test("accounts: from where they were signed in to is in the file, and goes with the account", () => {
  using folder = openFolder();
  const path = folder.file();
  const open = () => {
    const state = openState(path);
    return { state, accounts: new MemoryAccounts(state.accounts, state.accountTable, state.knownAddresses) };
  };
  const first = open();
  first.accounts.put(ACCOUNT);
  first.accounts.setKnownAddresses("ALICE", ["192.0.2.1", "8193:3512:0:0"]);
  // of a name without an account nothing is kept
  first.accounts.setKnownAddresses("Bob", ["192.0.2.2"]);
  first.state.close();
  const second = open();
  assertEquals(second.accounts.knownAddresses("alice"), ["192.0.2.1", "8193:3512:0:0"]);
  assertEquals(second.accounts.knownAddresses("Bob"), []);
  second.accounts.put({ ...ACCOUNT, rounds: 700_000 });
  assertEquals(second.accounts.knownAddresses("alice").length, 2);
  second.accounts.remove("Alice");
  second.accounts.put(ACCOUNT);
  second.state.close();
  const third = open();
  assertEquals(third.accounts.knownAddresses("alice"), []);
  third.state.close();
});

Deno.test("accounts: what was removed or changed stands nowhere in the file", () => {
  using folder = openFolder();
  const path = folder.file(), state = openState(path);
  const accounts = new MemoryAccounts(state.accounts, state.accountTable);
  const secret = "a key that nobody must find here";
  for (const name of ["Alice", "Bob"]) {
    accounts.put({ ...ACCOUNT, name, storedKey: new TextEncoder().encode(secret) });
  }
  accounts.remove("Alice");
  accounts.put({ ...ACCOUNT, name: "Bob" });
  state.close();
  assertEquals(new TextDecoder("latin1").decode(Deno.readFileSync(path)).includes(secret), false);
});

Deno.test("accounts: those of an earlier run are found by their names and by what looks like them", () => {
  const accounts = new MemoryAccounts([ACCOUNT]);
  assertEquals(accounts.get("ALICE"), ACCOUNT);
  assertEquals([accounts.lookAlikeOf("AIice"), accounts.lookAlikeOf("Alicia")], [ACCOUNT, undefined]);
});

Deno.test("accounts: one that can't be written is not there, and one that can't be removed stays", () => {
  const fail = (): never => {
    throw new Error("No space left on device");
  };
  const accounts = new MemoryAccounts([ACCOUNT], { put: fail, removeAll: fail, setKnownAddresses: () => {} });
  assertThrows(() => accounts.put({ ...ACCOUNT, name: "Bob" }));
  assertThrows(() => accounts.put({ ...ACCOUNT, rounds: 700_000 }));
  assertThrows(() => accounts.remove("Alice"));
  assertEquals(accounts.all(), [ACCOUNT]);
});

Deno.test("accounts and bans: a power failure does not undo them, for which each write waits for the disk", () => {
  using folder = openFolder();
  openState(folder.file()).close();
  const database = new DatabaseSync(folder.file());
  const writer = new Writer(database, "room.db");
  /** Whether a write has waited: the setting of the last one is still there. */
  const hasWaited = (write: () => void): boolean => {
    database.exec("PRAGMA synchronous = OFF");
    write();
    return database.prepare("PRAGMA synchronous").get()!.synchronous === 2;
  };
  const accounts = new AccountTable(writer), order = new OrderTable(writer);
  const writes: [() => void, boolean][] = [
    [() => accounts.put(ACCOUNT), true],
    [() => accounts.removeAll(["Alice"]), true],
    [() => order.putBan({ what: "Bob", holder: "", until: undefined }), true],
    [() => order.dropBans(["Bob"]), true],
    // at worst somebody has to wait who would not have to
    [() => accounts.setKnownAddresses("Alice", ["192.0.2.1"]), false],
  ];
  for (const [write, waits] of writes) assertEquals(hasWaited(write), waits, `${write}`);
  database.close();
});
