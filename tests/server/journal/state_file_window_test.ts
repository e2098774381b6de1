/** The window of events in the state file: what is kept over a restart or a crash, and what is deleted. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openState } from "../../../server/journal/state_file.ts";
import { all, one } from "../../support/fake_room.ts";
import { A, copyAsAfterCrash, openFolder, openRoom, readPast } from "../../support/state_files.ts";

Deno.test("state: the file keeps the window, not the whole past", () => {
  using folder = openFolder();
  let epoch: string, token: string;
  {
    using opened = openRoom(folder.file(), { window: { events: 10 } });
    ({ token, epoch } = opened.room.join(A));
    for (let id = 1; id <= 1234; id++) opened.room.say(A, token, id, `${id}`);
  }
  const { seq, events } = readPast(folder.file());
  assertEquals([seq, events.at(-1)!.seq], [1234, 1234]);
  assert(events.length >= 10 && events.length <= 510, `${events.length} events are kept`);
  using opened = openRoom(folder.file(), { window: { events: 10 } });
  const sent = opened.room.v1(A, "RESEND", { token, epoch, from: 1220, to: 1234 });
  assertEquals(one(sent, "GONE").to, 1224);
  assertEquals(all(sent, "INCOMING").map(({ text }) => Number(text)), Array.from({ length: 10 }, (_, i) => 1225 + i));
});

/** Lets a member come and go, so that so many events follow that are no messages. */
function comeAndGo({ room }: ReturnType<typeof openRoom>, events: number): void {
  const start = room.room.users().unnamed;
  for (let i = 0; i < events; i++) {
    if (i % 2 === 0) room.datagram(`10.0.${i >> 8}.${i & 255}:${start + 1}`, "GREETING");
    else room.join(`10.0.${i - 1 >> 8}.${i - 1 & 255}:${start + 1}`);
    room.pass(6000);
  }
}

Deno.test("state: messages outlive a flood of arrivals in the file too, after a stop and after a crash at any time", () => {
  using folder = openFolder();
  const path = folder.file(), window = { events: 80 };
  {
    using opened = openRoom(path, { window });
    const { token } = opened.room.join(A, "Alice");
    for (let id = 1; id <= 5; id++) opened.room.say(A, token, id, `${id}`);
  }
  let copies = 0, isPruned = false;
  for (let round = 0; round < 3; round++) {
    using opened = openRoom(path, { window });
    for (let i = 0; i < 10; i++) {
      comeAndGo(opened, 40);
      const { journal } = opened.state;
      const crashed = openState(copyAsAfterCrash(path, folder.file(`${copies++}.db`)), window);
      assertEquals([crashed.journal.first, crashed.journal.seq], [journal.first, journal.seq]);
      for (let seq = journal.first; seq <= journal.seq; seq++) {
        const event = journal.get(seq)!;
        assertEquals(crashed.journal.get(seq)?.type, event.type);
        const again = crashed.journal.get(seq);
        if (event.type === "INCOMING") assertEquals(again?.type === "INCOMING" && again.text, event.text);
      }
      crashed.close();
    }
    const database = new DatabaseSync(folder.file(`${copies - 1}.db`), { readOnly: true });
    const { rows, gaps } = database.prepare("SELECT (SELECT count(*) FROM events) AS rows, gaps FROM room").get()!;
    database.close();
    assertLess(Number(rows), 80 + 10 + 500);
    isPruned ||= Number(gaps) > 0;
  }
  assert(isPruned, "the file has lost arrivals between messages");
  const { events } = readPast(path);
  assertEquals(events.flatMap((event) => event.type === "INCOMING" ? [event.text] : []), ["1", "2", "3", "4", "5"]);
});
