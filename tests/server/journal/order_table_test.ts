/** Bans and the topic in a state file: a room that is started again has them still. */
import { assertEquals, assertThrows } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { UsageError } from "../../../runtime/program.ts";
import { openState } from "../../../server/journal/state_file.ts";
import { copyAsAfterCrash, openFolder, openRoom } from "../../support/state_files.ts";

Deno.test("order: bans and the topic are in the file as soon as they are ordered, and outlive a crash", () => {
  using folder = openFolder();
  const path = folder.file();
  using first = openRoom(path);
  const { room } = first, { token } = room.join("192.0.2.9:9", "Bob");
  const order = (text: string) => room.room.order(text, room.now).text;
  for (const text of ["ban Bob", "ban 10.0.0.0/24 10", "topic Sockets", "ban Eve 1", "ban bob 5"]) order(text);
  order("unban Eve");
  const copy = () => copyAsAfterCrash(path, folder.file("copy.db"));
  {
    const { order, close } = openState(copy());
    close();
    assertEquals(order, {
      bans: [
        { what: "10.0.0.0/24", holder: "", until: room.now + 600_000 },
        // whoever had the name when it was banned first
        { what: "bob", holder: token, until: room.now + 300_000 },
      ],
      topic: "Sockets",
      passing: [],
    });
  }
  {
    using second = openRoom(copy());
    const { room } = second;
    assertEquals(
      room.room.order("bans", room.now).text,
      [
        "bob is banned for 5 more minutes",
        "10.0.0.0/24 is banned for 10 more minutes",
      ].join("\n"),
    );
    assertEquals(room.refused("192.0.2.9:9", "Bob").code, "banned");
    assertEquals(room.join("192.0.2.10:9", "Rob").topic, "Sockets");
    room.pass(600_000);
    assertEquals(room.room.order("bans", room.now).text, "Nobody is banned");
    room.room.order("topic -", room.now);
    room.room.order("ban Zoe", room.now);
  }
  const { order: last, close } = openState(folder.file("copy.db"));
  close();
  assertEquals(last, { bans: [{ what: "Zoe", holder: "", until: undefined }], topic: undefined, passing: [] });
});

Deno.test("order: who had a banned name is known by its token after a restart", () => {
  using folder = openFolder();
  {
    using first = openRoom(folder.file());
    first.room.join("192.0.2.9:9", "Bob");
    first.room.room.order("ban Bob", first.room.now);
  }
  using second = openRoom(folder.file());
  assertEquals(second.room.refused("192.0.2.9:9", "Other").text, "You are banned until an operator ends it");
});

Deno.test("order: a new start tells once that mutes and a lock have ended, if there were any", () => {
  using folder = openFolder();
  const path = folder.file(), copy = () => copyAsAfterCrash(path, folder.file("copy.db"));
  const printed: string[] = [];
  const tellTerminal = (line: string) => void printed.push(line);
  {
    using first = openRoom(path, { tellTerminal });
    const order = (text: string) => first.room.room.order(text, first.room.now);
    first.room.join("192.0.2.9:9", "Bob");
    for (const text of ["lock", "mute Bob 1"]) order(text);
    const { order: kept, close } = openState(copy());
    close();
    assertEquals(kept.passing, ["lock", "mutes"]);
    printed.length = 0;
    openRoom(folder.file("copy.db"), { tellTerminal })[Symbol.dispose]();
    const ended = "[Server] The server was started anew: ";
    assertEquals(printed, [`${ended}the room is not locked any more, and whoever was muted may speak again`]);
    openRoom(folder.file("copy.db"), { tellTerminal })[Symbol.dispose]();
    assertEquals(printed.length, 1, "it is told once");
    order("unlock");
    first.room.pass(60_000);
  }
  printed.length = 0;
  openRoom(path, { tellTerminal })[Symbol.dispose]();
  assertEquals(printed, []);
});

Deno.test("order: a file with a value that no server has written is damaged", () => {
  using folder = openFolder();
  const values = [
    "bans VALUES ('no name', '', NULL)",
    "bans VALUES ('10.0.0.7/24', '', NULL)",
    "bans VALUES ('', '', NULL)",
    "bans VALUES ('Bob', 'token', NULL)",
    "bans VALUES ('Bob', '', -1)",
    "bans VALUES ('Bob', '', 1.5)",
    "bans VALUES ('Bob', '', 9e15)",
    "bans VALUES (x'00', '', NULL)",
    "topic VALUES ('')",
    `topic VALUES ('${"x".repeat(301)}')`,
    "topic VALUES ('one'), ('two')",
    "topic VALUES (x'00')",
    "passing VALUES ('kicks')",
  ];
  for (const [i, value] of values.entries()) {
    const path = folder.file(`${i}.db`);
    openState(path).close();
    const database = new DatabaseSync(path);
    database.exec(`INSERT INTO ${value}`);
    database.close();
    const { message } = assertThrows(() => openState(path).close(), UsageError);
    assertEquals(message, `The state file ${path} can't be used: it is damaged; move it away to begin anew`);
  }
});
