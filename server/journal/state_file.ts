/**
 * Stores the room's events and members in a file, so that a server that was stopped or killed goes on where it was.
 *
 * Every event is written before it is sent, in one transaction with full synchronisation (SQLite's write-ahead log), so
 * that after a crash, or even a power failure, no seq that a member has seen is ever given to another event. Changes of
 * the members are written without full synchronisation: only a power failure can undo them, and the member then greets
 * again.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { decode, type Dialect, encode, type EventPacket, type Packet } from "../../protocol.ts";
import { hex64, parseAddress, randomHex64 } from "../../protocol/fields.ts";
import { nameKey, normalizeName } from "../../protocol/names.ts";
import { Failure, UsageError } from "../../runtime/program.ts";
import type { KeptMember, RoomPast } from "./past.ts";

/** A state file that is open. */
export interface State {
  /** What an earlier run of the server has stored; only a new epoch when the file is new. */
  past: RoomPast;
  /** Writes down what happens in the room. */
  writer: StateWriter;
  close(): void;
}

/**
 * Writes what happens in a room to the file. Each method writes before it returns, and throws a {@linkcode Failure} if
 * the file can't be written.
 */
export interface StateWriter {
  joined(member: KeptMember): void;
  /** A member has another name or address. */
  changed(member: KeptMember): void;
  left(member: KeptMember): void;
  /** An event has its place on the number line; `from` is the member that sent it. */
  happened(event: EventPacket, from?: KeptMember): void;
}

/** Marks a SQLite file as ours: "UDPc". */
const APPLICATION_ID = 0x55445063;
const VERSION = 1;
/** The latest time that a Date can hold, in Unix seconds. */
const MAX_SINCE = 8.64e12;
/** How many events are written between two deletions of the old ones that the file need not keep. */
const CLEAR_EVERY = 500;

/**
 * Opens a state file, or makes a new one.
 *
 * @param keptEvents How many recent events the file keeps.
 * @throws {UsageError} when the file can't be used: another program's, damaged, in use by another server, not writable.
 */
export function openState(path: string, keptEvents = 10_000): State {
  let database: DatabaseSync | undefined;
  try {
    if (isDevice(path)) throw new DeviceFile();
    // SQLite would keep a database with the name ":memory:" in memory only
    const opened = database = new DatabaseSync(path.startsWith(":") ? `./${path}` : path);
    prepare(opened);
    return { past: readPast(opened), writer: openWriter(opened, path, keptEvents), close: () => opened.close() };
  } catch (error) {
    database?.close();
    throw new UsageError(`The state file ${path} can't be used: ${explainOpenError(error)}`);
  }
}

class DeviceFile extends Error {}
class ForeignFile extends Error {}
class NewerFile extends Error {}
class DamagedFile extends Error {}

function explainOpenError(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ForeignFile || message.includes("not a database")) {
    return "it belongs to another program; give another name";
  }
  if (error instanceof NewerFile) return "a newer udp-chat wrote it; use that one, or give another name";
  if (message.includes("locked")) return "another server is using it; stop that one, or give another name";
  if (error instanceof DeviceFile) return "it is a device, which keeps nothing; give another name";
  // SQLite reports the last three for tables that are not the ones that this program creates
  const damage =
    /malformed|unsupported file format|too large to be|no such (table|column)|has \d+ columns|cannot modify|failed to prepare/;
  if (error instanceof DamagedFile || damage.test(message)) return "it is damaged; move it away to begin anew";
  if (error instanceof Deno.errors.NotCapable) return "add --allow-read and --allow-write (or -A) behind 'deno run'";
  if (message.includes("unable to open")) {
    return "its folder does not exist, it is a folder itself, or it may not be written; give another name";
  }
  return `${message}; give another name`;
}

