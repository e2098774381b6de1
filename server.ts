/**
 * The chat server: `deno run -A server.ts 9090`.
 *
 * The front door only: flags in, then one loop that takes datagrams off a socket and gives packets to the room.
 *
 * @module
 */
import { Alarm, now } from "./runtime/clock.ts";
import { parseNumber, parsePort, readCommandLine, tooManyArguments } from "./runtime/command_line.ts";
import { Failure, run, startCommand, UsageError, versionLine } from "./runtime/program.ts";
import { datagrams, openSocket } from "./runtime/udp.ts";
import { openConsole } from "./server/console.ts";
import { BugLog, presenceLog, say } from "./server/log.ts";
import {
  EMULATOR_SETTINGS,
  formatConditions,
  type NetworkConditions,
  NetworkEmulator,
  parseSetting,
  PERFECT,
  settingUsage,
} from "./server/doors/network_emulator.ts";
import { openSendmmsg } from "./server/doors/linux/sendmmsg.ts";
import { openState } from "./server/journal/state_file.ts";
import type { WindowOptions } from "./server/journal/event_log.ts";
import type { TokenBucketOptions } from "./protocol/reliable/token_bucket.ts";
import { decode, DEFAULT_PORT, MAX_CLASSIC_BYTES, MEMBER_TIMEOUT_MS } from "./protocol.ts";
import { formatAddress } from "./protocol/fields.ts";
import { pluralize } from "./protocol/text.ts";
import { UdpDelivery } from "./server/doors/udp.ts";
import { usersLine } from "./server/room/dialects.ts";
import { Room, type RoomObserver } from "./server/room/room.ts";

const HELP = `udp-chat server: everyone who greets it hears what everyone says.

Usage: ${startCommand("server")} [PORT]

  PORT, --port PORT, -sp PORT   where to listen (${DEFAULT_PORT}); 0 picks a free port
  --host HOST                   the address to listen on (0.0.0.0); :: for IPv4 and IPv6
  --no-echo                     the sender of a message gets no copy of it
  --rate COUNT                  how many messages a second each member may send, twice as many at once (20);
                                0 for no limit
  --timeout SECONDS             silence after which a client is taken for gone (60)
  --window COUNT                how many events are kept for those who missed them, and for /history (10000)
  --window-bytes BYTES          the most memory that they may take, about (8388608)
  --state FILE                  keeps room and names in FILE, over a restart or a crash
  --quiet                       no line for each client that comes or goes
  --verbose                     says how datagrams are sent
  --help                        this text
  --version                     the version

To show what a bad network does, each way (while the server runs, type these into its terminal without the dashes):
  --drop 20%  --duplicate 5%  --delay 20..200 (milliseconds)  --corrupt 1%
  --seed N                      the same datagrams meet the same fate each time

Clients join with: ${startCommand("client")} HOST PORT
"help" typed there lists more. Ctrl-C stops the server and tells the clients.`;

/** What the command line asks of the server. */
interface ServerOptions {
  host: string;
  port: number;
  echo: boolean;
  rate: TokenBucketOptions;
  /** Milliseconds of silence after which a member is taken for gone. */
  timeout: number;
  window: Required<WindowOptions>;
  stateFile?: string;
  quiet: boolean;
  verbose: boolean;
  conditions: NetworkConditions;
  seed?: number;
}

/** What is asked for to hold what arrives while a broadcast goes out, in bytes; the system may grant less. */
const RECEIVE_BUFFER_BYTES = 8 << 20;

/** How long the goodbye to the members may take, in milliseconds. */
const STOP_DEADLINE_MS = 1000;

/** How long the room is left alone after it could not do what was due, in milliseconds. */
const WAKE_AGAIN_MS = 1000;

