/** State files that can't be used: damaged, another program's, another version's, or none at all. */
import { assert, assertEquals, assertGreater, assertMatch, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { encode } from "../../../protocol.ts";
import { UsageError } from "../../../runtime/program.ts";
import { seededRandom } from "../../../server/doors/network_emulator.ts";
import { openState } from "../../../server/journal/state_file.ts";
import {
  A,
  ACCOUNT,
  B,
  C,
  fillWithMessages,
  type KeptRoom,
  openFolder,
  openRoom,
  readPast,
} from "../../support/state_files.ts";

/** Asserts that opening fails with one line, which names the file and says what is wrong and what to do. */
function assertRefused(path: string, pattern: RegExp): void {
  const { message } = assertThrows(() => openState(path).close(), UsageError);
  assert(message.startsWith(`The state file ${path} can't be used: `), message);
  assertMatch(message, pattern);
  assertMatch(message, /^[^\n]+$/);
}

Deno.test("state: files of other programs are refused and left as they are", () => {
  using folder = openFolder();
  const pattern = /: it belongs to another program; give another name$/;
  const texts = [
    "Dear diary,\n",
    "x".repeat(99),
    "x".repeat(100),
    "y".repeat(100_000),
    "SQLite format 3\0 not really",
  ];
  for (const text of texts) {
    Deno.writeTextFileSync(folder.file("diary.txt"), text);
    assertRefused(folder.file("diary.txt"), pattern);
    assertEquals(Deno.readTextFileSync(folder.file("diary.txt")), text);
  }
  for (const pragma of ["application_id = 0", "application_id = 252006674", "journal_mode = WAL"]) {
    const path = folder.file(`${pragma}.db`);
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA ${pragma}; CREATE TABLE events (what TEXT); INSERT INTO events VALUES ('mine')`);
    database.close();
    const before = Deno.readFileSync(path);
    assertRefused(path, pattern);
    assertEquals(Deno.readFileSync(path), before);
  }
});

Deno.test("state: a file of another version is refused, and left as it is", () => {
  using folder = openFolder();
  for (const version of [0, 1, 2, 3, 4, 5, 7]) {
    const path = folder.file(`${version}.db`);
    readPast(path);
    const database = new DatabaseSync(path);
    // what the file was like before
    if (version < 6) database.exec("DROP TABLE known_addresses");
    if (version < 5) database.exec("DROP TABLE accounts");
    if (version < 4) database.exec("ALTER TABLE room DROP COLUMN pass_key");
    if (version < 3) database.exec("ALTER TABLE room DROP COLUMN gaps");
    database.exec(`PRAGMA user_version = ${version}`);
    database.close();
    const before = Deno.readFileSync(path);
    assertRefused(path, /: another version of udp-chat wrote it; use that one, or give another name$/);
    assertEquals(Deno.readFileSync(path), before, `version ${version}`);
  }
});

Deno.test("state: a path that is a folder, or whose folder does not exist, is refused", () => {
  using folder = openFolder();
  assertRefused(folder.file("no/such/folder.db"), /: its folder does not exist, .*; give another name$/);
  Deno.mkdirSync(folder.file("folder.db"));
  assertRefused(folder.file("folder.db"), /: .* it is a folder itself, .*; give another name$/);
});

Deno.test("state: a file that another server uses is refused, and free when that one has ended", () => {
  using folder = openFolder();
  {
    using _ = openRoom(folder.file());
    assertRefused(folder.file(), /: another server is using it; stop that one, or give another name$/);
  }
  using opened = openRoom(folder.file());
  opened.room.join(A);
});

Deno.test("state: a refused file is not locked", () => {
  using folder = openFolder();
  const path = folder.file();
  readPast(path);
  const database = new DatabaseSync(path);
  database.exec("PRAGMA user_version = 7");
  database.close();
  assertRefused(path, /another version/);
  const again = new DatabaseSync(path);
  again.exec("PRAGMA user_version = 6");
  again.close();
  assertEquals(readPast(path).seq, 0);
});

Deno.test("state: damage anywhere in the file is reported in one line, or leaves the events correct", () => {
  using folder = openFolder();
  const path = folder.file();
  {
    using opened = openRoom(path);
    fillWithMessages(opened, 40);
  }
  const file = Deno.readFileSync(path);
  const whole = readPast(path);
  const random = seededRandom(3);
  let refused = 0;
  for (let i = 0; i < 300; i++) {
    const damaged = file.slice();
    if (i % 3 === 0) {
      const at = Math.floor(random() * file.length);
      damaged.fill(0, at, at + Math.ceil(random() * 5000));
    } else damaged[Math.floor(random() * (i % 3 === 1 ? file.length : 4096))] ^= 1 << Math.floor(8 * random());
    const copy = folder.file(`damaged${i}.db`);
    Deno.writeFileSync(copy, i % 10 === 9 ? damaged.slice(0, Math.floor(random() * file.length)) : damaged);
    let past: KeptRoom;
    try {
      past = readPast(copy);
    } catch (error) {
      assert(error instanceof UsageError, `${error}`);
      assertMatch(error.message, /^The state file .* can't be used: [^\n]+; [^\n]+$/);
      refused++;
      continue;
    }
    for (const event of past.events) assertEquals(event, whole.events[event.seq - 1]);
    for (const { address } of past.members) assertEquals(typeof address, "string");
    for (const [, last] of Object.values(past.streams)) assert(Number.isSafeInteger(last), `last is ${last}`);
  }
  assertGreater(refused, 20);
});

/** A state file with two members, an event and a protected name, changed by SQL. */
function changed(path: string, sql: string): string {
  {
    using opened = openRoom(path);
    const { token } = opened.room.join(A, "Alice");
    opened.room.say(A, token, 1, "hello");
    opened.room.datagram(B, "SIGN-IN Bob\n");
    opened.state.accountTable.put(ACCOUNT);
  }
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
  return path;
}

Deno.test("state: rows that the room can't have written count as damage", () => {
  using folder = openFolder();
  const damage = [
    "UPDATE members SET dialect = 'x'",
    "UPDATE members SET dialect = 'v1' WHERE name = 'Bob'",
    "UPDATE members SET dialect = 'classic' WHERE name = 'Alice'",
    "UPDATE members SET address = 'x'",
    `UPDATE members SET address = '${C}' WHERE name = 'Bob'`,
    "UPDATE members SET token = 'x'",
    "UPDATE members SET token = '0123456789abcdef' WHERE name = 'Alice'",
    "UPDATE members SET name = 'two words' WHERE name = 'Bob'",
    "UPDATE members SET name = ''",
    "UPDATE members SET name = 7",
    "UPDATE members SET name = 'ALICE' WHERE name = 'Bob'",
    `UPDATE members SET address = '${A}', key = '${A}' WHERE name = 'Bob'`,
    `INSERT INTO members VALUES ('fedcba9876543210', '${A}', 'v1', 'fedcba9876543210', NULL, 1)`,
    "UPDATE members SET since = 'x'",
    "UPDATE members SET since = -1",
    "UPDATE members SET since = 1.5",
    "UPDATE members SET since = 9000000000000000",
    "UPDATE members SET since = 9223372036854775807",
    "UPDATE streams SET name = 'x'",
    "UPDATE streams SET owner = 'x'",
    "UPDATE streams SET last = 'x'",
    "UPDATE streams SET last = 9223372036854775807",
    "ALTER TABLE streams ADD COLUMN colour TEXT",
    "UPDATE room SET epoch = 'x'; DELETE FROM events",
    "UPDATE room SET seq = 'x'; DELETE FROM events",
    "UPDATE room SET seq = -1; DELETE FROM events",
    "UPDATE room SET gaps = 1",
    "UPDATE room SET gaps = -1",
    "UPDATE room SET gaps = 'x'",
    "UPDATE room SET pass_key = 'x'",
    "INSERT INTO events SELECT seq + 2, datagram FROM events; UPDATE room SET seq = 3",
    "UPDATE events SET seq = 2",
    "UPDATE events SET datagram = 'text'",
    "UPDATE events SET datagram = x'00'",
    "UPDATE accounts SET name = 'two words'",
    "UPDATE accounts SET name = 'Alicia'",
    "UPDATE accounts SET key = 'Alice'",
    "UPDATE accounts SET salt = x'00'",
    "UPDATE accounts SET salt = 'sixteen letters.'",
    "UPDATE accounts SET rounds = 0",
    "UPDATE accounts SET rounds = 599999",
    "INSERT INTO accounts SELECT 'aiice', 'AIice', salt, rounds, stored_key, server_key, operator FROM accounts",
    "INSERT INTO known_addresses VALUES ('bob', '192.0.2.1')",
    "INSERT INTO known_addresses VALUES ('alice', '')",
    "INSERT INTO known_addresses VALUES ('alice', 'here')",
    "INSERT INTO known_addresses VALUES ('alice', '192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5')",
    "ALTER TABLE known_addresses ADD COLUMN colour TEXT",
    "UPDATE accounts SET rounds = 2400001",
    "UPDATE accounts SET rounds = 'x'",
    "UPDATE accounts SET stored_key = x'00'",
    "UPDATE accounts SET server_key = zeroblob(33)",
    "UPDATE accounts SET operator = 2",
    "UPDATE accounts SET operator = 'yes'",
    "ALTER TABLE accounts ADD COLUMN colour TEXT",
    "ALTER TABLE members DROP COLUMN dialect",
    "ALTER TABLE members ADD COLUMN colour TEXT",
    "ALTER TABLE events RENAME COLUMN datagram TO bytes",
    "ALTER TABLE room RENAME COLUMN seq TO sequence",
    "ALTER TABLE room ADD COLUMN more TEXT",
    "DROP TABLE events; CREATE VIEW events AS SELECT seq, epoch AS datagram FROM room WHERE seq > 9",
  ];
  for (const [i, sql] of damage.entries()) {
    const path = changed(folder.file(`${i}.db`), sql);
    const { message } = assertThrows(() => openState(path).close(), UsageError);
    const expected = `The state file ${path} can't be used: it is damaged; move it away to begin anew`;
    assertEquals(message, expected, sql);
  }
  // and without a change it can be used
  assertEquals(readPast(changed(folder.file(), "")).members.length, 2);
});

Deno.test("state: a name with a letter that this program's Unicode does not have is no damage", () => {
  using folder = openFolder();
  const path = changed(folder.file(), "UPDATE members SET name = 'Bob\u{3fffd}' WHERE name = 'Bob'");
  assertEquals(readPast(path).members.map(({ name }) => name).sort(), ["Alice", "Bob\u{3fffd}"]);
});

Deno.test("state: a packet in the events table that is no event counts as damage, even if it has a seq", () => {
  using folder = openFolder();
  const path = folder.file();
  const { epoch } = readPast(path);
  const database = new DatabaseSync(path);
  const heartbeat = encode({ dialect: "v1", type: "HEARTBEAT", epoch, seq: 1 });
  database.prepare("INSERT INTO events VALUES (1, ?)").run(heartbeat);
  database.exec("UPDATE room SET seq = 1");
  database.close();
  assertRefused(path, /: it is damaged; move it away to begin anew$/);
});

Deno.test({
  name: "state: a device is refused, since it keeps nothing",
  ignore: Deno.build.os === "windows",
  fn() {
    for (const path of ["/dev/null", "/dev/zero"]) {
      assertRefused(path, /: it is a device, which keeps nothing; give another name$/);
    }
  },
});
