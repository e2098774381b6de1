/**
 * The chat server: `deno run -A server.ts 9090`.
 *
 * This file only reads the flags, makes the parts, and lets the doors pass what arrives to the host.
 *
 * @module
 */
import { DEFAULT_PORT, MEMBER_TIMEOUT_MS } from "./protocol.ts";
import { usersLine } from "./protocol/lines.ts";
import type { TokenBucketOptions } from "./protocol/reliable/token_bucket.ts";
import { pluralize } from "./protocol/text.ts";
import { parseNumber, parsePort, readCommandLine, tooManyArguments } from "./runtime/command_line.ts";
import { stdout } from "./runtime/output.ts";
import { run, startCommand, UsageError, versionLine } from "./runtime/program.ts";
import { Trace } from "./runtime/trace.ts";
import { announcement } from "./server/announcement.ts";
import { CLASSIC_FLAGS, parseClassic } from "./server/classic_flags.ts";
import { openConsole } from "./server/console.ts";
import { Doors } from "./server/doors/doors.ts";
import {
  EMULATOR_SETTINGS,
  formatConditions,
  type NetworkConditions,
  NetworkEmulator,
  parseConditions,
} from "./server/doors/network_emulator.ts";
import { openUdpDoor } from "./server/doors/udp.ts";
import { Host } from "./server/host.ts";
import type { WindowOptions } from "./server/journal/journal.ts";
import { MemoryJournal } from "./server/journal/memory.ts";
import { openState } from "./server/journal/state_file.ts";
import { JoinAddresses } from "./server/join_addresses.ts";
import { LocalNetworks } from "./server/local_networks.ts";
import { formatSummary, presenceLog, print } from "./server/log.ts";
import { refusalLog } from "./server/refusal_log.ts";
import { parseRelayRate, RELAY_RATE_VALUE } from "./server/relay_flag.ts";
import { MemoryAccounts } from "./server/room/accounts.ts";
import type { ClassicPolicyOptions } from "./server/room/classic_policy.ts";
import type { JoinAddress } from "./server/room/join_address.ts";
import type { EchoOptions } from "./server/room/room_options.ts";
import { onStopSignal } from "./server/stop_signals.ts";
import { openDoors, parseTcp, TCP_VALUE, type TcpChoice } from "./server/tcp_flag.ts";

const HELP = `udp-chat server: everyone who greets it hears what everyone says.

Usage: ${startCommand("server")} [PORT]

  PORT, --port PORT, -sp PORT   where to listen (${DEFAULT_PORT}); 0 picks a free port
  --host HOST                   the address to listen on (0.0.0.0); :: for IPv4 and IPv6
  --tcp PORT                    the port for connections by TCP (the same as UDP's); off: none
  --echo, --no-echo             the sender of a message gets a copy of it, or not; without either, one who sends
                                datagrams does, and one with a TCP connection does not
  --rate COUNT                  how many messages a second each member may send, twice as many at once (20);
                                0 for no limit
  --no-relay                    no private message passes through the server, so none to or from who has a TCP
                                connection; without it those do that find no direct way
  --relay-rate BYTES            how many bytes a second of files pass through the server for each member, where
                                there is no direct way (1M); 500k is 500000; 0 for no limit
  --classic NETWORK             takes the classic dialect from there too (192.0.2.0/24), may be given again; any: from
                                everywhere; off: from nowhere. Without it: from networks nearby. It is for datagrams:
                                --tcp off is for connections
  --classic-members COUNT       how many members may speak it (5000)
  --classic-per-address COUNT   how many of them may have one IP address (500)
  --timeout SECONDS             silence after which a client is taken for gone, and a classic one makes room
                                when its place is needed (60)
  --window COUNT                how many messages are kept for those who missed them, and for /history (10000);
                                beside them an eighth as many arrivals and departures are kept
  --window-bytes BYTES          the most memory that they may take, about (8388608)
  --state FILE                  keeps room, names and bans in FILE, over a restart or a crash; with it members can
                                protect their names by a password (/register)
  --members-only                lets nobody in who has no account; "account add NAME" typed here makes one
  --plain-passwords             takes passwords over TCP too (/login NAME PASSWORD): others on the way can read them
  --quiet                       no line for each client that comes or goes
  --trace                       prints what is ignored, and why; what is secret in it is hidden
  --verbose                     says how datagrams are sent
  --help                        this text
  --version                     the version

To show what a bad network does, each way (while the server runs, type these into its terminal without the dashes):
  --drop 20%  --duplicate 5%  --delay 20..200 (milliseconds)  --corrupt 1%
  --seed N                      with the same number, the same datagrams are lost each time

Clients join with: ${startCommand("client")} HOST PORT
or: nc HOST PORT
Typed into the server's terminal, "kick NAME", "mute NAME" and "ban NAME" keep order, and "help" lists more.
Ctrl-C stops the server and tells the clients.`;