/** Serves until it is told to stop. */
async function serve(options: ServerOptions): Promise<void> {
  const { host, port, quiet } = options;
  const conn = listen(host, port);
  const state = options.stateFile === undefined ? undefined : openState(options.stateFile, options.window.events);
  const dial = new NetworkEmulator(options.seed);
  dial.conditions = options.conditions;
  const sendmmsg = openSendmmsg(conn);
  const fast = "reason" in sendmmsg ? undefined : sendmmsg;
  fast?.setReceiveBuffer(RECEIVE_BUFFER_BYTES);
  let arrived = 0;
  const delivery = new UdpDelivery(conn, { fast, dial, arrived: () => arrived });
  const observer = each(state?.writer, quiet ? {} : presenceLog(say));
  const room = new Room(delivery, { ...options, observer, past: state?.past, wallClock: Date.now }, now());
  const mishaps = new BugLog();
  let failure: Failure | undefined;
  let isStopping = false;
  let wakeNotBefore = 0;
  const stop = async () => {
    if (isStopping) return;
    isStopping = true;
    signals.forget();
    // the goodbye does not wait for what a flood has left behind, nor for the delays of the dial
    dial.conditions = PERFECT;
    delivery.clear();
    room.close();
    await Promise.race([delivery.idle(), new Promise((resolve) => setTimeout(resolve, STOP_DEADLINE_MS))]);
    fast?.close();
    conn.close();
  };
  const signals = onceSignalled(stop);
  // what fails, the state file for instance, ends the server, but the members are told; a bug ends one step only
  const act = (step: () => void) => {
    if (isStopping) return;
    try {
      step();
    } catch (error) {
      if (error instanceof Failure) {
        failure = error;
        return stop();
      }
      mishaps.note(error, now());
    }
    const wakeAt = room.nextWake;
    alarm.set(wakeAt === undefined ? undefined : Math.max(wakeAt, wakeNotBefore));
  };
  const alarm = new Alarm(() => {
    // should it throw, what was due may be due still
    wakeNotBefore = now() + WAKE_AGAIN_MS;
    act(() => {
      room.wake(now());
      wakeNotBefore = 0;
    });
  });
  alarm.set(room.nextWake);

  announce(host, conn.addr as Deno.NetAddr);
  if (options.verbose) {
    say("reason" in sendmmsg ? `Sending one by one: ${sendmmsg.reason}` : "Sending to many at once by sendmmsg");
  }
  if (!dial.isPerfect) say(`The network is now: ${formatConditions(dial.conditions)}`);
  if (state) {
    const kept = room.size > 0 ? `; ${pluralize(room.size, "member")} from before` : "";
    say(`Keeping the room in ${options.stateFile}${kept}`);
  }
  const summary = () => {
    const lost = fast?.inboundDrops() ?? 0;
    return inWords(room, delivery) + (lost > 0 ? `, ${pluralize(lost, "datagram")} too many for the system` : "");
  };
  const terminal = openConsole({
    dial,
    arrived: () => arrived,
    summary,
    list: () => usersLine(room.users()),
    stop,
    print: say,
  });

  for await (const { bytes, from } of datagrams(conn)) {
    arrived++;
    // so that the dial holds nothing back that is none anyway
    if (bytes.length > MAX_CLASSIC_BYTES) {
      room.ignore();
      continue;
    }
    dial.pass(bytes, (bytes) =>
      act(() => {
        const decoded = decode(bytes);
        if (decoded.ok) room.receive(decoded.packet, from, now());
        else room.ignore();
      }));
  }

  terminal.close();
  alarm.set(undefined);
  dial.close();
  state?.close();
  if (failure !== undefined) throw failure;
  say(`Closed: ${summary()}`);
}

/** Tells several observers, the first one first. */
function each(...observers: (RoomObserver | undefined)[]): RoomObserver {
  return {
    joined: (...what) => observers.forEach((observer) => observer?.joined?.(...what)),
    changed: (...what) => observers.forEach((observer) => observer?.changed?.(...what)),
    left: (...what) => observers.forEach((observer) => observer?.left?.(...what)),
    happened: (...what) => observers.forEach((observer) => observer?.happened?.(...what)),
  };
}

