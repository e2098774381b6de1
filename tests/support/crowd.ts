/**
 * A crowd of version 1 members, reduced to their sockets: they sign in all at once and ask for what they miss.
 *
 * @module
 */
import { datagrams } from "../../runtime/udp.ts";
import { decode, encode, type V1Packet } from "../../protocol.ts";
import { Changing } from "../../scripts/support/waiting.ts";

/** Pause between two attempts to sign in, in milliseconds. */
const GREET_AGAIN_MS = 250;

/** What one of the crowd has got. */
export interface OneOfTheCrowd {
  /** The datagrams of each type that have come, copies included. */
  readonly count: Map<string, number>;
  /** The addresses and names that ONLINE events have told. */
  readonly online: Map<string, string | undefined>;
}

/** The crowd. */
export interface Crowd extends AsyncDisposable {
  readonly members: OneOfTheCrowd[];
  /** Waits until all of them have every event from their own arrival on up to the one by which all have been told. */
  told(): Promise<void>;
}

/** Opens so many sockets on the loopback interface and signs in from all of them at the same time. */
export async function gather(size: number, serverPort: number): Promise<Crowd> {
  const server = { transport: "udp", hostname: "127.0.0.1", port: serverPort } as const;
  const conns = Array.from({ length: size }, () => {
    return Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  });
  const life = new Changing();
  const members = conns.map(() => ({
    count: new Map<string, number>(),
    online: new Map<string, string | undefined>(),
  }));
  /** Up to where each has everything, and the latest event that any of them has heard of. */
  const reached: number[] = [];
  const tokens: (string | undefined)[] = [];
  let latest = 0;
  const running = conns.map((conn, i) => listen(conn, i));

  async function listen(conn: Deno.DatagramConn, i: number): Promise<void> {
    const send = (packet: V1Packet) => conn.send(encode(packet), server);
    const { count, online } = members[i];
    const early = new Set<number>();
    let asked = 0;
    for await (const { bytes } of datagrams(conn)) {
      const decoded = decode(bytes);
      if (!decoded.ok || decoded.packet.dialect !== "v1") throw new Error("The server has sent what is no v1 packet");
      const { packet } = decoded;
      count.set(packet.type, (count.get(packet.type) ?? 0) + 1);
      const token = tokens[i];
      if (packet.type === "WELCOME") {
        tokens[i] = packet.token;
        if (packet.name !== undefined) reached[i] ??= packet.seq;
        // the name is given to who shows that the token has come
        else if (token === undefined) await signIn(i);
      } else if ("at" in packet) {
        if (packet.type === "ONLINE") { for (const { address, name } of packet.members) online.set(address, name); }
        early.add(packet.seq);
      }
      if (!("seq" in packet) || packet.seq === undefined || !("epoch" in packet) || !packet.epoch) continue;
      latest = Math.max(latest, packet.seq);
      while (early.delete(reached[i] + 1)) reached[i]++;
      // once for each event that comes behind a gap, and for each heartbeat
      if (packet.seq > reached[i] && packet.seq > asked && token) {
        asked = packet.type === "HEARTBEAT" ? asked : packet.seq;
        await send({ dialect: "v1", type: "RESEND", token, epoch: packet.epoch, from: reached[i] + 1, to: packet.seq });
      }
      life.changed();
    }
  }

  async function signIn(i: number): Promise<void> {
    if (reached[i] !== undefined) return;
    const name = `Student_${i + 1}`;
    await conns[i].send(encode({ dialect: "v1", type: "SIGN-IN", id: 1, token: tokens[i], name }), server);
  }

  const signInAll = () => Promise.all(conns.map((_, i) => signIn(i)));
  // the server's socket does not hold so many at once: some are lost, as in life
  const again = setInterval(signInAll, GREET_AGAIN_MS);
  await signInAll();

  return {
    members,
    told: () =>
      life.until(
        () => {
          const everyone = Math.max(...members.map(({ online }) => online.size)) === size;
          return everyone && reached.length === size && reached.every((seq) => seq >= latest) || undefined;
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
