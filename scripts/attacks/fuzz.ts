/**
 * Fuzzes the server's room, the real server and the real client: they get packets of every type with odd values,
 * damaged packets and noise, and it is looked whether they live and still do their work.
 *
 * The room is fuzzed in this process, where it reads each of the datagrams. The real server gets them by a socket, so
 * slowly that it drops none as part of a flood.
 *
 * @module
 */
import { decode, encode, type V1Packet } from "../../protocol.ts";
import { formatAddress, randomHex64 } from "../../protocol/fields.ts";
import { parseNumber, readCommandLine } from "../../runtime/command_line.ts";
import { Failure, run } from "../../runtime/program.ts";
import { datagrams, openSocket } from "../../runtime/udp.ts";
import { seededRandom } from "../../server/doors/network_emulator.ts";
import { type Process, startClient, startServer } from "../support/processes.ts";
import { Changing, pause } from "../support/waiting.ts";
import { fuzzRoom } from "./fuzz_room.ts";
import { type Known, mutations, OFTEN_TO_SERVER } from "./mutations.ts";
import { joinV1 } from "./v1_member.ts";

const HELP = `Sends odd datagrams to a room, to a real server and to a real client, and looks whether they live.

Usage: deno run -A scripts/attacks/fuzz.ts

  --datagrams COUNT   how many the room and the client get; the server gets a tenth (500000)
  --seed N            the same datagrams again (random)
  --help              this text`;

/** How many datagrams are sent, and which. */
export interface FuzzOptions {
  datagrams: number;
  seed: number;
}

/** How many datagrams are sent before the next look whether the program lives. */
const ROUND = 5000;
/** How many datagrams are sent at once, so that most of them find room in the receive buffer. */
const AT_ONCE = 50;
/** How many datagrams a server gets in a second: of strangers it reads 10,000 a second. */
const SERVER_RATE = 8000;
/** How long a program may take to show that it lives, in milliseconds. */
const PATIENCE_MS = 10_000;
/** How often it is looked whether a server lives, in milliseconds. */
const SAY_AGAIN_MS = 200;
/**
 * What a client may do as its server says: end, because it can't have this name or none at all, or greet again in some
 * seconds only. So this is left out.
 */
const ENDS_CLIENT = /code=(name-taken|bad-name|kicked|banned|locked|signed-in-elsewhere)|keepalive=\d{4}/;
const decoder = new TextDecoder();
const EPOCH = "91c4be20d7a35f68", STREAM = "c07d5f3be8192a64";

/** Fuzzes a server: from strangers, and from the address of a member with its token. */
export async function fuzzServer({ datagrams: count, seed }: FuzzOptions): Promise<void> {
  const random = seededRandom(seed);
  await using server = await startServer("--quiet", "--rate", "0");
  const to: Deno.NetAddr = { transport: "udp", hostname: "127.0.0.1", port: server.port };
  using stack = new DisposableStack();
  const changes = new Changing();
  let heard = 0;
  // the limits for one address must not hold for who looks whether the server lives
  const control = stack.use(
    await joinV1(server.port, (id, stream) => {
      if (stream === control.stream) heard = id;
      changes.changed();
    }, { hostname: "127.0.0.9" }),
  );
  const member = stack.use(await joinV1(server.port, () => {}));
  const strangers = Array.from({ length: 20 }, () => openSocket("127.0.0.1", 0));
  stack.defer(() => strangers.forEach((conn) => conn.close()));
  const known = (): Known => ({
    token: member.token,
    epoch: member.epoch,
    stream: STREAM,
    id: 2,
    address: member.address,
  });
  const next = mutations(random, known, OFTEN_TO_SERVER);
  for (let sent = 0, round = 1; sent < count; round++) {
    for (const end = Math.min(count, sent + ROUND); sent < end; sent += AT_ONCE) {
      const conns = Array.from({ length: AT_ONCE }, (_, i) => random() < 0.5 ? member.conn : strangers[i % 20]);
      await Promise.all([
        ...conns.map((conn) => conn.send(next(), to).catch(() => {})),
        pause(1000 * AT_ONCE / SERVER_RATE),
      ]);
    }
    // it may have said goodbye, or have taken a name
    member.greet();
    control.say(round);
    const again = setInterval(() => control.say(round), SAY_AGAIN_MS);
    await changes.until(() => heard >= round || undefined, () => `${lastWords(server)}; round ${round}`, PATIENCE_MS)
      .finally(() => clearInterval(again));
  }
  if (server.stderr.text() !== "") throw new Failure(`The server has said: ${server.stderr.text().slice(0, 500)}`);
}

