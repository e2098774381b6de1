/**
 * What the two ends of a transfer have in common.
 *
 * @module
 */
import type { FilePacket } from "../../../protocol.ts";
import type { FileRequest, FileResult } from "../../files/files.ts";
import type { Fact } from "../facts.ts";
import type { LinkTarget, PeerLink } from "../peer_link.ts";
import type { Self } from "../self.ts";
import type { EndCode } from "./transfer_words.ts";
import type { TransferEnd, TransferState } from "./transfer.ts";

/** What a transfer works with. */
export interface TransferParts {
  /** Asks the disk for something. */
  request: (request: FileRequest) => void;
  /** Makes a lasting contact with a member. */
  hold: (target: LinkTarget, now: number) => PeerLink;
  letGo: (link: PeerLink) => void;
  /** This member, as the server knows it. */
  self: Pick<Self, "address">;
  random: () => number;
}

/** One transfer, at either end. */
export interface Transfer {
  readonly state: TransferState;
  /** What the two call it. */
  readonly file: string;
  /** What the two are known by to each other; undefined until the server has said it. */
  readonly pass: string | undefined;
  readonly nextWake: number | undefined;
  /** How it has ended; undefined while it goes on. */
  readonly ended: Ended | undefined;
  /** Whether it has ended, but its last word is still repeated. */
  readonly isLingering: boolean;
  /** When a packet of the other member has last come, in milliseconds. */
  readonly heardAt: number;
  /** Takes a packet that is about it: from an address, or through the server. */
  receive(packet: FilePacket, from: string | undefined, now: number): Fact[];
  /** Takes what the disk has done. */
  done(result: FileResult, now: number): Fact[];
  wake(now: number): Fact[];
  /** Ends it, and tells the other member by the code. */
  end(code: EndCode, problem: string, now: number): void;
}

/** How a transfer has ended. */
export interface Ended extends TransferEnd {
  /** What the packets of it are answered with from now on. */
  code: string;
  /** Whether this end has ended it. */
  isHere: boolean;
}

/** Which transfer it is, in the record of its end. */
export function identityOf(
  { number, direction, peer, file, size }: TransferState,
): Pick<Ended, "number" | "direction" | "peer" | "file" | "size"> {
  return { number, direction, peer, file, size };
}

/** The pause between two signs of life while there is nothing else to send, in milliseconds. */
export const SIGN_PAUSE_MS = 5000;
