/**
 * A socket that receives what a test gives it, and keeps what it sends.
 *
 * @module
 */
import type { Socket } from "../../server/doors/udp.ts";
import { FakeSender, type FakeSenderOptions } from "./fake_sender.ts";

/** Like a socket of Deno's, it throws when it is closed under a `receive`. */
export class FakeSocket extends FakeSender implements Socket {
  readonly #arriving: Uint8Array[] = [];
  #wake = () => {};
  isClosed = false;

  constructor(options: FakeSenderOptions = {}) {
    super(options);
  }

  /** Lets a datagram arrive. */
  arrive(text: string): void {
    this.#arriving.push(new TextEncoder().encode(text));
    this.#wake();
  }

  async receive(): Promise<[Uint8Array<ArrayBuffer>, Deno.Addr]> {
    while (this.#arriving.length === 0) {
      if (this.isClosed) throw new Deno.errors.BadResource("closed");
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return [this.#arriving.shift()!.slice(), { transport: "udp", hostname: "10.0.0.1", port: 1 }];
  }

  close(): void {
    this.isClosed = true;
    this.#wake();
  }
}
