/**
 * A version 1 member for the attacks: it speaks, and notes what it hears.
 *
 * @module
 */
import { decode, encode, type V1Packet } from "../../protocol.ts";
import { randomHex64 } from "../../protocol/fields.ts";
import { datagrams, openSocket } from "../../runtime/udp.ts";
import { Changing } from "../support/waiting.ts";

/** The pause between two greetings that have no answer, in milliseconds. */
const GREET_AGAIN_MS = 300;

/** A version 1 member, reduced to its socket. */
export interface V1Member extends Disposable {
  readonly conn: Deno.DatagramConn;
  /** Its own address, as the server sees it. */
  readonly address: string;
  readonly token: string;
  readonly stream: string;
  readonly epoch: string;
  /** Greets without the token; it does so again, with the token, when the cookie comes. */
  greet(): void;
  say(id: number, text?: string): void;
  /** Sends any packet to the server. */
  send(packet: V1Packet): void;
  /** The number of members in the room. */
  count(): Promise<number>;
}

/** Where a member and its server are. */
export interface JoinOptions {
  /** The server's address. Default 127.0.0.1. */
  host?: string;
  /** The address of this machine that the member sends from. Default 127.0.0.1. */
  hostname?: string;
  /** Called with each packet that it gets. */
  received?: (packet: V1Packet) => void;
}

/**
 * Lets a version 1 member join.
 *
 * @param heard Called with the id and the stream of each message that it hears.
 */
export async function joinV1(
  port: number,
  heard: (id: number, stream: string) => void,
  { host = "127.0.0.1", hostname = "127.0.0.1", received }: JoinOptions = {},
): Promise<V1Member> {
  const conn = openSocket(hostname, 0);
  const stream = randomHex64(), token = randomHex64();
  const changes = new Changing();
  let welcome: V1Packet & { type: "WELCOME" } | undefined, size: number | undefined;
  const send = (packet: V1Packet) =>
    void conn.send(encode(packet), { transport: "udp", hostname: host, port }).catch(() => {});
  const receive = (packet: V1Packet) => {
    received?.(packet);
    if (packet.type === "INCOMING" && packet.stream !== undefined) heard(packet.id!, packet.stream);
    else if (packet.type === "USERS") size = packet.total + packet.unnamed;
    else if (packet.type === "WELCOME") welcome = packet;
    // a client is let in when its cookie comes back
    else if (packet.type === "RETRY") send({ dialect: "v1", type: "GREETING", id: 2, token, cookie: packet.cookie });
    else return;
    changes.changed();
  };
  (async () => {
    for await (const { bytes } of datagrams(conn)) {
      const decoded = decode(bytes);
      if (decoded.ok && decoded.packet.dialect === "v1") receive(decoded.packet);
    }
  })();
  const greet = () => send({ dialect: "v1", type: "GREETING", id: 1 });
  greet();
  // a greeting may be lost among those of strangers
  const again = setInterval(greet, GREET_AGAIN_MS);
  const { address, epoch } = await changes.until(() => welcome, () => "a version 1 member was not let in")
    .finally(() => clearInterval(again));
  return {
    conn,
    address,
    token,
    stream,
    epoch,
    greet,
    send,
    // what is lost is not repeated, so nothing waits for it
    say: (id, text = "x".repeat(60)) => send({ dialect: "v1", type: "MESSAGE", token, stream, id, text }),
    async count() {
      send({ dialect: "v1", type: "LIST", id: 3, token });
      return await changes.until(() => size, () => "the server has not told how many members there are");
    },
    [Symbol.dispose]: () => conn.close(),
  };
}
