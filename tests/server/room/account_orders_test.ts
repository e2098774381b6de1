/** What is typed into the server's terminal about protected names. */
import { assertEquals, assertMatch } from "@std/assert";
import { CRYPTO } from "../../../runtime/crypto.ts";
import { newPassword } from "../../../server/room/account_orders.ts";
import { MemoryAccounts } from "../../../server/room/accounts.ts";
import { accountOf, quickDerive, signInWith } from "../../support/accounts.ts";
import { FakeRoom, one } from "../../support/fake_room.ts";

const A = "192.0.2.1:40001", TOKEN = "00000000000000aa";

function newRoom(options: { accounts?: MemoryAccounts | undefined } = { accounts: new MemoryAccounts() }) {
  const printed: string[] = [];
  const room = new FakeRoom({ ...options, tellTerminal: (line) => printed.push(line) });
  const type = (line: string) => room.room.order(line, room.now).text;
  const derive = () => {
    const derivation = room.derivations.shift()!;
    room.room.derived(quickDerive(derivation), room.now);
    return derivation;
  };
  return { room, accounts: options.accounts!, printed, type, derive };
}

Deno.test("account add: its password is printed once, when it is hashed, and signs in", () => {
  const { room, accounts, printed, type, derive } = newRoom();
  assertEquals([type("account add Alice"), printed, accounts.size], ["Making an account for Alice …", [], 0]);
  const { password, rounds } = derive();
  assertEquals([rounds, accounts.size], [600_000, 1]);
  assertEquals(printed, [`The password of Alice is ${password} (shown only now; Alice can change it by /password)`]);
  one(signInWith({ room, from: A, token: TOKEN, name: "Alice", password }), "WELCOME");
});

Deno.test("account add: not for a name that somebody has or that looks like one, before or while it is hashed", () => {
  const { room, accounts, printed, type, derive } = newRoom();
  accounts.put(accountOf("Bob", "correct horse"));
  room.move(A, TOKEN, "Alice");
  const here = "Alice is here now: it has to leave first, or to say /register itself";
  assertEquals([type("account add alice"), type("account add AIice")], [here, here]);
  assertEquals(
    type("account add bob"),
    "The name bob is registered already; account password bob makes a new password for it",
  );
  assertEquals(type("account add B0b"), "The name B0b looks like Bob, which is registered");
  assertMatch(type("account add two words"), /^A name has 1 to 32 letters/);
  assertMatch(type("account add Server"), /looks like the server/);
  type("account add Carol");
  room.move("192.0.2.2:2", "00000000000000bb", "Carol");
  derive();
  assertEquals(printed, ["No account for Carol: Carol is here now: it has to leave first, or to say /register itself"]);
  assertEquals(accounts.size, 1);
});

Deno.test("account remove, account list: who has the name keeps it until it leaves", () => {
  const { room, accounts, type } = newRoom();
  assertEquals(type("account list"), "No accounts");
  accounts.put(accountOf("Bob", "correct horse", true));
  accounts.put(accountOf("Alice", "correct horse"));
  assertEquals(type("Account  LIST"), "2 accounts: Alice, Bob (operator)");
  one(signInWith({ room, from: A, token: TOKEN, name: "Alice", password: "correct horse" }), "WELCOME");
  const gone = "The name Alice is not registered any more; who has it now keeps it until it leaves";
  assertEquals([type("account remove alice"), type("account remove alice")], [
    gone,
    "The name alice is not registered",
  ]);
  assertEquals(type("account list"), "1 account: Bob (operator)");
  assertEquals(type("account remove Bob"), "The name Bob is not registered any more, and no operator's");
  assertEquals(room.room.users().names, ["Alice"]);
});

