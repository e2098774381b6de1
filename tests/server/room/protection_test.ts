/** A room that is to let in only who has an account has accounts, or is not made. */
import { assertEquals, assertThrows } from "@std/assert";
import { MemoryAccounts } from "../../../server/room/accounts.ts";
import { FakeRoom } from "../../support/fake_room.ts";

Deno.test("protection: what needs accounts is no room without them", () => {
  for (const options of [{ membersOnly: true }, { plainPasswords: true }]) {
    assertThrows(() => new FakeRoom(options), TypeError, "membersOnly and plainPasswords need accounts");
    assertEquals(new FakeRoom({ ...options, accounts: new MemoryAccounts() }).room.size, 0);
  }
  new FakeRoom({ membersOnly: false, plainPasswords: false });
});
