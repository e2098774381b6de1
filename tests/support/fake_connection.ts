/**
 * TCP connections in memory, and the listener that they come from.
 *
 * @module
 */
import type { Listener } from "../../server/doors/tcp.ts";

type Accepted = Awaited<ReturnType<Listener["accept"]>>;

const encoder = new TextEncoder(), decoder = new TextDecoder();

/** A connection whose other end is the test. */
export class FakeConnection implements Accepted {
  readonly remoteAddr: Deno.NetAddr;
  /** What was done with it beside reading and writing, in order. */
  readonly done: string[] = [];
  /** How often it was read. */
  reads = 0;
  /** What was written. */
  text = "";
  /** Whether the other end takes nothing: then a write never ends. */
  isStuck = false;
  /** Why nothing can be written. */
  failure: Error | undefined;
  readonly #arrived: (Uint8Array | Error | null)[] = [];
  #reading: { buffer: Uint8Array; resolve: (count: number | null) => void; reject: (error: Error) => void } | undefined;

  constructor(hostname = "10.0.0.7", port = 1001) {
    this.remoteAddr = { transport: "tcp", hostname, port };
  }

  get isClosed(): boolean {
    return this.done.includes("close");
  }

  /** Lets a text arrive, by a read of its own. */
  arrive(text: string): void {
    this.#arrive(encoder.encode(text));
  }

  /** The other end writes nothing more. */
  end(): void {
    this.#arrive(null);
  }

  read(buffer: Uint8Array): Promise<number | null> {
    this.reads++;
    return new Promise((resolve, reject) => {
      this.#reading = { buffer, resolve, reject };
      this.#serve();
    });
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.failure) return Promise.reject(this.failure);
    if (this.isStuck) return new Promise(() => {});
    this.text += decoder.decode(bytes);
    return Promise.resolve(bytes.length);
  }

  closeWrite(): Promise<void> {
    this.done.push("closeWrite");
    return Promise.resolve();
  }

  close(): void {
    if (this.isClosed) throw new Deno.errors.BadResource("closed already");
    this.done.push("close");
    this.#arrived.length = 0;
    this.#arrive(new Deno.errors.BadResource("closed"));
  }

  setNoDelay(enabled = true): void {
    this.done.push(`setNoDelay ${enabled}`);
  }

  setKeepAlive(enabled = true): void {
    this.done.push(`setKeepAlive ${enabled}`);
  }

  #arrive(what: Uint8Array | Error | null): void {
    this.#arrived.push(what);
    this.#serve();
  }

  #serve(): void {
    const reading = this.#reading;
    if (!reading || this.#arrived.length === 0) return;
    this.#reading = undefined;
    const what = this.#arrived.shift()!;
    if (what instanceof Error) return reading.reject(what);
    if (what) reading.buffer.set(what);
    reading.resolve(what && what.length);
  }
}

/** Hands over the connections that the test lets come. */
export class FakeListener implements Listener {
  readonly addr: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port: 9090 };
  readonly #waiting: FakeConnection[] = [];
  #accepting: PromiseWithResolvers<Accepted> | undefined;

  come(...connections: FakeConnection[]): void {
    this.#waiting.push(...connections);
    this.#serve();
  }

  accept(): Promise<Accepted> {
    this.#accepting = Promise.withResolvers();
    this.#serve();
    return this.#accepting.promise;
  }

  close(): void {
    this.#accepting?.reject(new Deno.errors.BadResource("closed"));
  }

  #serve(): void {
    if (this.#waiting.length > 0) this.#accepting?.resolve(this.#waiting.shift()!);
  }
}
