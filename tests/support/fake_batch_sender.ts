/**
 * Sends to many at once in memory: its socket fills up and takes no more, and its table skips some addresses.
 *
 * @module
 */
import type { Endpoint } from "../../protocol/fields.ts";
import type { NeighbourTable } from "../../server/doors/neighbours.ts";
import type { RecipientTable } from "../../server/doors/recipients.ts";
import type { BatchSender } from "../../server/doors/udp_socket.ts";

/** How the batch sender behaves. */
export interface FakeBatchSenderOptions {
  /** Whether no table can hold an address. */
  refuses?: (port: number) => boolean;
  /** Whether the system refuses to send to an address. */
  fails?: (port: number) => boolean;
  /** Called when a table has sent a portion. */
  sent?: (copies: number) => void;
}

/** Keeps to which ports each portion went. */
export class FakeBatchSender implements BatchSender {
  /** The ports that got a copy, for each call of a table's `send`. */
  readonly portions: number[][] = [];
  /** How many copies the socket takes before it is full. */
  space = Infinity;
  /** How often somebody has begun to wait for the full socket. */
  waits = 0;
  /** How often the runtime was made to wait. */
  rests = 0;
  receiveBuffer = 0;
  /** The send buffer that the system grants: by default so much that it plays no role. */
  sendBuffer = 1 << 30;
  /** What `pending` and `neighbours` return. */
  pendingBytes = 0;
  neighbourTable: NeighbourTable = new Map();
  /** What has arrived, and is to be taken beside the datagrams that are waited for; from port 1 of 10.0.0.1. */
  readonly arrived: string[] = [];
  isClosed = false;
  readonly #options: FakeBatchSenderOptions;
  #empty = () => {};

  constructor(options: FakeBatchSenderOptions = {}) {
    this.#options = options;
  }

  table(): RecipientTable {
    const { refuses = () => false, fails = () => false, sent = () => {} } = this.#options;
    const slots: Endpoint[] = [];
    const table = {
      failed: 0,
      add: (endpoint: Endpoint) => refuses(endpoint.port) ? undefined : slots.push(endpoint) - 1,
      remove: (slot: number) => void slots.splice(slot, 1),
      swap: (slot: number, other: number) => void ([slots[slot], slots[other]] = [slots[other], slots[slot]]),
      send: (_: Uint8Array, from: number, to: number) => {
        const served = slots.slice(from, Math.min(to, from + this.space)).map(({ port }) => port);
        this.space -= served.length;
        table.failed += served.filter(fails).length;
        this.portions.push(served.filter((port) => !fails(port)));
        sent(served.length);
        return from + served.length;
      },
    };
    return table;
  }

  takeArrived(pass: (bytes: Uint8Array, from: string) => void): boolean {
    const text = this.arrived.shift();
    if (text !== undefined) pass(new TextEncoder().encode(text), "10.0.0.1:1");
    return text !== undefined;
  }

  /** Lets the socket take more copies. */
  drain(copies: number): void {
    this.space = copies;
    this.#empty();
  }

  writable(): Promise<boolean> {
    this.waits++;
    return new Promise((resolve) => this.#empty = () => resolve(true));
  }

  rest(): Promise<void> {
    this.rests++;
    return Promise.resolve();
  }

  setReceiveBuffer(bytes: number): number {
    return this.receiveBuffer = bytes;
  }

  setSendBuffer(): number {
    return this.sendBuffer;
  }

  pending(): number {
    return this.pendingBytes;
  }

  neighbours(): NeighbourTable {
    return this.neighbourTable;
  }

  inboundDrops(): number {
    return 7;
  }

  close(): void {
    this.isClosed = true;
  }
}