/** The options on the command line. */
interface ServerOptions {
  host: string;
  port: number;
  tcp: TcpChoice;
  /** Default: those that send datagrams get copies of their own messages, those with a connection do not. */
  echo?: EchoOptions;
  rate: TokenBucketOptions;
  /** Whether private messages may pass through the server. */
  relay: boolean;
  /** How many bytes a second of files pass for each member; 0 for no limit. */
  relayRate: number;
  classic: ClassicPolicyOptions;
  /** Milliseconds of silence after which a member is taken for gone. */
  timeout: number;
  window: Required<WindowOptions>;
  stateFile?: string;
  /** Whether nobody gets in without an account. */
  membersOnly: boolean;
  /** Whether passwords are taken over TCP, where others can read them. */
  plainPasswords: boolean;
  quiet: boolean;
  trace: boolean;
  verbose: boolean;
  conditions: NetworkConditions;
  seed?: number;
}

/** Serves until it is told to stop. */
async function serve(options: ServerOptions) {
  const { host: hostname, port, tcp, quiet, verbose, stateFile, conditions, seed, window, ...others } = options;
  const { classic, trace: isTraced, ...room } = others;
  const trace = new Trace(print, isTraced);
  const emulator = new NetworkEmulator(seed);
  emulator.conditions = conditions;
  const networks = new LocalNetworks();
  const localNetworks = () => networks.read();
  const { udp: door, tcp: tcpDoor, problem } = openDoors(
    { host: hostname, port, tcp },
    (port) => openUdpDoor(hostname, port, emulator, localNetworks),
  );
  const doors = new Doors(tcpDoor ? [door, tcpDoor] : [door]);
  const state = stateFile === undefined ? undefined : openState(stateFile, window);
  const accounts = state && new MemoryAccounts(state.accounts, state.accountTable, state.knownAddresses);
  const stop = () => void host.stop();
  const signals = onStopSignal(stop);
  // who has no account, or can't prove it there, does not join by TCP
  const tcpPort = room.membersOnly ? undefined : tcpDoor?.address.port;
  for (const line of announcement(hostname, door.address, tcpPort, room.membersOnly)) print(line);
  if (problem !== undefined) print(problem);
  const joinAddresses = new JoinAddresses(door.address);
  const joinAddress: JoinAddress = (family, via) => joinAddresses.choose(family, via);
  // restores the members, and may print of some of them that they are refused
  const host = new Host({
    doors,
    journal: state?.journal ?? new MemoryJournal(window),
    accounts,
    order: state && { ...state.order, keeper: state.orderTable },
    tellTerminal: print,
    room: {
      ...room,
      classic: { ...classic, localNetworks, accountsOnly: room.membersOnly },
      joinAddress,
      ownAddresses: () => networks.addresses(),
      members: state?.members,
      passKey: state?.passKey,
      wallClock: Date.now,
    },
    trace,
    // who comes is stored before it is printed
    observers: [...(state ? [state.memberTable] : []), ...(quiet ? [] : [presenceLog(print)]), refusalLog(print)],
    stopping: () => signals.release(),
  });

  if (verbose) print(door.method);
  if (!emulator.isPerfect) print(`The network is now: ${formatConditions(conditions)}`);
  if (state) {
    const { size } = host.room;
    print(`Keeping the room in ${stateFile}${size > 0 ? `; ${pluralize(size, "member")} from before` : ""}`);
  }
  if (room.membersOnly) {
    const none = `; there is none yet: type "account add NAME" here`;
    print(
      `Only who has an account gets in${accounts!.size === 0 ? none : ` (${pluralize(accounts!.size, "account")})`}`,
    );
  }
  if (room.plainPasswords) {
    print("Passwords are taken over TCP (/login): whoever is on the way can read them, and sign in with them");
  }
  const summary = () => {
    const statistics = { ...doors.statistics, lines: tcpDoor?.statistics.sent };
    return formatSummary(host.room, statistics, door.inboundDrops);
  };
  const terminal = openConsole({
    emulator,
    trace,
    arrived: () => door.arrived,
    summary: () => [summary(), ...host.room.orderState].join("\n"),
    list: () => usersLine(host.room.users()),
    room: host.room,
    order: (line) => host.order(line),
    stop,
    print,
  });

  await doors.run(host);

  terminal.close();
  state?.close();
  if (host.failure !== undefined) throw host.failure;
  stdout.printLast(`Closed: ${summary()}`);
}

