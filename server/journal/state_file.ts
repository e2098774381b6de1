/**
 * Opens a state file, so that a server that was stopped or killed goes on where it was.
 *
 * Here are the tables of the file, the checks of what it holds, and the reasons why a file can't be used.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { decode, type Dialect, type EventPacket, MAX_TOPIC_BYTES, type Packet } from "../../protocol.ts";
import { hex64, parseAddress, randomHex64 } from "../../protocol/fields.ts";
import { formatNetwork, parseNetwork } from "../../protocol/ip_network.ts";
import { skeletons } from "../../protocol/look_alikes.ts";
import { nameKey, readName } from "../../protocol/names.ts";
import { MAX_ROUNDS, ROUNDS, SALT_BYTES } from "../../protocol/passwords.ts";
import { printable } from "../../protocol/text.ts";
import { byteLength } from "../../protocol/utf8.ts";
import { UsageError } from "../../runtime/program.ts";
import { AccountTable } from "./account_table.ts";
import type { WindowOptions } from "./journal.ts";
import { keyOf, MemberTable } from "./member_table.ts";
import { OrderTable } from "./order_table.ts";
import type { KeptAccount, KeptBan, KeptMember, Passing, Past } from "./past.ts";
import { SqliteJournal } from "./sqlite.ts";
import { Writer } from "./sqlite_writer.ts";

/** A state file that is open. */
export interface State {
  journal: SqliteJournal;
  /** The members at the end of an earlier run. */
  members: KeptMember[];
  /** What the passes of pairs of members are made with, so that a pass is the same after a new start. */
  passKey: string;
  /** Writes down who joins, changes and leaves. */
  memberTable: MemberTable;
  /** The protected names at the end of an earlier run. */
  accounts: KeptAccount[];
  /** The keys of the IP addresses from which each was signed in to, by the key of its name. */
  knownAddresses: [key: string, addresses: string[]][];
  /** Writes down which names are protected. */
  accountTable: AccountTable;
  /** The bans, the topic and what has ended with it at the end of an earlier run. */
  order: { bans: KeptBan[]; topic: string | undefined; passing: Passing[] };
  /** Writes down who is banned, and what the topic is. */
  orderTable: OrderTable;
  close(): void;
}

/** Marks a SQLite file as ours: "UDPc". */
const APPLICATION_ID = 0x55445063;
/** The version of its tables. A file of another one is refused: there is no release whose files must be read. */
const VERSION = 6;
/** The latest time that a Date can hold, in Unix seconds. */
const MAX_SINCE = 8.64e12;
/** The length of a StoredKey and of a ServerKey. */
const KEY_BYTES = 32;

/**
 * Opens a state file, or makes a new one.
 *
 * @throws {UsageError} when the file can't be used: another program's, damaged, in use by another server, not writable.
 */
export function openState(path: string, window: WindowOptions = {}): State {
  let database: DatabaseSync | undefined;
  try {
    if (isDevice(path)) throw new DeviceFile();
    // SQLite would keep a database with the name ":memory:" in memory only
    const file = path.startsWith(":") ? `./${path}` : path;
    createForOwner(file);
    const opened = database = new DatabaseSync(file);
    prepare(opened);
    const { members, passKey, accounts, knownAddresses, order, ...past } = readPast(opened);
    const writer = new Writer(opened, path);
    return {
      journal: new SqliteJournal(writer, past, window),
      members,
      passKey,
      memberTable: new MemberTable(writer),
      accounts,
      knownAddresses,
      accountTable: new AccountTable(writer),
      order,
      orderTable: new OrderTable(writer),
      close: () => opened.close(),
    };
  } catch (error) {
    database?.close();
    throw new UsageError(`The state file ${path} can't be used: ${explainOpenError(error)}`);
  }
}

class DeviceFile extends Error {}
class ForeignFile extends Error {}
class OtherVersion extends Error {}
class DamagedFile extends Error {}

function explainOpenError(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ForeignFile || message.includes("not a database")) {
    return "it belongs to another program; give another name";
  }
  if (error instanceof OtherVersion) return "another version of udp-chat wrote it; use that one, or give another name";
  if (message.includes("locked")) return "another server is using it; stop that one, or give another name";
  if (error instanceof DeviceFile) return "it is a device, which keeps nothing; give another name";
  // SQLite reports the last five for tables that are not the ones that this program creates
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

