/** What arrives at a socket of the UDP door: the same whether the C library helps to take it or not. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { openSendmmsg } from "../../../server/doors/linux/sendmmsg.ts";
import { Neighbours } from "../../../server/doors/neighbours.ts";
import { UdpSocket } from "../../../server/doors/udp_socket.ts";

const DEADLINE_MS = 10_000;
const neighbours = new Neighbours({ read: () => undefined, localNetworks: () => [] });
const listen = (hostname: string) => Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
const portOf = ({ addr }: Deno.DatagramConn) => (addr as Deno.NetAddr).port;
const bytes = (text: string) => new TextEncoder().encode(text);

/** Sockets to send from, and the one that is tested. */
class Sockets implements Disposable {
  readonly senders: Deno.DatagramConn[];
  readonly conn: Deno.DatagramConn;
  readonly socket: UdpSocket;
  readonly #deadline: ReturnType<typeof setTimeout>;

  constructor(isFast: boolean, host: string, senders: string[]) {
    this.senders = senders.map(listen);
    this.conn = listen(host);
    const fast = isFast ? openSendmmsg(this.conn) : undefined;
    if (fast && "reason" in fast) throw new Error(fast.reason);
    this.socket = new UdpSocket(this.conn, { fast, neighbours });
    this.#deadline = setTimeout(() => this.socket.close(), DEADLINE_MS);
  }

  /** Sends a text from one of the senders to the tested socket. */
  async send(from: number, text: string): Promise<void> {
    const { addr } = this.senders[from], { hostname } = addr as Deno.NetAddr;
    await this.senders[from].send(bytes(text), { transport: "udp", hostname, port: portOf(this.conn) });
  }

  /** Receives so many datagrams, then closes the socket. */
  async receive(count: number, each = (_: number) => {}): Promise<string[]> {
    const heard: string[] = [];
    await this.socket.receive((bytes, from) => {
      heard.push(`${from} ${new TextDecoder().decode(bytes)}`);
      each(heard.length);
      if (heard.length === count) this.socket.close();
    });
    return heard;
  }

  [Symbol.dispose]() {
    clearTimeout(this.#deadline);
    for (const sender of this.senders) sender.close();
  }
}

const hasFast = Deno.build.os === "linux" && ["x86_64", "aarch64"].includes(Deno.build.arch);

for (const isFast of hasFast ? [false, true] : [false]) {
  const path = isFast ? "with the C library" : "without the C library";

  const families: Record<string, string[]> = {
    "127.0.0.1": ["127.0.0.1", "127.0.0.1"],
    "::1": ["::1", "::1"],
    "::": ["127.0.0.1", "::1"],
  };
  for (const [host, from] of Object.entries(families)) {
    Deno.test(`receiving ${path}: all that has arrived at ${host} is passed on in its order, with its sender`, async () => {
      using sockets = new Sockets(isFast, host, from);
      const texts = ["", "x".repeat(60_000), ...Array.from({ length: 98 }, (_, i) => `number ${i}`)];
      for (const [i, text] of texts.entries()) await sockets.send(i % 2, text);
      const names = sockets.senders.map((conn, i) =>
        from[i].includes(":") ? `[${from[i]}]:${portOf(conn)}` : `${from[i]}:${portOf(conn)}`
      );
      assertEquals(await sockets.receive(texts.length), texts.map((text, i) => `${names[i % 2]} ${text}`));
    });
  }

  Deno.test(`receiving ${path}: what arrives later is waited for`, async () => {
    using sockets = new Sockets(isFast, "127.0.0.1", ["127.0.0.1"]);
    await sockets.send(0, "1");
    const heard = await sockets.receive(20, (count) => void setTimeout(() => sockets.send(0, `${count + 1}`)));
    assertEquals(heard.map((datagram) => Number(datagram.split(" ")[1])), Array.from({ length: 20 }, (_, i) => i + 1));
    await new Promise<void>((resolve) => setTimeout(resolve));
  });

  Deno.test(`receiving ${path}: nothing is passed on after the socket was closed`, async () => {
    using sockets = new Sockets(isFast, "127.0.0.1", ["127.0.0.1"]);
    for (let i = 0; i < 10; i++) await sockets.send(0, "x");
    assertEquals((await sockets.receive(5)).length, 5);
  });

  Deno.test(`receiving ${path}: timers ring while more arrives than can be handled`, async () => {
    using sockets = new Sockets(isFast, "127.0.0.1", ["127.0.0.1"]);
    for (let i = 0; i < 200; i++) await sockets.send(0, "x");
    let count = 0, rangAt = Infinity;
    setTimeout(() => rangAt = count);
    await sockets.receive(200, (heard) => {
      count = heard;
      for (const until = performance.now() + 1; performance.now() < until;);
    });
    assertLess(rangAt, 20);
  });

  Deno.test(`receiving ${path}: other sockets are heard while more arrives than can be handled`, async () => {
    using sockets = new Sockets(isFast, "127.0.0.1", ["127.0.0.1"]);
    using other = new Sockets(isFast, "127.0.0.1", ["127.0.0.1"]);
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    using client = await Deno.connect({ port: (listener.addr as Deno.NetAddr).port });
    using connection = await listener.accept();
    for (let i = 0; i < 250; i++) await sockets.send(0, "x");
    let count = 0;
    const answering = other.socket.receive((_, from) => void other.socket.send(bytes("answer"), from));
    const overTcp = async () => {
      await client.write(bytes("x"));
      await connection.read(new Uint8Array(9));
      await connection.write(bytes("answer"));
      await client.read(new Uint8Array(9));
      return count;
    };
    const overUdp = async () => {
      await other.send(0, "x");
      await other.senders[0].receive();
      other.socket.close();
      return count;
    };
    const answered = Promise.all([overTcp(), overUdp()]);
    await sockets.receive(250, (heard) => {
      count = heard;
      for (const until = performance.now() + 1; performance.now() < until;);
    });
    for (const at of await answered) assertLess(at, 100);
    await answering;
  });

  Deno.test(`receiving ${path}: that nobody is where something was sent to ends nothing`, async () => {
    using sockets = new Sockets(isFast, "127.0.0.1", ["127.0.0.1"]);
    const gone = listen("127.0.0.1"), address = `127.0.0.1:${portOf(gone)}`;
    gone.close();
    for (let i = 0; i < 3; i++) await sockets.socket.send(bytes("x"), address).catch(() => {});
    await sockets.send(0, "still here");
    const [heard] = await sockets.receive(1);
    assert(heard.endsWith(" still here"));
  });
}
