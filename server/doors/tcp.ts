/**
 * The TCP door: everybody whose program opens a connection and sends lines of text, like `nc`.
 *
 * @module
 */
import { addressKey, isLoopback } from "../../protocol/address_key.ts";
import { formatAddress, parseAddress } from "../../protocol/fields.ts";
import type { Dialect } from "../../protocol.ts";
import { now } from "../../runtime/clock.ts";
import { Pause } from "../../runtime/pause.ts";
import type { Recipient } from "../room/delivery.ts";
import { DelayQueue } from "./delay_queue.ts";
import type { Door, DoorKeeper, DoorStatistics } from "./door.ts";
import { linesOf, WriteTurns } from "./line_writer.ts";
import { limitBuffers } from "./linux/socket_buffers.ts";
import { ReadBudget } from "./read_budget.ts";
import { type Connection, type ConnectionKeeper, TcpConnection } from "./tcp_connection.ts";

/** The part of {@linkcode Deno.TcpListener} that the door needs. */
export interface Listener {
  readonly addr: Deno.Addr;
  accept(): Promise<Connection & Pick<Deno.TcpConn, "remoteAddr" | "setNoDelay" | "setKeepAlive">>;
  close(): void;
}

/** The most connections at the same time, and how many of them may have one IP address. */
const MAX_CONNECTIONS = 5000;
const MAX_PER_ADDRESS = 500;
/**
 * How many connections wait in the system until they are accepted, where it lets so many wait: a lecture hall comes all
 * at once, and who finds no place tries again after a second. Deno 2.4 does not know this, and has 128.
 */
const BACKLOG = 4096;
/** How many connections that are too many are told so at the same time. The others are closed without a word. */
const MAX_REFUSING = 100;
/** How long a connection that says nothing waits until it joins, in milliseconds: HTTP and TLS speak at once. */
const SILENT_MS = 50;
/** The first and the longest pause after the system could not accept a connection, in milliseconds. */
const FIRST_PAUSE_MS = 5;
const MAX_PAUSE_MS = 200;
/** How long {@linkcode TcpDoor.close} waits for what is still to be written, and then for the other ends to close. */
const FLUSH_MS = 1000;
const HANG_UP_MS = 100;

const encoder = new TextEncoder();

/** How many connections there may be. */
export interface TcpLimits {
  connections?: number;
  /** From one IP address; those of this machine are not limited. */
  perAddress?: number;
}

