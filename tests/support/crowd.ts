/**
 * A crowd of version 1 members, reduced to their sockets: all sign in at once and ask for the events that they miss.
 *
 * @module
 */
import { decode, encode, type V1Packet } from "../../protocol.ts";
import { randomHex64 } from "../../protocol/fields.ts";
import { datagrams } from "../../runtime/udp.ts";
import { Changing } from "../../scripts/support/waiting.ts";

/** Pause between two attempts to sign in, in milliseconds. */
const GREET_AGAIN_MS = 250;

/** What one member of the crowd has received. */
export interface OneOfTheCrowd {
  /** The number of datagrams of each type that have arrived, duplicates included. */
  readonly count: Map<string, number>;
  /** The addresses and names in the ONLINE events. */
  readonly online: Map<string, string | undefined>;
}

/** The crowd. */
export interface Crowd extends AsyncDisposable {
  readonly members: OneOfTheCrowd[];
  /** Waits until ONLINE events have named all members, and each member has every event since its own arrival. */
  told(): Promise<void>;
}

/** Opens `size` sockets on the loopback interface and signs in from all of them at the same time. */
export async function gather(size: number, serverPort: number): Promise<Crowd> {
  const server = { transport: "udp", hostname: "127.0.0.1", port: serverPort } as const;
  const conns = Array.from({ length: size }, () => {
    return Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  });
  const changes = new Changing();
  const members = conns.map(() => ({
    count: new Map<string, number>(),
    online: new Map<string, string | undefined>(),
  }));
  /** The sequence number up to which each member has every event. */
  const reached: number[] = [];
  const tokens = conns.map(() => randomHex64());
  /** The latest sequence number that any member has received. */
  let latest = 0;
  const running = conns.map((conn, i) => listen(conn, i));

  async function listen(conn: Deno.DatagramConn, i: number): Promise<void> {
    const send = (packet: V1Packet) => conn.send(encode(packet), server);
    const { count, online } = members[i];
    const early = new Set<number>();
    let asked = 0;
    for await (const { bytes, from } of datagrams(conn)) {
      if (from !== `127.0.0.1:${serverPort}`) continue;
      const decoded = decode(bytes);
      if (!decoded.ok || decoded.packet.dialect !== "v1") throw new Error("The server has sent what is no v1 packet");
      const { packet } = decoded;
      count.set(packet.type, (count.get(packet.type) ?? 0) + 1);
      if (packet.type === "WELCOME") {
        reached[i] ??= packet.seq;
      } else if (packet.type === "RETRY") {
        await signIn(i, packet.cookie);
      } else if ("at" in packet) {
        if (packet.type === "ONLINE") { for (const { address, name } of packet.members) online.set(address, name); }
        early.add(packet.seq);
      }
      if (!("seq" in packet) || packet.seq === undefined || !("epoch" in packet) || !packet.epoch) continue;
      latest = Math.max(latest, packet.seq);
      while (early.delete(reached[i] + 1)) reached[i]++;
      // asks once for each event that comes after a gap, and for each heartbeat
      if (packet.seq > reached[i] && packet.seq > asked) {
        asked = packet.type === "HEARTBEAT" ? asked : packet.seq;
        const token = tokens[i];
        await send({ dialect: "v1", type: "RESEND", token, epoch: packet.epoch, from: reached[i] + 1, to: packet.seq });
      }
      changes.changed();
    }
  }

  async function signIn(i: number, cookie?: string): Promise<void> {
    if (reached[i] !== undefined) return;
    const name = `Student_${i + 1}`;
    await conns[i].send(encode({ dialect: "v1", type: "SIGN-IN", id: 1, token: tokens[i], cookie, name }), server);
  }

  const signInAll = () => Promise.all(conns.map((_, i) => signIn(i)));
  // so many sign-ins at once overflow the server's receive buffer, so some are lost and have to be repeated
  const again = setInterval(signInAll, GREET_AGAIN_MS);
  await signInAll();

  return {
    members,
    told: () =>
      changes.until(
        () => {
          const isComplete = Math.max(...members.map(({ online }) => online.size)) === size;
          return isComplete && reached.length === size && reached.every((seq) => seq >= latest) || undefined;
        },
        () => `${reached.filter((seq) => seq >= latest).length} of ${size} have everything up to ${latest}`,
      ).then(() => {}),
    async [Symbol.asyncDispose]() {
      clearInterval(again);
      for (const conn of conns) conn.close();
      await Promise.all(running);
    },
  };
}
