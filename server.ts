/**
 * The chat server: `deno run -A server.ts 9090`.
 *
 * The front door only: flags in, then one loop that takes datagrams off a socket and gives packets to the room.
 *
 * @module
 */
import { Alarm, now } from "./clock.ts";
import { Failure, openSocket, parsePort, readCommandLine, run, UsageError, versionLine } from "./command_line.ts";
import { datagrams } from "./datagrams.ts";
import { decode, DEFAULT_PORT, MEMBER_TIMEOUT_MS } from "./protocol.ts";
import { formatAddress, parseAddress } from "./protocol/fields.ts";
import { UdpDelivery } from "./server/delivery.ts";
import type { Member } from "./server/members.ts";
import { Room } from "./server/room.ts";

const HELP = `udp-chat server: everyone who greets it hears what everyone says.

Usage: deno run -A server.ts [PORT]

  PORT, --port PORT, -sp PORT   where to listen (${DEFAULT_PORT}); 0 picks a free port
  --host HOST                   the address to listen on (0.0.0.0); :: for IPv4 and IPv6
  --no-echo                     the sender of a message gets no copy of it
  --timeout SECONDS             silence after which a client is taken for gone (60)
  --quiet                       no line for each client that comes or goes
  --help                        this text
  --version                     the version

Clients join with: deno run -A client.ts HOST PORT
Ctrl-C stops the server and tells the clients.`;

/** What the command line asks of the server. */
interface ServerOptions {
  host: string;
  port: number;
  echo: boolean;
  /** Milliseconds of silence after which a member is taken for gone. */
  timeout: number;
  quiet: boolean;
}

/** Serves until it is told to stop. */
async function serve({ host, port, echo, timeout, quiet }: ServerOptions): Promise<void> {
  const conn = listen(host, port);
  const delivery = new UdpDelivery(conn);
  const log = quiet ? {} : {
    joined: (member: Member) => console.log(`Client ${tuple(member.address)} connected at ${time(member.since)}`),
    left: (member: Member, how: string) =>
      console.log(`Client ${tuple(member.address)} ${how === "silence" ? "fell silent" : "left"} at ${time(now())}`),
  };
  const room = new Room(delivery, { echo, timeout, observer: log });
  const alarm = new Alarm(() => {
    room.wake(now());
    alarm.set(room.nextWake);
  });
  announce(host, (conn.addr as Deno.NetAddr).port);

  const stop = onceStopped(async () => {
    room.close();
    await delivery.idle();
    conn.close();
  });
  for await (const { bytes, from } of datagrams(conn)) {
    const decoded = decode(bytes);
    if (decoded.ok) room.receive(decoded.packet, from, now());
    else room.ignore();
    alarm.set(room.nextWake);
  }
  stop.forget();
  alarm.set(undefined);

  const { joined, messages, ignored } = room.statistics;
  console.log(
    `Closed: ${joined} members, ${messages} messages in, ${delivery.statistics.sent} datagrams out, ` +
      `${ignored} ignored`,
  );
}

/**
 * Opens the server's socket.
 *
 * @throws {UsageError | Failure} with what to do about it.
 */
function listen(host: string, port: number): Deno.DatagramConn {
  try {
    return openSocket(host, port);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new Failure(`Port ${port} is in use, perhaps by another server: stop that one, or give another port`);
    }
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new Failure(`The system keeps port ${port} for administrators: give a port from 1024 up`);
    }
    if (error instanceof Deno.errors.AddrNotAvailable) {
      throw new UsageError(`This machine has no address ${host}: give one of its own with --host, or 0.0.0.0 for all`);
    }
    if (error instanceof Error && error.message.includes("lookup address")) {
      throw new UsageError(`There is no host '${host}': give an address of this machine with --host, or 0.0.0.0`);
    }
    throw error;
  }
}

/** The first lines of the server's output, with what others must type to join. */
function announce(host: string, port: number): void {
  console.log("Server Initialized...");
  console.log(`Listening on ${formatAddress({ hostname: host, port })}`);
  const addresses = host === "0.0.0.0" || host === "::" ? ownAddresses(host === "::") : [host];
  if (addresses.length === 0) addresses.push("127.0.0.1");
  console.log("To join from this network, type:");
  for (const address of addresses) console.log(`  deno run -A client.ts ${address} ${port}`);
}

/** The addresses that others on the network reach this machine by. */
function ownAddresses(withIPv6: boolean): string[] {
  let interfaces: Deno.NetworkInterfaceInfo[];
  try {
    interfaces = Deno.networkInterfaces();
  } catch {
    return []; // without the permission to look, the announcement falls back to this machine's own loopback
  }
  const reachable = interfaces.filter(({ family, address }) =>
    family === "IPv4" ? !address.startsWith("127.") : withIPv6 && address !== "::1" && !address.startsWith("fe80")
  );
  return reachable.map(({ address }) => address);
}

/** Calls back at the first Ctrl-C or SIGTERM; the second ends the program as the system would. */
function onceStopped(stop: () => void): { forget(): void } {
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  const handle = () => {
    forget();
    stop();
  };
  const forget = () => signals.forEach((signal) => Deno.removeSignalListener(signal, handle));
  signals.forEach((signal) => Deno.addSignalListener(signal, handle));
  return { forget };
}

function tuple(address: string): string {
  const { hostname, port } = parseAddress(address)!;
  return `(${hostname}, ${port})`;
}

function time(at: number): string {
  return new Date(at).toLocaleString("sv-SE");
}

/** Reads the command line. */
function readOptions(args: string[]): ServerOptions | string {
  const read = readCommandLine(args, {
    string: ["port", "host", "timeout"],
    boolean: ["echo", "quiet", "help", "version"],
    negatable: ["echo"],
    default: { echo: true, host: "0.0.0.0" },
    singleDash: { "-sp": "--port" },
    positional: 1,
  });
  if (read.help) return HELP;
  if (read.version) return versionLine("udp-chat server");
  if (read._.length > 0 && read.port !== undefined) throw new UsageError("The port is given twice");
  const port = parsePort(String(read.port ?? read._[0] ?? DEFAULT_PORT), 0);
  const seconds = Number(read.timeout ?? MEMBER_TIMEOUT_MS / 1000);
  if (!(seconds >= 3 && seconds <= 86_400)) throw new UsageError("--timeout takes 3 to 86400 seconds");
  return { host: read.host, port, echo: read.echo, timeout: 1000 * seconds, quiet: read.quiet };
}

if (import.meta.main) {
  await run(async () => {
    const options = readOptions(Deno.args);
    if (typeof options === "string") console.log(options);
    else await serve(options);
    return 0;
  });
}