/** The listener, and the connections. */
export class TcpDoor implements Door {
  readonly scheme = "tcp";
  readonly statistics: DoorStatistics = { sent: 0, failed: 0, dropped: 0 };
  readonly #listener: Listener;
  readonly #limits: Required<TcpLimits>;
  readonly #turns = new WriteTurns();
  readonly #budget = new ReadBudget(now());
  readonly #byKey = new Map<string, TcpConnection>();
  readonly #countByAddress = new Map<string, number>();
  /** Those that get what is said to all. */
  readonly #members = new Set<TcpConnection>();
  /** Those that have not joined yet, in the order in which they came. */
  readonly #arriving = new Set<TcpConnection>();
  readonly #silent = new DelayQueue<TcpConnection>(SILENT_MS, (connection) => {
    if (connection.isSilent) connection.join();
  });
  /** All that are not closed, those included that are refused. */
  readonly #running = new Map<TcpConnection, Promise<void>>();
  #refusing = 0;
  #isClosed = false;
  readonly #pause = new Pause();

  constructor(
    listener: Listener,
    { connections = MAX_CONNECTIONS, perAddress = MAX_PER_ADDRESS }: TcpLimits = {},
  ) {
    this.#listener = listener;
    this.#limits = { connections, perAddress };
  }

  /** The address that it listens on. */
  get address(): Deno.NetAddr {
    return this.#listener.addr as Deno.NetAddr;
  }

  async run(keeper: DoorKeeper): Promise<void> {
    let failures = 0;
    while (!this.#isClosed) {
      try {
        const conn = await this.#listener.accept();
        failures = 0;
        this.#accept(conn, keeper);
      } catch (error) {
        if (this.#isClosed || isOfPeer(error)) continue;
        // too many open files, for instance: the others wait in the system until there is room
        await this.#pause.wait(Math.min(FIRST_PAUSE_MS * 2 ** failures++, MAX_PAUSE_MS));
      }
    }
    await Promise.all(this.#running.values());
  }

  size(dialect: Dialect): number {
    return dialect === "line" ? this.#members.size : 0;
  }

  join({ key }: Recipient): void {
    const connection = this.#byKey.get(key);
    if (connection) this.#members.add(connection);
  }

  leave({ key }: Recipient): void {
    const connection = this.#byKey.get(key);
    if (!connection) return;
    this.#members.delete(connection);
    connection.leave();
  }

  send({ key }: Recipient, bytes: Uint8Array): void {
    const connection = this.#byKey.get(key), lines = linesOf(bytes);
    if (connection) connection.send(lines);
    else this.statistics.failed += lines.length;
  }

  broadcast(bytes: Uint8Array, dialect: Dialect, except?: Recipient): void {
    if (dialect !== "line") return;
    const lines = linesOf(bytes);
    for (const connection of this.#members) if (connection.peer.key !== except?.key) connection.send(lines);
  }

  /** Does nothing: no member waits for another one's lines. */
  prepareToClose(): void {}

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#silent.close();
    this.#pause.end();
    this.#listener.close();
    const connections = [...this.#running.keys()];
    for (const connection of connections) connection.leave();
    await within(FLUSH_MS, connections.map(({ flushed }) => flushed));
    // a connection that is closed before the other end has read all of it may lose the last line
    await within(HANG_UP_MS, [...this.#running.values()]);
    for (const connection of connections) connection.close();
    this.#turns.close();
  }

  #accept(conn: Awaited<ReturnType<Listener["accept"]>>, keeper: DoorKeeper): void {
    const address = formatAddress(conn.remoteAddr as Deno.NetAddr);
    if (!parseAddress(address)) return close(conn);
    try {
      // each line leaves at once, and the system finds out when the other end has vanished
      conn.setNoDelay(true);
      conn.setKeepAlive(true);
    } catch {
      // it has gone already, which the reading finds out
    }
    const peer = { key: `tcp ${address}`, address, validated: true, direct: false };
    const shared = { turns: this.#turns, budget: this.#budget, statistics: this.statistics };
    const connection = new TcpConnection(conn, peer, this.#keeperOf(keeper), shared);
    const refusal = this.#refusalOf(address);
    if (refusal === undefined) this.#welcome(connection);
    else this.#refuse(connection, refusal);
  }

  #refusalOf(address: string): string | undefined {
    const { connections, perAddress } = this.#limits;
    if (this.#byKey.size >= connections) return `The server is full: it has ${connections} connections`;
    if (isLoopback(address) || (this.#countByAddress.get(addressKey(address)) ?? 0) < perAddress) return undefined;
    return `There are ${perAddress} connections from your IP address: close one of them first`;
  }

  #welcome(connection: TcpConnection): void {
    const { key, address } = connection.peer;
    const counted = addressKey(address);
    // the same address and port: the system has ended the older one, or it came to another address of this machine
    const older = this.#byKey.get(key);
    older?.dismiss();
    older?.close();
    this.#byKey.set(key, connection);
    this.#countByAddress.set(counted, (this.#countByAddress.get(counted) ?? 0) + 1);
    this.#arriving.add(connection);
    this.#silent.add(connection);
    this.#run(connection, () => {
      if (this.#byKey.get(key) === connection) this.#byKey.delete(key);
      const count = this.#countByAddress.get(counted)! - 1;
      if (count > 0) this.#countByAddress.set(counted, count);
      else this.#countByAddress.delete(counted);
      this.#members.delete(connection);
      this.#arriving.delete(connection);
    });
  }

  /** Tells a connection why it can't stay, and closes it. */
  #refuse(connection: TcpConnection, why: string): void {
    if (this.#refusing >= MAX_REFUSING) return connection.close();
    this.#refusing++;
    connection.send([encoder.encode(`${why}\n`)]);
    connection.leave();
    this.#run(connection, () => this.#refusing--);
  }

  #run(connection: TcpConnection, ended: () => void): void {
    this.#running.set(
      connection,
      connection.run().finally(() => {
        this.#running.delete(connection);
        ended();
      }),
    );
  }

  /** A keeper that learns of connections in the order in which they came, also if a later one is the first to speak. */
  #keeperOf(keeper: DoorKeeper): ConnectionKeeper {
    return {
      connected: (peer) => {
        for (const connection of this.#arriving) {
          if (connection.peer === peer) {
            this.#arriving.delete(connection);
            break;
          }
          if (connection.isSilent) connection.join();
        }
        return keeper.connected(peer);
      },
      receiveLine: (line, peer) => keeper.receiveLine(line, peer),
      dismissed: (peer, why) => keeper.dismissed(peer, why),
      hungUp: (peer) => keeper.hungUp(peer),
    };
  }
}

/** Whether it was a connection that has gone before it was accepted: no reason to let the others wait. */
function isOfPeer(error: unknown): boolean {
  const { ConnectionAborted, ConnectionReset, NotConnected } = Deno.errors;
  return [ConnectionAborted, ConnectionReset, NotConnected].some((kind) => error instanceof kind);
}

/** Resolves when all promises have, or after so many milliseconds. */
async function within(milliseconds: number, promises: Promise<void>[]): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<void>((resolve) => timer = setTimeout(resolve, milliseconds));
  await Promise.race([Promise.all(promises), deadline]);
  clearTimeout(timer);
}

function close(conn: Pick<Deno.Conn, "close">): void {
  try {
    conn.close();
  } catch {
    // it was closed before
  }
}

/** Opens the door, or returns the reason why it can't be opened, as one line that says what to do. */
export function openTcpDoor(host: string, port: number): TcpDoor | string {
  const asked = formatAddress({ hostname: host, port });
  // a server that starts by itself must not stop to ask its terminal for a permission
  if (Deno.permissions.querySync({ name: "net", host: asked }).state !== "granted") {
    return `TCP is off: Deno was not given the permission for it; add --allow-net=${asked} (or -A for all)`;
  }
  try {
    const options = { hostname: host, port, tcpBacklog: BACKLOG };
    const listener = Deno.listen(options);
    // where this can't be done, one that does not read takes more memory of the system
    limitBuffers(listener.addr);
    return new TcpDoor(listener);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      return `TCP is off: another program has its port ${port}; --tcp PORT takes another one`;
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      return `TCP is off: the system keeps its port ${port} for administrators; --tcp PORT takes another one`;
    }
    return `TCP is off: ${error instanceof Error ? error.message : error}`;
  }
}