/** Reads the command line. Returns the text to print for `--help` and `--version`. */
function readOptions(args: string[]): ServerOptions | string {
  const read = readCommandLine(args, {
    string: [
      ...["port", "host", "tcp", "rate", "relay-rate", "timeout", "window", "window-bytes", "state", "seed"],
      ...[...CLASSIC_FLAGS, ...EMULATOR_SETTINGS],
    ],
    collect: ["classic"],
    boolean: [
      ...["echo", "relay", "members-only", "plain-passwords", "quiet", "trace", "verbose", "help", "version"],
    ],
    negatable: ["echo", "relay"],
    default: { echo: undefined, relay: true, host: "0.0.0.0" },
    singleDash: { "-sp": "--port" },
    values: { "tcp": TCP_VALUE, "relay-rate": RELAY_RATE_VALUE },
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
  for (const flag of ["members-only", "plain-passwords"] as const) {
    if (read[flag] && read.state === undefined) {
      throw new UsageError(`--${flag} needs --state FILE, which keeps accounts`);
    }
  }
  if (read["plain-passwords"] && read.tcp === "off") throw new UsageError("--plain-passwords is for TCP, which is off");
  const rate = parseNumber(read, "rate", 0, 1_000_000) ?? 20;
  return {
    host: read.host,
    port: parsePort(String(read.port ?? read._[0] ?? DEFAULT_PORT), 0),
    tcp: parseTcp(read),
    echo: read.echo === undefined ? undefined : { datagrams: read.echo, lines: read.echo },
    rate: { rate, burst: 2 * rate },
    relay: read.relay,
    relayRate: parseRelayRate(read),
    classic: parseClassic(read),
    timeout: 1000 * (parseNumber(read, "timeout", 3, 86_400, "seconds") ?? MEMBER_TIMEOUT_MS / 1000),
    window: {
      events: parseNumber(read, "window", 1, 1_000_000) ?? 10_000,
      bytes: parseNumber(read, "window-bytes", 10_000, 2 ** 32) ?? 8 << 20,
    },
    stateFile: read.state,
    membersOnly: read["members-only"],
    plainPasswords: read["plain-passwords"],
    quiet: read.quiet,
    trace: read.trace,
    verbose: read.verbose,
    conditions: parseConditions(read),
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