/** Whether a path exists and is neither a file nor a folder. */
function isDevice(path: string): boolean {
  try {
    const { isFile, isDirectory } = Deno.statSync(path);
    return !isFile && !isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

function prepare(database: DatabaseSync): void {
  // the lock is held for as long as the server runs, so that no second one writes to the file
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  const id = Number(database.prepare("PRAGMA application_id").get()!.application_id);
  const tables = Number(database.prepare("SELECT count(*) AS n FROM sqlite_schema").get()!.n);
  if (id !== APPLICATION_ID && (id !== 0 || tables > 0)) throw new ForeignFile();
  const version = Number(database.prepare("PRAGMA user_version").get()!.user_version);
  if (version > VERSION) throw new NewerFile();
  database.exec(`
    PRAGMA journal_mode = WAL;
    BEGIN IMMEDIATE;
    PRAGMA application_id = ${APPLICATION_ID};
    PRAGMA user_version = ${VERSION};
    CREATE TABLE IF NOT EXISTS room (epoch TEXT NOT NULL, seq INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY, datagram BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS members (
      key TEXT PRIMARY KEY, address TEXT NOT NULL, dialect TEXT NOT NULL, token TEXT NOT NULL, name TEXT,
      since INTEGER NOT NULL, stream TEXT, next INTEGER
    ) WITHOUT ROWID;
    INSERT INTO room SELECT '${randomHex64()}', 0 WHERE NOT EXISTS (SELECT * FROM room);
    COMMIT;
  `);
}

function readPast(database: DatabaseSync): RoomPast {
  const room = database.prepare("SELECT epoch, seq FROM room").get();
  const epoch = hex64.read(String(room?.epoch)), seq = room?.seq;
  if (epoch === undefined || !isCount(seq)) throw new DamagedFile();
  const events: EventPacket[] = [];
  for (const row of database.prepare("SELECT datagram FROM events ORDER BY seq").iterate()) {
    const decoded = row.datagram instanceof Uint8Array && decode(row.datagram);
    if (!decoded || !decoded.ok || !isEvent(decoded.packet)) throw new DamagedFile();
    events.push(decoded.packet);
  }
  const isWhole = events.every((event, i) => event.seq === seq - events.length + 1 + i && event.epoch === epoch);
  const members = database.prepare("SELECT * FROM members").all().map(parseMember);
  const names = members.flatMap(({ name }) => name === undefined ? [] : [nameKey(name)]);
  const addresses = members.map(({ address }) => address);
  if (!isWhole || !areUnique(names) || !areUnique(addresses)) throw new DamagedFile();
  return { epoch, seq, events, members };
}

/** @throws {DamagedFile} when there is a value that the room could not have written. */
function parseMember({ key, address, dialect, token, name, since, stream, next }: Record<string, unknown>): KeptMember {
  const isV1 = dialect === "v1";
  const isValid = (isV1 || dialect === "classic" || dialect === "classic-line") &&
    typeof address === "string" && parseAddress(address) !== undefined &&
    typeof token === "string" && (isV1 ? hex64.read(token) !== undefined : token === "") &&
    key === keyOf({ token, address }) &&
    (name === null || (typeof name === "string" && normalizeName(name) === name)) &&
    isCount(since) && since <= MAX_SINCE &&
    (stream === null || (typeof stream === "string" && hex64.read(stream) !== undefined && isCount(next)));
  if (!isValid) throw new DamagedFile();
  return {
    address,
    dialect: dialect as Dialect,
    token,
    name: name ?? undefined,
    since,
    stream: stream === null ? undefined : { name: stream, next: next as number },
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isEvent(packet: Packet): packet is EventPacket {
  return "seq" in packet && "at" in packet;
}

function areUnique(texts: string[]): boolean {
  return new Set(texts).size === texts.length;
}

function openWriter(database: DatabaseSync, path: string, keptEvents: number): StateWriter {
  const insertEvent = database.prepare("INSERT INTO events VALUES (?, ?)");
  const setSeq = database.prepare("UPDATE room SET seq = ?");
  const setStream = database.prepare("UPDATE members SET stream = ?, next = ? WHERE key = ?");
  const clearEvents = database.prepare("DELETE FROM events WHERE seq <= ?");
  const putMember = database.prepare("REPLACE INTO members VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  const dropMember = database.prepare("DELETE FROM members WHERE key = ?");

  /** @param isDurable Whether it must also survive a power failure, for which the call waits for the disk. */
  const write = (statements: () => void, isDurable = false) => {
    try {
      database.exec(`PRAGMA synchronous = ${isDurable ? "FULL" : "NORMAL"}`);
      database.exec("BEGIN IMMEDIATE");
      statements();
      database.exec("COMMIT");
    } catch (error) {
      const reason = error instanceof Error ? error.message : error;
      throw new Failure(
        `The state file ${path} can't be written (${reason}): the server stops, so that nothing is lost`,
      );
    }
  };
  const put = (member: KeptMember) => {
    const { address, dialect, token, name, since, stream } = member;
    const next = stream ? toStoredId(stream.next) : null;
    putMember.run(keyOf(member), address, dialect, token, name ?? null, since, stream?.name ?? null, next);
  };
  return {
    joined: (member) => write(() => put(member)),
    changed: (member) => write(() => put(member)),
    left: (member) => write(() => dropMember.run(keyOf(member))),
    happened: (event, from) =>
      write(() => {
        insertEvent.run(event.seq, encode(event));
        setSeq.run(event.seq);
        if (from && event.type === "INCOMING" && event.stream !== undefined) {
          // in the event's transaction: a crash between two would let a repeat pass as a new message
          setStream.run(event.stream, toStoredId(event.id! + 1), keyOf(from));
        }
        if (event.seq % CLEAR_EVERY === 0) clearEvents.run(event.seq - keptEvents);
      }, true),
  };
}

/**
 * The next id of a stream as the file stores it. A stream may begin with the greatest id that there is, 2^53 - 1. The
 * number after it can't be read back from the file.
 */
function toStoredId(next: number): number {
  return Math.min(next, Number.MAX_SAFE_INTEGER);
}

/** The key of a member in the file: its token, because its address may change; without a token, its address. */
function keyOf({ token, address }: Pick<KeptMember, "token" | "address">): string {
  return token || address;
}