/** Fuzzes a client: from its server's address, with its token in many packets, and from elsewhere. */
export async function fuzzClient({ datagrams: count, seed }: FuzzOptions): Promise<void> {
  const random = seededRandom(seed);
  const conn = openSocket("127.0.0.1", 0), elsewhere = openSocket("127.0.0.1", 0);
  const changes = new Changing();
  let token = randomHex64(), id = 0, from: Deno.NetAddr | undefined, greetings = 0, messages = 0;
  const answer = (packet: V1Packet) => void conn.send(encode(packet), from!).catch(() => {});
  const receive = (packet: V1Packet) => {
    if (packet.type === "MESSAGE") messages++;
    if (packet.type !== "GREETING" && packet.type !== "SIGN-IN") return changes.changed();
    greetings++;
    id = packet.id;
    token = packet.token ?? token;
    if (packet.token === undefined) answer({ dialect: "v1", type: "RETRY", id, cookie: randomHex64() });
    else {
      const address = formatAddress(from!);
      answer({
        dialect: "v1",
        type: "WELCOME",
        id,
        address,
        token,
        epoch: EPOCH,
        seq: 0,
        keepalive: 200,
      });
    }
    changes.changed();
  };
  const receiving = (async () => {
    for await (const { bytes, from: sender } of datagrams(conn)) {
      const port = Number(/\d+$/.exec(sender)![0]);
      if (port === (elsewhere.addr as Deno.NetAddr).port) continue;
      from = { transport: "udp", hostname: "127.0.0.1", port };
      const decoded = decode(bytes);
      if (decoded.ok && decoded.packet.dialect === "v1") receive(decoded.packet);
    }
  })();
  try {
    await using client = startClient("127.0.0.1", (conn.addr as Deno.NetAddr).port);
    await changes.until(() => greetings > 1 || undefined, () => lastWords(client), PATIENCE_MS);
    const known = (): Known => ({ token, epoch: EPOCH, stream: STREAM, id, address: formatAddress(from!) });
    const any = mutations(random, known);
    // who knows the id of a greeting may be the server at another address, and the client follows it there
    const strangers = mutations(random, () => ({ ...known(), token: STREAM, id: 2 }));
    const next = (make: () => Uint8Array) => {
      for (;;) {
        const bytes = make();
        if (!ENDS_CLIENT.test(decoder.decode(bytes))) return bytes;
      }
    };
    for (let sent = 0; sent < count;) {
      for (const end = Math.min(count, sent + ROUND); sent < end; sent += AT_ONCE) {
        const conns = Array.from({ length: AT_ONCE }, () => random() < 0.7 ? conn : elsewhere);
        await Promise.all(
          conns.map((socket) => socket.send(next(socket === conn ? any : strangers), from!).catch(() => {})),
        );
      }
      const before = greetings;
      await changes.until(
        () => greetings > before || undefined,
        () => `${lastWords(client)}; ${sent} sent`,
        PATIENCE_MS,
      );
    }
    // a line that is typed still goes out
    const before = messages;
    await client.type("still here\n");
    await changes.until(() => messages > before || undefined, () => lastWords(client), PATIENCE_MS);
    client.kill("SIGINT");
    await client.exitCode();
    if (/Failed|a bug/.test(client.stderr.text())) throw new Failure(`The client has said: ${lastWords(client)}`);
    // deno-lint-ignore no-control-regex -- control characters are the point
    const found = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/.exec(
      client.stdout.text() + client.stderr.text(),
    );
    if (found) throw new Failure(`The client has printed the character ${found[0].codePointAt(0)}`);
  } finally {
    conn.close();
    elsewhere.close();
    await receiving;
  }
}

function lastWords({ stdout, stderr, ended }: Process): string {
  return `${ended() ? "it has ended" : "it runs"}; it has printed ${
    JSON.stringify((stdout.text() + stderr.text()).slice(-500))
  }`;
}

if (import.meta.main) {
  await run(async () => {
    const read = readCommandLine(Deno.args, { string: ["datagrams", "seed"], boolean: ["help"], positional: 0 });
    if (read.help) return console.log(HELP);
    const options = {
      datagrams: parseNumber(read, "datagrams", 1, 100_000_000) ?? 500_000,
      seed: parseNumber(read, "seed", 0, 2 ** 32 - 1) ?? crypto.getRandomValues(new Uint32Array(1))[0],
    };
    console.log(`Seed ${options.seed}`);
    const { packets, ignored, joined, messages, sent } = fuzzRoom(options);
    const reasons = Object.entries(ignored).map(([reason, count]) => `${count} ${reason}`).join(", ");
    console.log(
      `The room lives after ${options.datagrams} datagrams, of which ${packets} were packets: ${joined} members, ` +
        `${messages} messages, ${sent} datagrams sent; ignored: ${reasons}`,
    );
    const datagrams = Math.ceil(options.datagrams / 10);
    await fuzzServer({ ...options, datagrams });
    console.log(`The server lives after ${datagrams} datagrams`);
    await fuzzClient(options);
    console.log(`The client lives after ${options.datagrams} datagrams`);
  });
}
