/**
 * What passes through the server between two members, because there is no direct way: whom it is for, and how it is sent
 * on to a version 1 member, as it is. Order, repeats and acknowledgements are between the two.
 *
 * @module
 */
import type { RelayedPacket } from "../../protocol.ts";
import type { Delivery } from "./delivery.ts";
import type { Member, Members } from "./members.ts";
import type { Passes } from "./passes.ts";

/** How many requests an envelope costs: as many as a LOOKUP, which may also make the server send to somebody else. */
export const RELAY_COST = 2;

/** Whom a pass is for. One may send datagrams from an address from which another has a connection. */
export function receiverAt(
  address: string,
  pass: string,
  from: Member,
  { members, passes }: { members: Members; passes: Passes },
): Member | undefined {
  return [members.withKey(address), members.withConnection(address)]
    .find((member) => member && passes.of(from, member) === pass);
}

/** Sends a packet on whose pass was checked. */
export function passOn(packet: RelayedPacket, from: Member, to: Member, delivery: Delivery): void {
  // whoever gets another one has sent something to its sender, or got one of these before, and knows the name
  const { address } = from, { token } = to, isFirst = packet.type === "MESSAGE" || packet.type === "OFFER";
  const name = isFirst ? from.name : undefined;
  delivery.send(to, { dialect: "v1", type: "RELAY", token, address, name, packet });
}
