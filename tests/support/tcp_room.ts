/**
 * A TCP door on a real socket with a room that only notes and repeats, and programs that connect to it.
 *
 * @module
 */
import { Changing } from "../../scripts/support/waiting.ts";
import type { Dismissal, DoorKeeper } from "../../server/doors/door.ts";
import { type Listener, TcpDoor, type TcpLimits } from "../../server/doors/tcp.ts";
import type { Recipient } from "../../server/room/delivery.ts";
import type { Peer } from "../../server/room/peer.ts";

const encoder = new TextEncoder();

/** A program that is connected to the door. */
export class TcpProgram implements AsyncDisposable {
  /** What it has read: all of it, and in pieces as `read` has returned them. */
  text = "";
  readonly pieces: string[] = [];
  hasEnded = false;
  readonly #changing = new Changing();
  #reading: Promise<void> | undefined;

  constructor(readonly conn: Deno.TcpConn) {}

  get address(): string {
    return `127.0.0.1:${(this.conn.localAddr as Deno.NetAddr).port}`;
  }

  async write(text: string | Uint8Array): Promise<void> {
    let rest = typeof text === "string" ? encoder.encode(text) : text;
    while (rest.length > 0) rest = rest.subarray(await this.conn.write(rest));
  }

  /** Waits until it has read a text. */
  async until(text: string): Promise<void> {
    this.#reading ??= this.#read();
    await this.#changing.until(() => this.text.includes(text) || undefined, () => `it has read ${this.text}`);
  }

  /** Waits until the door has closed the connection; returns all that was read. */
  async end(): Promise<string> {
    this.#reading ??= this.#read();
    await this.#changing.until(() => this.hasEnded || undefined, () => `still open, it has read ${this.text}`);
    return this.text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.conn.close();
    } catch {
      // closed before
    }
    await this.#reading;
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(65_536), decoder = new TextDecoder();
    try {
      for (let count; (count = await this.conn.read(buffer)) !== null;) {
        const piece = decoder.decode(buffer.subarray(0, count), { stream: true });
        this.pieces.push(piece);
        this.text += piece;
        this.#changing.changed();
      }
    } catch {
      // reset or closed
    }
    this.hasEnded = true;
    this.#changing.changed();
  }
}

/** A keeper that notes what it is told, and the door that tells it. */
export class TcpRoom implements DoorKeeper, AsyncDisposable {
  readonly door: TcpDoor;
  /** `+ address`, `address: line` and `- address`, in order. */
  readonly notes: string[] = [];
  /** `address: protocol` of each connection that was closed because of what it speaks, in order. */
  readonly dismissals: string[] = [];
  readonly recipients = new Map<string, Recipient>();
  /** What a newcomer gets that may not stay. */
  refusal: string | undefined;
  /** For how long a line is not taken, in milliseconds. */
  pauseFor: (line: string) => number = () => 0;
  /** Whether all hear what is said. */
  repeats = false;
  readonly #changing = new Changing();
  readonly #running: Promise<void>;

  constructor(limits?: TcpLimits, listener: Listener = Deno.listen({ hostname: "127.0.0.1", port: 0 })) {
    this.door = new TcpDoor(listener, limits);
    this.#running = this.door.run(this);
  }

  receive(): void {
    throw new Error("no datagram comes by TCP");
  }

  connected(peer: Peer): boolean {
    this.#note(`+ ${peer.address}`);
    const recipient: Recipient = { ...peer, dialect: "line" };
    if (this.refusal !== undefined) {
      this.door.send(recipient, encoder.encode(this.refusal));
      return false;
    }
    this.recipients.set(peer.key, recipient);
    this.door.join(recipient);
    return true;
  }

  receiveLine(line: string, peer: Peer): number {
    const pause = this.pauseFor(line);
    // the empty line at the end of a connection
    if (pause > 0 || line === "") return pause;
    this.#note(`${peer.address}: ${line}`);
    if (line === "quit") this.leave(peer);
    else if (this.repeats) this.say(line);
    return 0;
  }

  dismissed({ address }: Peer, why: Dismissal): void {
    this.dismissals.push(`${address}: ${why}`);
  }

  hungUp(peer: Peer): void {
    this.leave(peer);
    this.#note(`- ${peer.address}`);
  }

  say(line: string): void {
    this.door.broadcast(encoder.encode(`${line}\n`), "line");
  }

  leave({ key }: Peer): void {
    const recipient = this.recipients.get(key);
    this.recipients.delete(key);
    if (recipient) this.door.leave(recipient);
  }

  async connect(): Promise<TcpProgram> {
    return new TcpProgram(await Deno.connect({ hostname: "127.0.0.1", port: this.door.address.port }));
  }

  /** Connects a program, and waits until it has joined. */
  async member(): Promise<TcpProgram> {
    const program = await this.connect();
    await this.noted(`+ ${program.address}`);
    return program;
  }

  /** Waits for a note. */
  async noted(note: string): Promise<void> {
    await this.until(() => this.notes.includes(note));
  }

  /** Waits until something is true, which only changes with a note. */
  async until(condition: () => boolean): Promise<void> {
    await this.#changing.until(() => condition() || undefined, () => this.notes.join("\n"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.door.close();
    await this.#running;
  }

  #note(text: string): void {
    this.notes.push(text);
    this.#changing.changed();
  }
}
