/**
 * Why a client takes nothing of a datagram, as far as the datagram and its address tell, in words for `--trace`.
 *
 * @module
 */
import { type Decoded, type Packet, TO_SERVER, type V1Packet } from "../../protocol.ts";

/** What is known of a datagram beside its bytes. */
export interface Origin {
  isFromServer: boolean;
  /** The address that the server has, for the words. */
  serverAddress: string;
  /** This client's token. */
  token: string;
  /** Whether the server has answered in version 1. */
  speaksV1: boolean;
  /** Whether a greeting with this id was sent, and an answer from there is taken. */
  hasGreeted: (id: number) => boolean;
}

/** Types that no server sends. */
const NOT_FROM_SERVER: ReadonlySet<string> = new Set([...TO_SERVER.filter((type) => type !== "RELAY"), "OPEN"]);

/** Whether a packet of the server has the token of another client, or lacks the one that it always has. */
export function lacksToken(packet: V1Packet, token: string): boolean {
  if ("token" in packet && packet.token === token) return false;
  // of the types that need the token here, ACK is the only one that may have none: a peer's has a pass
  return packet.type === "ACK" || "token" in packet && packet.token !== undefined;
}

/** Returns why a datagram is not taken; undefined when it is, or when it depends on what was sent before. */
export function whyUnwanted(decoded: Decoded, origin: Origin): string | undefined {
  if (!decoded.ok) return decoded.reason;
  return origin.isFromServer ? whyNotOfServer(decoded.packet, origin) : whyNotOfPeer(decoded.packet, origin);
}

function whyNotOfServer(packet: Packet, { token, speaksV1, hasGreeted }: Origin): string | undefined {
  const { dialect, type } = packet;
  if (dialect === "classic" && speaksV1) return "the server has answered in version 1, so what is classic is not taken";
  if (NOT_FROM_SERVER.has(type)) return `no server sends ${dialect === "v1" ? `${type}/1` : type} to a client`;
  if (packet.dialect !== "v1") return undefined;
  if (lacksToken(packet, token)) {
    return "token" in packet && packet.token !== undefined
      ? "its token is not the one that this client greets with"
      : "the field token is missing";
  }
  const answersGreeting = packet.type === "RETRY" || packet.type === "WELCOME";
  return answersGreeting && !hasGreeted(packet.id) ? "no greeting had this id" : undefined;
}

/** Answers to a greeting may come from another address of the server, and direct messages from that of a member. */
function whyNotOfPeer(packet: Packet, { serverAddress, token, hasGreeted }: Origin): string | undefined {
  const elsewhere = `it does not come from the server, which is at ${serverAddress}`;
  if (packet.dialect !== "v1") return elsewhere;
  switch (packet.type) {
    case "OPEN":
      return undefined;
    case "RETRY":
      return hasGreeted(packet.id) ? undefined : elsewhere;
    case "WELCOME":
      return packet.token === token && hasGreeted(packet.id) ? undefined : elsewhere;
    case "MESSAGE":
    case "ACK":
      return packet.pass === undefined
        ? `${elsewhere}, and for a member's ${packet.type} it lacks the pass`
        : undefined;
    default:
      return elsewhere;
  }
}
