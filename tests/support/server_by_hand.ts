/**
 * A server of version 1 for one client: it answers greetings, and else says only what the test tells it to say.
 *
 * @module
 */
import { verifyChecksum } from "../../protocol/checksum.ts";
import { crc32 } from "../../protocol/crc32.ts";
import { Changing } from "../../scripts/support/waiting.ts";

/** The server, and the client that has greeted it. */
export interface ServerByHand extends AsyncDisposable {
  readonly port: number;
  /** The client's token, once it has told it. */
  readonly token: string;
  /** What each further WELCOME says behind the token: epoch, seq, keepalive. */
  welcome: string;
  /**
   * What it says behind the token of a CHALLENGE to who wants a name without a proof; empty to ask for none. CLIENT
   * stands for the client's address.
   */
  challenge: string;
  /** What it says behind the token of an ERROR to who proves a password; empty to welcome it. */
  refusal: string;
  /** All that the client has sent, in order, without the checksums. */
  readonly received: readonly string[];
  /** Waits until the client has sent something like this behind the first `from` datagrams. */
  until(pattern: RegExp, from?: number): Promise<RegExpExecArray>;
  /** Sends the client a packet with its checksum; TOKEN stands for its token. */
  say(packet: string): Promise<void>;
  /** Sends the client bytes as they are. */
  send(bytes: Uint8Array): Promise<void>;
  /** Where the client is. */
  readonly client: Deno.NetAddr;
}

/** A packet with its checksum. */
export function withSum(packet: string): string {
  const crc = crc32(new TextEncoder().encode(packet)).toString(16).padStart(8, "0");
  return packet.replace(/^\S+/, `$& sum=${crc}`);
}

/** Opens the server on a free port of the loopback interface. */
export function openServerByHand(welcome: string): ServerByHand {
  const conn = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const changes = new Changing();
  const received: string[] = [];
  const cookie = "a3d7e09b15c8f264";
  let client: Deno.NetAddr;
  let token = "";
  let closed = false;

  const server: ServerByHand = {
    port: (conn.addr as Deno.NetAddr).port,
    received,
    welcome,
    challenge: "",
    refusal: "",
    get token() {
      return token;
    },
    get client() {
      return client;
    },
    until: (pattern, from = 0) =>
      changes.until(
        () => received.slice(from).map((packet) => pattern.exec(packet)).find((match) => match !== null) ?? undefined,
        () => `no datagram like ${pattern}; received ${JSON.stringify(received, undefined, 1)}`,
      ),
    say: (packet) => server.send(new TextEncoder().encode(withSum(packet.replaceAll("TOKEN", token)))),
    async send(bytes) {
      await conn.send(bytes, client);
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      conn.close();
      await receiving;
    },
  };

  async function answer(packet: string): Promise<void> {
    const [, id] = / id=(\d+)/.exec(packet)!;
    if (!packet.includes(" token=")) {
      await server.say("RETRY/1 id=7 cookie=0000000000000bad");
      return await server.say(`RETRY/1 id=${id} cookie=${cookie}`);
    }
    [, token] = / token=(\S+)/.exec(packet)!;
    if (server.challenge !== "" && !packet.includes(" proof=")) {
      const challenge = server.challenge.replace("CLIENT", `${client.hostname}:${client.port}`);
      return await server.say(`CHALLENGE/1 id=${id} token=${token} ${challenge}`);
    }
    if (server.refusal !== "" && packet.includes(" proof=")) {
      return await server.say(`ERROR/1 id=${id} token=${token} ${server.refusal}`);
    }
    await server.say(`WELCOME/1 id=${id} address=127.0.0.1:9 token=${token} ${server.welcome}`);
  }

  const receiving = (async () => {
    while (true) {
      try {
        const [bytes, from] = await conn.receive(new Uint8Array(65_536));
        client = from as Deno.NetAddr;
        const packet = new TextDecoder("utf-8", { fatal: true }).decode(bytes).replace(/ sum=[0-9a-f]{8}/, "");
        received.push(verifyChecksum(bytes) ? packet : `damaged: ${packet}`);
        if (/^(GREETING|SIGN-IN)\/1 /.test(packet)) await answer(packet);
        changes.changed();
      } catch (error) {
        if (closed) return;
        // the client has ended before an answer reached it
        if (!(error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.ConnectionReset)) {
          throw error;
        }
      }
    }
  })();
  return server;
}