Deno.test("account password: a new one is printed, also while somebody has the name, and an operator stays one", () => {
  const { room, accounts, printed, type, derive } = newRoom();
  accounts.put(accountOf("Alice", "correct horse", true));
  const person = { room, from: A, token: TOKEN, name: "Alice" };
  one(signInWith({ ...person, password: "correct horse" }), "WELCOME");
  assertEquals(type("account list"), "1 account: Alice (operator, here)");
  assertEquals(type("account password alice"), "Making a new password for Alice …");
  const { password } = derive();
  assertEquals(printed, [`The password of Alice is ${password} (shown only now; Alice can change it by /password)`]);
  assertEquals(accounts.get("Alice")!.isOperator, true);
  // who has the name keeps it; on another device only the new one will do
  assertEquals(room.room.users().names, ["Alice"]);
  const elsewhere = { ...person, from: "192.0.2.9:9", token: "00000000000000cc" };
  assertEquals(one(signInWith({ ...elsewhere, password: "correct horse" }), "ERROR").code, "wrong-password");
  one(signInWith({ ...elsewhere, password }), "WELCOME");
  assertEquals(type("account password Bob"), "The name Bob is not registered; account add registers it");
  type("account password Alice");
  type("account remove Alice");
  derive();
  assertEquals(printed.at(-1), "No new password for Alice: it is not registered any more");
});

Deno.test("account remove: several names, and all that begin in the same way", () => {
  const { accounts, type } = newRoom();
  for (const name of ["Alice", "Bob", "Carol", "Bot1", "bot2"]) accounts.put(accountOf(name, "correct horse"));
  assertEquals(
    type("account remove Alice  Nobody carol"),
    "The name Alice is not registered any more\nThe name Nobody is not registered\nThe name Carol is not registered any more",
  );
  assertEquals(type("account remove BOT*"), "Not registered any more: Bot1, bot2");
  assertEquals(type("account remove x*"), "No registered name is like x*");
  assertEquals(type("account list"), "1 account: Bob");
  for (let i = 0; i < 30; i++) accounts.put(accountOf(`Crowd${i}`, "correct horse"));
  assertMatch(type("account remove crowd*"), /^Not registered any more: (Crowd\d+, ){20}…$/);
  assertEquals(accounts.size, 1);
});

Deno.test("account: what is missing is said, members may not, and without --state there are none", () => {
  const { room, type } = newRoom();
  assertEquals(type("account"), "account takes add, password, remove or list");
  assertEquals(type("account hug"), "account takes add, password, remove or list");
  assertEquals([type("account add"), type("account list x")], ["account add takes NAME", "account list takes nothing"]);
  assertEquals([room.room.isOrder("account"), room.room.isOrder("accounts")], [true, false]);
  assertEquals(newRoom({}).type("account list"), "This server protects no names: start it with --state FILE");
});

Deno.test("account add: a password is easy to say, and has 48 random bits", () => {
  const passwords = new Set(Array.from({ length: 1000 }, () => newPassword(CRYPTO)));
  assertEquals(passwords.size, 1000);
  for (const password of passwords) {
    assertMatch(password, /^([b-z][aeiu][b-z][aeiu][b-z])(-[b-z][aeiu][b-z][aeiu][b-z]){2}$/);
  }
  const first = [0, 255].map((byte) => newPassword({ randomBytes: (length) => new Uint8Array(length).fill(byte) }));
  assertEquals(first, ["babab-babab-babab", "zuzuz-zuzuz-zuzuz"]);
});

Deno.test("account remove: all that begin in the same way are removed in one transaction", () => {
  const removed: (readonly string[])[] = [];
  const store = {
    put: () => {},
    setKnownAddresses: () => {},
    removeAll: (names: readonly string[]) => removed.push(names),
  };
  const names = ["Bob", "Bot1", "Bot2", "Bot3"];
  const accounts = new MemoryAccounts(names.map((name) => accountOf(name, "correct horse")), store);
  const room = new FakeRoom({ accounts });
  assertEquals(room.room.order("account remove Bot*", room.now).text, "Not registered any more: Bot1, Bot2, Bot3");
  assertEquals([removed, accounts.size], [[["Bot1", "Bot2", "Bot3"]], 1]);
});