/**
 * Makes a new file that only its owner may read: it has the members' tokens. SQLite gives the log beside it the same
 * mode. On Windows the folder decides who may read it.
 */
function createForOwner(path: string): void {
  try {
    Deno.openSync(path, { write: true, createNew: true, mode: 0o600 }).close();
  } catch {
    // it is there already, or it can't be made: SQLite says why
  }
}

function prepare(database: DatabaseSync): void {
  // what is deleted, a password that was changed or a token, is not to be found in the file any more
  database.exec("PRAGMA secure_delete = ON");
  // the lock is held for as long as the server runs, so that no second one writes to the file
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  const id = Number(database.prepare("PRAGMA application_id").get()!.application_id);
  const tables = Number(database.prepare("SELECT count(*) AS n FROM sqlite_schema").get()!.n);
  if (id !== APPLICATION_ID && (id !== 0 || tables > 0)) throw new ForeignFile();
  const version = Number(database.prepare("PRAGMA user_version").get()!.user_version);
  if (version !== VERSION && (version !== 0 || tables > 0)) throw new OtherVersion();
  database.exec(`
    PRAGMA journal_mode = WAL;
    BEGIN IMMEDIATE;
    PRAGMA application_id = ${APPLICATION_ID};
    PRAGMA user_version = ${VERSION};
    CREATE TABLE IF NOT EXISTS room (
      epoch TEXT NOT NULL, seq INTEGER NOT NULL, gaps INTEGER NOT NULL, pass_key TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY, datagram BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS members (
      key TEXT PRIMARY KEY, address TEXT NOT NULL, dialect TEXT NOT NULL, token TEXT NOT NULL, name TEXT,
      since INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS streams (
      name TEXT PRIMARY KEY, owner TEXT NOT NULL, last INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS accounts (
      key TEXT PRIMARY KEY, name TEXT NOT NULL, salt BLOB NOT NULL, rounds INTEGER NOT NULL, stored_key BLOB NOT NULL,
      server_key BLOB NOT NULL, operator INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS known_addresses (key TEXT PRIMARY KEY, addresses TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS bans (what TEXT PRIMARY KEY, holder TEXT NOT NULL, until INTEGER);
    CREATE TABLE IF NOT EXISTS topic (text TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS passing (what TEXT PRIMARY KEY);
    INSERT INTO room SELECT '${randomHex64()}', 0, 0, '${
    Array.from({ length: 4 }, randomHex64).join("")
  }' WHERE NOT EXISTS (SELECT * FROM room);
    COMMIT;
  `);
}

function readPast(
  database: DatabaseSync,
): Past & Pick<State, "members" | "passKey" | "accounts" | "knownAddresses" | "order"> {
  const room = database.prepare("SELECT epoch, seq, gaps, pass_key FROM room").get();
  const epoch = hex64.read(String(room?.epoch)), seq = room?.seq, gaps = room?.gaps;
  const passKey = String(room?.pass_key);
  if (epoch === undefined || !/^[0-9a-f]{64}$/.test(passKey) || !isCount(seq) || !isCount(gaps)) {
    throw new DamagedFile();
  }
  const events: EventPacket[] = [];
  for (const row of database.prepare("SELECT seq, datagram FROM events ORDER BY seq").iterate()) {
    const decoded = row.datagram instanceof Uint8Array && decode(row.datagram);
    if (!decoded || !decoded.ok || !isEvent(decoded.packet)) throw new DamagedFile();
    const { packet } = decoded;
    if (packet.seq !== row.seq || packet.epoch !== epoch) throw new DamagedFile();
    events.push(packet);
  }
  // there is one row for each seq, in order: so as many are missing as are counted, or the file has lost some
  const isWhole = events.length === 0 ||
    events.at(-1)!.seq === seq && seq - events[0].seq + 1 - events.length === gaps;
  const members = database.prepare("SELECT * FROM members").all().map(parseMember);
  const names = members.flatMap(({ name }) => name === undefined ? [] : [nameKey(name)]);
  const addresses = members.map(({ address }) => address);
  if (!isWhole || !areUnique(names) || !areUnique(addresses)) throw new DamagedFile();
  const streams = database.prepare("SELECT * FROM streams").all().map(parseStream);
  const accounts = database.prepare("SELECT * FROM accounts").all().map(parseAccount);
  const looks = accounts.map(({ name }) => skeletons(name));
  if (new Set(looks.flat()).size !== looks.flat().length) throw new DamagedFile();
  const knownAddresses = database.prepare("SELECT * FROM known_addresses").all().map(parseKnownAddresses);
  const keys = new Set(accounts.map(({ name }) => nameKey(name)));
  if (!knownAddresses.every(([key]) => keys.has(key))) throw new DamagedFile();
  const bans = database.prepare("SELECT * FROM bans ORDER BY rowid").all().map(parseBan);
  const topics = database.prepare("SELECT text FROM topic").all().map(parseTopic);
  const passing = database.prepare("SELECT what FROM passing").all().map(parsePassing);
  if (topics.length > 1) throw new DamagedFile();
  return {
    epoch,
    seq,
    events,
    streams,
    members,
    passKey,
    accounts,
    knownAddresses,
    order: { bans, topic: topics[0], passing },
  };
}

