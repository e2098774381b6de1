/**
 * The TCP connection to a server, and those that follow when it breaks, as one async iterator of what happens to them.
 *
 * @module
 */
import type { Wire } from "./session.ts";

/** What has happened to a connection. */
export type ConnectionEvent =
  | { type: "connected" }
  /** There is no connection, and why. */
  | { type: "failed"; reason: string }
  /** Valid only until the next event is requested, because the buffer is used again. */
  | { type: "bytes"; bytes: Uint8Array }
  /** The server has closed it, or it broke. */
  | { type: "closed"; isBroken: boolean };

/** How long an attempt to connect may take, in milliseconds: time for three SYN (RFC 6298: again after 1 s and 3 s). */
const CONNECT_MS = 5000;

/** Connections to one server, one after the other. */
export class Connection implements Wire, AsyncIterable<ConnectionEvent> {
  readonly #address: { hostname: string; port: number };
  readonly #written: () => void;
  #wanted = Promise.withResolvers<void>();
  #conn: Deno.TcpConn | undefined;
  #isWriting = false;
  #hasFailed = false;

  /** @param written Called when the system has taken what was to be written. */
  constructor(address: { hostname: string; port: number }, written: () => void) {
    this.#address = address;
    this.#written = written;
  }

  /** Whether the system has not taken yet what was to be written. */
  get isWriting(): boolean {
    return this.#isWriting;
  }

  connect(): void {
    this.#wanted.resolve();
  }

  write(bytes: Uint8Array): void {
    const conn = this.#conn;
    if (!conn) return;
    this.#isWriting = true;
    writeAll(conn, bytes).then(() => {
      if (conn !== this.#conn) return;
      this.#isWriting = false;
      this.#written();
    }).catch(() => {
      // reading ends too, behind what the server has said before
      if (conn === this.#conn) this.#hasFailed = true;
    });
  }

  endWriting(): void {
    this.#conn?.closeWrite().catch(() => {});
  }

  hangUp(): void {
    const conn = this.#conn;
    this.#conn = undefined;
    this.#isWriting = this.#hasFailed = false;
    conn?.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ConnectionEvent> {
    const buffer = new Uint8Array(65_536);
    while (true) {
      await this.#wanted.promise;
      this.#wanted = Promise.withResolvers();
      const reached = await dial(this.#address);
      if (typeof reached === "string") {
        yield { type: "failed", reason: reached };
        continue;
      }
      this.#conn = reached;
      yield { type: "connected" };
      while (reached === this.#conn) {
        const length = await reached.read(buffer).catch(() => "broken" as const);
        // the system tells only one of both that the connection broke: perhaps the write, and the read finds a clean end
        if (length === null && this.#isWriting) await new Promise((resolve) => setTimeout(resolve));
        if (reached !== this.#conn) break;
        if (typeof length === "number") yield { type: "bytes", bytes: buffer.subarray(0, length) };
        else yield { type: "closed", isBroken: length === "broken" || this.#hasFailed };
      }
    }
  }
}

/** Connects; returns why not when that fails. */
async function dial(address: { hostname: string; port: number }): Promise<Deno.TcpConn | string> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(
      () => resolve("no answer in time; perhaps the address is wrong, or a firewall is in the way"),
      CONNECT_MS,
    );
  });
  const dialing = Deno.connect(address);
  try {
    const reached = await Promise.race([dialing, late]);
    // Deno 2.4 can't take back an attempt; a connection that comes too late is not wanted any more
    if (typeof reached === "string") dialing.then((conn) => conn.close(), () => {});
    else reached.setNoDelay(true);
    return reached;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable || !(error instanceof Error)) throw error;
    if (error instanceof Deno.errors.ConnectionRefused) return "connection refused, no program listens there";
    return error.message.replace(/ \(os error \d+\)$/, "");
  } finally {
    clearTimeout(timer);
  }
}

async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  while (bytes.length > 0) bytes = bytes.subarray(await conn.write(bytes));
}