function inWords({ size, statistics: { joined, messages, ignored } }: Room, { statistics }: UdpDelivery): string {
  return `${pluralize(joined, "member")} joined, ${size} here, ${pluralize(messages, "message")} in, ` +
    `${pluralize(statistics.sent, "datagram")} out, ${ignored} ignored`;
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
    if (error instanceof Error && /lookup address|invalid host/.test(error.message)) {
      throw new UsageError(`There is no host '${host}': give an address of this machine with --host, or 0.0.0.0`);
    }
    throw error;
  }
}

/** The first lines of the server's output, with what others must type to join. */
function announce(host: string, { hostname, port }: Deno.NetAddr): void {
  say("Server Initialized...");
  say(`Listening on ${formatAddress({ hostname: host, port })}`);
  const isOpen = hostname === "0.0.0.0" || hostname === "::";
  const addresses = isOpen ? ownAddresses(hostname === "::") : [host];
  if (addresses.length === 0) addresses.push("127.0.0.1");
  const isLocal = isOpen ? addresses[0] === "127.0.0.1" : hostname.startsWith("127.") || hostname === "::1";
  say(`To join from this ${isLocal ? "machine" : "network"}, type:`);
  for (const address of addresses) say(`  ${startCommand("client")} ${address} ${port}`);
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

/**
 * Calls back at Ctrl-C or SIGTERM, which end the program as the system would once that is forgotten, and when the
 * terminal is closed.
 */
function onceSignalled(stop: () => void): { forget(): void } {
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  signals.forEach((signal) => Deno.addSignalListener(signal, stop));
  // not forgotten: both the shell and the system may send it
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGHUP", stop);
  return { forget: () => signals.forEach((signal) => Deno.removeSignalListener(signal, stop)) };
}

/** Reads the command line. */
function readOptions(args: string[]): ServerOptions | string {
  const read = readCommandLine(args, {
    string: ["port", "host", "rate", "timeout", "window", "window-bytes", "state", "seed", ...EMULATOR_SETTINGS],
    boolean: ["echo", "quiet", "verbose", "help", "version"],
    negatable: ["echo"],
    default: { echo: true, host: "0.0.0.0" },
    singleDash: { "-sp": "--port" },
    positional: 2,
  });
  if (read.help) return HELP;
  if (read.version) return versionLine("udp-chat server");
  const [first = "", second] = read._ as string[];
  if (/[.:]|^localhost$/.test(first) || (second !== undefined && !/^\d+$/.test(first))) {
    throw new UsageError(`'${first}' is no port; an address to listen on is given by --host ${first}`);
  }
  if (second !== undefined) throw tooManyArguments(second);
  if (read._.length > 0 && read.port !== undefined) throw new UsageError("The port is given twice");
  let conditions: NetworkConditions = PERFECT;
  for (const setting of EMULATOR_SETTINGS) {
    if (read[setting] === undefined) continue;
    const next = parseSetting(conditions, setting, read[setting]);
    if (!next) throw new UsageError(`--${settingUsage(setting)}`);
    conditions = next;
  }
  const rate = parseNumber(read, "rate", 0, 1_000_000) ?? 20;
  return {
    host: read.host,
    port: parsePort(String(read.port ?? read._[0] ?? DEFAULT_PORT), 0),
    echo: read.echo,
    rate: { rate, burst: 2 * rate },
    timeout: 1000 * (parseNumber(read, "timeout", 3, 86_400, "seconds") ?? MEMBER_TIMEOUT_MS / 1000),
    window: {
      events: parseNumber(read, "window", 1, 1_000_000) ?? 10_000,
      bytes: parseNumber(read, "window-bytes", 10_000, 2 ** 32) ?? 8 << 20,
    },
    stateFile: read.state,
    quiet: read.quiet,
    verbose: read.verbose,
    conditions,
    seed: parseNumber(read, "seed", 0, 2 ** 32 - 1),
  };
}

if (import.meta.main) {
  await run(async () => {
    const options = readOptions(Deno.args);
    if (typeof options === "string") console.log(options);
    else await serve(options);
  });
}