/** @throws {DamagedFile} when there is a value that the journal could not have written. */
function parseStream({ owner, name, last }: Record<string, unknown>): Past["streams"][number] {
  const isValid = typeof owner === "string" && hex64.read(owner) !== undefined &&
    typeof name === "string" && hex64.read(name) !== undefined && isCount(last);
  if (!isValid) throw new DamagedFile();
  return { owner, name, lastId: last };
}

/** @throws {DamagedFile} when there is a value that the room could not have written. */
function parseMember({ key, address, dialect, token, name, since }: Record<string, unknown>): KeptMember {
  const isV1 = dialect === "v1";
  const isValid = (isV1 || dialect === "classic" || dialect === "classic-line") &&
    typeof address === "string" && parseAddress(address) !== undefined &&
    typeof token === "string" && (isV1 ? hex64.read(token) !== undefined : token === "") &&
    key === keyOf({ token, address }) &&
    (name === null || (typeof name === "string" && readName(name) === name)) &&
    isCount(since) && since <= MAX_SINCE;
  if (!isValid) throw new DamagedFile();
  return { address, dialect: dialect as Dialect, token, name: name ?? undefined, since };
}

/** @throws {DamagedFile} when there is a value that the room could not have written. */
function parseAccount(row: Record<string, unknown>): KeptAccount {
  const { key, name, salt, rounds, stored_key: storedKey, server_key: serverKey, operator } = row;
  const isValid = typeof name === "string" && readName(name) === name && key === nameKey(name) &&
    areBytes(salt, SALT_BYTES) && areBytes(storedKey, KEY_BYTES) && areBytes(serverKey, KEY_BYTES) &&
    isCount(rounds) && rounds >= ROUNDS && rounds <= MAX_ROUNDS && (operator === 0 || operator === 1);
  if (!isValid) throw new DamagedFile();
  return { name, salt, rounds, storedKey, serverKey, isOperator: operator === 1 };
}

/** @throws {DamagedFile} when there is a value that the room could not have written. */
function parseKnownAddresses({ key, addresses }: Record<string, unknown>): [string, string[]] {
  const isValid = typeof key === "string" && typeof addresses === "string" &&
    /^[0-9.:]{7,23}( [0-9.:]{7,23}){0,3}$/.test(addresses);
  if (!isValid) throw new DamagedFile();
  return [key, addresses.split(" ")];
}

/** @throws {DamagedFile} when there is a value that the room could not have written. */
function parseBan({ what, holder, until }: Record<string, unknown>): KeptBan {
  const network = typeof what === "string" ? parseNetwork(what) : undefined;
  const isValid = typeof what === "string" && (network ? formatNetwork(network) : readName(what)) === what &&
    typeof holder === "string" &&
    (holder === "" || hex64.read(holder) !== undefined || parseAddress(holder) !== undefined) &&
    (until === null || isCount(until) && until <= 1000 * MAX_SINCE);
  if (!isValid) throw new DamagedFile();
  return { what, holder, until: until ?? undefined };
}

/** @throws {DamagedFile} when there is a value that the room could not have written. */
function parseTopic({ text }: Record<string, unknown>): string {
  const isValid = typeof text === "string" && text !== "" && byteLength(text) <= MAX_TOPIC_BYTES;
  if (!isValid) throw new DamagedFile();
  return printable(text);
}

/** @throws {DamagedFile} when there is a value that the room could not have written. */
function parsePassing({ what }: Record<string, unknown>): Passing {
  if (what !== "mutes" && what !== "lock") throw new DamagedFile();
  return what;
}

function areBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length;
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
