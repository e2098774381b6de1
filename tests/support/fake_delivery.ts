/**
 * A delivery that keeps what the room sends instead of sending it.
 *
 * @module
 */
import type { Dialect, Packet, V1Packet } from "../../protocol.ts";
import { encodeInDialect } from "../../server/doors/dialects.ts";
import type { Delivery, Recipient } from "../../server/room/delivery.ts";

/** One datagram that would have been sent. */
export interface Sent {
  /** The key of the recipient's peer: for UDP its address. */
  to: string;
  packet: Packet;
  /** The datagram's bytes. All copies of a broadcast in one dialect share one array. */
  bytes: Uint8Array;
}

const decoder = new TextDecoder();

/** Keeps every datagram. It encodes each packet, so that a packet that does not fit a datagram fails the test. */
export class FakeDelivery implements Delivery {
  readonly recipients = new Set<Recipient>();
  #sent: Sent[] = [];

  join(recipient: Recipient): void {
    // a real delivery would send everything twice
    if (this.recipients.has(recipient)) throw new Error(`${recipient.key} has joined already`);
    this.recipients.add(recipient);
  }

  leave(recipient: Recipient): void {
    this.recipients.delete(recipient);
  }

  send({ key, dialect }: Recipient, packet: Packet): void {
    const bytes = encodeInDialect(packet, dialect);
    if (bytes) this.#sent.push({ to: key, packet, bytes });
  }

  broadcast(packet: V1Packet, except?: Recipient): void {
    const encoded = new Map<Dialect, Uint8Array | undefined>();
    for (const recipient of this.recipients) {
      const { dialect } = recipient;
      if (!encoded.has(dialect)) encoded.set(dialect, encodeInDialect(packet, dialect));
      const bytes = encoded.get(dialect);
      if (bytes && recipient !== except) this.#sent.push({ to: recipient.key, packet, bytes });
    }
  }

  /** What was sent since the last call. */
  take(): Sent[] {
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }
}

/** A datagram as text. */
export function textOf({ bytes }: Sent): string {
  return decoder.decode(bytes);
}
