/**
 * All doors of the server, as the room sees them: one delivery.
 *
 * @module
 */
import type { Dialect, Packet, V1Packet } from "../../protocol.ts";
import type { Delivery, Recipient } from "../room/delivery.ts";
import type { Peer } from "../room/peer.ts";
import { encodeInDialect } from "./dialects.ts";
import type { Door, DoorKeeper, DoorStatistics } from "./door.ts";

const DIALECTS: readonly Dialect[] = ["v1", "classic", "classic-line", "line"];

/** Finds the door of each peer, and encodes packets. */
export class Doors implements Delivery {
  readonly #doors: readonly Door[];
  readonly #byScheme: ReadonlyMap<string, Door>;
  /** What was sent last, since the same is often sent to one after the other. */
  #last: { packet: Packet; dialect: Dialect; bytes: Uint8Array | undefined } | undefined;

  constructor(doors: readonly Door[]) {
    this.#doors = doors;
    this.#byScheme = new Map(doors.map((door) => [door.scheme, door]));
  }

  /** What all doors have sent. */
  get statistics(): DoorStatistics {
    const sum: DoorStatistics = { sent: 0, failed: 0, dropped: 0 };
    for (const { statistics: { sent, failed, dropped } } of this.#doors) {
      sum.sent += sent;
      sum.failed += failed;
      sum.dropped += dropped;
    }
    return sum;
  }

  /** Passes what peers do to the keeper, until all doors are closed. */
  async run(keeper: DoorKeeper): Promise<void> {
    await Promise.all(this.#doors.map((door) => door.run(keeper)));
  }

  join(recipient: Recipient): void {
    this.#doorOf(recipient).join(recipient);
  }

  leave(recipient: Recipient): void {
    this.#doorOf(recipient).leave(recipient);
  }

  /** Encodes a packet that is sent to several, one after the other, only once. */
  send(to: Recipient, packet: Packet): void {
    const { dialect } = to;
    if (this.#last?.packet !== packet || this.#last.dialect !== dialect) {
      this.#last = { packet, dialect, bytes: encodeInDialect(packet, dialect) };
    }
    const { bytes } = this.#last;
    if (bytes) this.#doorOf(to).send(to, bytes);
  }

  /** Encodes the packet once per dialect, however many doors there are, and not for a dialect that nobody has. */
  broadcast(packet: V1Packet, except?: Recipient): void {
    for (const dialect of DIALECTS) {
      let bytes: Uint8Array | undefined;
      for (const door of this.#doors) {
        if (door.size(dialect) === 0) continue;
        bytes ??= encodeInDialect(packet, dialect);
        if (!bytes) break;
        door.broadcast(bytes, dialect, except);
      }
    }
  }

  /** Drops what hinders a goodbye. */
  prepareToClose(): void {
    for (const door of this.#doors) door.prepareToClose();
  }

  /** Closes all doors when everything is sent, after 1 s at the latest. */
  async close(): Promise<void> {
    await Promise.all(this.#doors.map((door) => door.close()));
  }

  /** @throws {TypeError} if no door has the peer's scheme, which is a bug. */
  #doorOf({ key }: Peer): Door {
    const end = key.indexOf(" ");
    const door = this.#byScheme.get(end < 0 ? "" : key.slice(0, end));
    if (!door) throw new TypeError(`There is no door for the peer ${key}`);
    return door;
  }
}
