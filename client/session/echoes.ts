/**
 * What this client has sent to other members, so that it knows it again when it comes back. A pass is the same in both
 * directions: whoever returns each datagram unread would pass for a peer that has read it, and confirms it.
 *
 * @module
 */
import type { Packet } from "../../protocol.ts";
import type { Self, Send } from "./self.ts";

/** How many streams and checks are remembered, those that were used last. */
const MAX_SENT = 1000;

/** The streams and the checks that this client has sent. */
export class Echoes {
  readonly #self: Pick<Self, "address">;
  readonly #sent = new Set<string>();

  /** @param self This member, as the server knows it. */
  constructor(self: Pick<Self, "address">) {
    this.#self = self;
  }

  /** Returns a function that sends by another one, and notes what was sent. */
  noting(send: Send): Send {
    return (packet, peer) => {
      this.#note(packet, peer);
      send(packet, peer);
    };
  }

  /** Whether a packet is one that this client has sent to another member. */
  has(packet: Packet): boolean {
    const key = keyOf(packet);
    return key !== undefined && this.#sent.has(key);
  }

  #note(packet: Packet, to: string | undefined): void {
    if (packet.dialect === "v1" && packet.type === "RELAY") return this.#note(packet.packet, packet.address);
    const key = keyOf(packet);
    if (key === undefined) return;
    this.#sent.delete(key);
    // what the user writes to itself is to come back
    if (to === this.#self.address) return;
    this.#sent.add(key);
    if (this.#sent.size > MAX_SENT) this.#sent.delete(this.#sent.values().next().value!);
  }
}

/** What tells a stream or a check from all others; undefined for what is neither. */
function keyOf(packet: Packet): string | undefined {
  if (packet.dialect !== "v1") return undefined;
  if (packet.type === "MESSAGE") return packet.stream;
  return packet.type === "OPEN" && packet.id !== undefined ? `${packet.pass} ${packet.id}` : undefined;
}
