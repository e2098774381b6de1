/**
 * State files in temporary folders, and rooms that are kept in a state file.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import type { EventPacket } from "../../protocol.ts";
import type { KeptAccount, KeptMember } from "../../server/journal/past.ts";
import { openState, type State } from "../../server/journal/state_file.ts";
import { FakeRoom, type FakeRoomOptions, OTHER_STREAM } from "./fake_room.ts";

/** The addresses of members of the rooms. */
export const A = "127.0.0.1:40001", B = "127.0.0.1:40002", C = "127.0.0.1:40003", D = "[::1]:40004";

/** A protected name, with keys that no password has. */
export const ACCOUNT: KeptAccount = {
  name: "Alice",
  salt: new Uint8Array(16).fill(1),
  rounds: 600_000,
  storedKey: new Uint8Array(32).fill(2),
  serverKey: new Uint8Array(32).fill(3),
  isOperator: false,
};

/** A folder for state files. It is removed at the end of the test. */
export function openFolder(): { file(name?: string): string } & Disposable {
  const path = Deno.makeTempDirSync({ prefix: "udp-chat-" });
  return {
    file: (name = "room.db") => `${path}/${name}`,
    [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }),
  };
}

/** A room with a state file. */
export function openRoom(path: string, options: FakeRoomOptions = {}) {
  const state = openState(path, options.window);
  const { journal, members, passKey, memberTable } = state;
  const order = { ...state.order, keeper: state.orderTable };
  const room = new FakeRoom({ order, ...options, journal, members, passKey, observer: memberTable });
  return { room, state, [Symbol.dispose]: () => state.close() };
}

/** What a state file has kept of a room. */
export interface KeptRoom {
  epoch: string;
  seq: number;
  events: EventPacket[];
  members: KeptMember[];
  /** The stream and the last id of each owner's token. */
  streams: Record<string, [name: string, lastId: number]>;
}

/** Reads what a state file has kept of a room. */
export function readPast(path: string): KeptRoom {
  const { journal, members, close } = openState(path);
  close();
  const { epoch, seq, first } = journal;
  const events = Array.from({ length: seq - first + 1 }, (_, i) => journal.get(first + i)!);
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = database.prepare("SELECT owner, name, last FROM streams ORDER BY name").all();
  database.close();
  const streams = rows.map(({ owner, name, last }) => [owner, [name, last]]);
  return { epoch, seq, events, members, streams: Object.fromEntries(streams) };
}

/** Copies a state file as a crash at this moment would leave it. */
export function copyAsAfterCrash(path: string, copy: string): string {
  for (const suffix of ["", "-wal"]) Deno.copyFileSync(path + suffix, copy + suffix);
  return copy;
}

/** Fills a room with messages in two streams, arrivals and departures. */
export function fillWithMessages({ room }: { room: FakeRoom; state: State }, messages: number): void {
  const alice = room.join(A, "Alice"), bob = room.join(B, "Bob");
  for (let id = 1; id <= messages; id++) {
    room.say(A, alice.token, id, `a${id}`);
    // the two messages of each pair are swapped, so that the second packet fills a gap and causes two events
    const other = id % 2 === 0 ? id - 1 : id + 1;
    room.v1(B, "MESSAGE", { token: bob.token, stream: OTHER_STREAM, id: other, first: 1, text: `b${other}` });
    if (id % 20 === 0) {
      room.datagram(C, `SIGN-IN guest${id}`);
      room.pass(200);
    }
  }
}
