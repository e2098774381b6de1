/** The protected names in a state file. */
import { assertEquals } from "@std/assert";
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

Deno.test("accounts: those of an earlier run are found by their names and by what looks like them", () => {
  const accounts = new MemoryAccounts([ACCOUNT]);
  assertEquals(accounts.get("ALICE"), ACCOUNT);
  assertEquals([accounts.lookAlikeOf("AIice"), accounts.lookAlikeOf("Alicia")], [ACCOUNT, undefined]);
});
