/**
 * Reads what comes to a client, from the server or from others.
 *
 * @module
 */
import type { Packet } from "../../protocol.ts";
import { splitAddress } from "../../protocol/fields.ts";
import { decodeReply } from "./classic_reading.ts";
import type { Detection } from "./detection.ts";
import { whyUnwanted } from "./unwanted.ts";

/**
 * Where a datagram comes from: the address that the server answers from, another port of its IP address that may be its
 * second socket, or anywhere else.
 */
export type Place = "server" | "beside" | "elsewhere";

/** Why nothing is taken of a datagram, and whether anybody may have sent it. */
export interface Untaken {
  why: string;
  isFromStranger: boolean;
}

/** The reading end of one session. */
export class Reception {
  readonly #detection: Detection;
  readonly #greeted: string;
  /** The address that the server answers from, if it is another than that which was greeted. */
  answersFrom: string | undefined;

  constructor(detection: Detection, greeted: string) {
    this.#detection = detection;
    this.#greeted = greeted;
  }

  /**
   * Reads a datagram. It has no packet if it can't be read; `untaken` is undefined if what it does depends on others.
   */
  read(bytes: Uint8Array, from: string): { packet?: Packet; place: Place; untaken?: Untaken } {
    const decoded = decodeReply(bytes), { speaksV1, answersElsewhere, v1: { membership } } = this.#detection;
    const packet = decoded.ok ? decoded.packet : undefined;
    const serverAddress = this.answersFrom ?? this.#greeted, place = this.#placeOf(packet, from, serverAddress);
    const isFromServer = place !== "elsewhere";
    const why = whyUnwanted(decoded, {
      ...{ isFromServer, serverAddress, speaksV1, token: membership.self.token },
      hasGreeted: (id) => (isFromServer || answersElsewhere) && membership.contact.hasGreeted(id),
    });
    if (why === undefined) return { packet, place };
    if (isFromServer) membership.contact.patience.noteNotUnderstood();
    return { packet, place, untaken: { why, isFromStranger: !isFromServer } };
  }

  #placeOf(packet: Packet | undefined, from: string, serverAddress: string): Place {
    if (from === serverAddress) return "server";
    if (!packet || !this.#detection.hearsBeside || !isOfClassicServer(packet)) return "elsewhere";
    return splitAddress(from).hostname === splitAddress(this.#greeted).hostname ? "beside" : "elsewhere";
  }
}

/**
 * Whether a packet is one that classic servers send: in their dialect, or a greeting of version 1 that is passed on.
 */
function isOfClassicServer({ dialect, type }: Packet): boolean {
  return dialect === "classic" || type === "GREETING" || type === "SIGN-IN";
}
