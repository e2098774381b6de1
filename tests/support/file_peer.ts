/**
 * A member that speaks of files by hand, so that it can do what no client does.
 *
 * @module
 */
import { decode, encode, type FilePacket } from "../../protocol.ts";
import { randomHex64 } from "../../protocol/fields.ts";
import { openPeer, type Peer } from "./classic_peer.ts";
import { joinV1 } from "./v1_peer.ts";

/** A packet about a file, without what is the same in all of one pair. */
type Unaddressed<P> = P extends FilePacket ? Omit<P, "dialect" | "pass"> : never;

/** The member. It takes no octets that are not UTF-8. */
export interface FilePeer extends Peer {
  /** Lets the server name this member and another one to each other; from then on packets go to that one. */
  meet(name: string): Promise<void>;
  /** Sends a packet to whom it has met. */
  say(packet: Unaddressed<FilePacket>): Promise<void>;
  /** Offers a file, and waits until the other one knows of it; returns what the transfer is called. */
  offer(text: string, size: number, hash: string): Promise<string>;
  /** Waits for a packet about a file from whom it has met, and returns its header. */
  hear(type: FilePacket["type"], file: string, fields?: string): Promise<string>;
}

/** Opens a member with a name. It answers checks of the direct way, as a client does. */
export async function openFilePeer(port: number, name: string): Promise<FilePeer> {
  const peer = openPeer("127.0.0.1", (text) => {
    const decoded = decode(new TextEncoder().encode(text));
    if (!decoded.ok || decoded.packet.dialect !== "v1" || decoded.packet.type !== "OPEN") return [];
    const { pass, id } = decoded.packet;
    return pass === undefined || id === undefined ? [] : [encode({ dialect: "v1", type: "ACK", pass, id })];
  });
  const token = await joinV1(peer, port, { name });
  let pass = "", to: Deno.NetAddr | undefined, lookUps = 0;

  async function say(packet: Unaddressed<FilePacket>): Promise<void> {
    await peer.send(encode({ dialect: "v1", pass, ...packet } as FilePacket), to!);
  }

  async function hear(type: FilePacket["type"], file: string, fields = ""): Promise<string> {
    const { text } = await peer.until(new RegExp(`^${type}/1 [^\\n]*\\bfile=${file}\\b[^\\n]*${fields}`));
    return text.split("\n")[0];
  }

  return {
    ...peer,
    say,
    hear,
    async meet(other) {
      const id = 2000 + ++lookUps;
      await peer.send(encode({ dialect: "v1", type: "LOOKUP", id, token, name: other }), port);
      const { text } = await peer.until(new RegExp(`^PEER/1 .*\\bid=${id}\\b`));
      const [, address] = / address=127\.0\.0\.1:(\d+)/.exec(text)!;
      [, pass] = / pass=([0-9a-f]+)/.exec(text)!;
      to = { transport: "udp", hostname: "127.0.0.1", port: Number(address) };
    },
    async offer(text, size, hash) {
      const file = randomHex64();
      await say({ type: "OFFER", file, size, hash, text });
      await hear("SACK", file);
      return file;
    },
  };
}
