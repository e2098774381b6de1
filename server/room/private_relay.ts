/**
 * Private messages between version 1 members that pass through the server, because there is no direct way: it sends them
 * on as they are. Order, repeats and acknowledgements are between the two.
 *
 * @module
 */
import type { RelayedPacket } from "../../protocol.ts";
import type { Delivery } from "./delivery.ts";
import type { Ignored } from "./ignored.ts";
import type { Member } from "./members.ts";
import { ReceiverLimits } from "./receiver_limits.ts";

/** What the relay needs of the room. */
export interface PrivateRelayContext {
  delivery: Delivery;
  ignored: Ignored;
}

/** Passes packets on. */
export class PrivateRelay {
  readonly #context: PrivateRelayContext;
  readonly #limits = new ReceiverLimits();

  constructor(context: PrivateRelayContext) {
    this.#context = context;
  }

  /** Sends a packet on whose pass was checked. It may be dropped: its sender repeats what is not acknowledged. */
  pass(packet: RelayedPacket, from: Member, to: Member, now: number): void {
    const { delivery, ignored } = this.#context;
    if (!this.#limits.take(to, from, now)) return ignored.count("fast-requests", "receiver");
    // whoever gets an ACK has written to its sender, and knows the name
    const { address } = from, { token } = to, name = packet.type === "MESSAGE" ? from.name : undefined;
    delivery.send(to, { dialect: "v1", type: "RELAY", token, address, name, packet });
  }
}
