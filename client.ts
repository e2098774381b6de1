/**
 * The chat client: `deno run -A client.ts 127.0.0.1 9090`.
 *
 * Reads the command line, then handles typed lines, datagrams and signals in one loop.
 *
 * @module
 */
import { chatInLines } from "./client/lines/chat.ts";
import { Session } from "./client/session/session.ts";
import { DELIVERY_DEADLINE_MS } from "./client/session/shutdown.ts";
import type { Shown } from "./client/session/shown.ts";
import type { Whereabouts } from "./client/session/whereabouts.ts";
import { completeLine, execute } from "./client/terminal/commands.ts";
import { readPassword } from "./runtime/given_password.ts";
import { formatShown, passwordQuestion } from "./client/terminal/rendering.ts";
import { openScreen, type Screen } from "./client/terminal/screen.ts";
import { DEFAULT_PORT, encode, type Packet } from "./protocol.ts";
import type { Derivation } from "./protocol/crypto_functions.ts";
import { earliest } from "./protocol/earliest.ts";
import { formatAddress } from "./protocol/fields.ts";
import { reservedBecause } from "./protocol/look_alikes.ts";
import { NAME_RULE, normalizeName } from "./protocol/names.ts";
import { CRYPTO, derive } from "./runtime/crypto.ts";
import { Alarm, now } from "./runtime/clock.ts";
import { parsePort, readCommandLine } from "./runtime/command_line.ts";
import { Failure, run, startCommand, UsageError, versionLine } from "./runtime/program.ts";
import { Channel, race } from "./runtime/race.ts";
import { networkInterfaces } from "./runtime/own_addresses.ts";
import { resolveHost } from "./runtime/resolve_host.ts";
import { Trace } from "./runtime/trace.ts";
import { datagrams, openSocket, socketAddress } from "./runtime/udp.ts";
import { sha256Hex128 } from "./runtime/sha256.ts";

const HELP = `udp-chat client: joins a room and says what you type to everyone in it.

Usage: ${startCommand("client")} [SERVER [PORT]]

  SERVER, --server SERVER, -sip SERVER   the server's name or address (127.0.0.1)
  PORT, --port PORT, -sp PORT            the server's port (${DEFAULT_PORT})
  --name NAME, -u NAME                   sign in with a name: 1 to 32 letters, digits, _ - .
  --password-file FILE                   the password of the name of -u, in the file's first line; not with --tcp
  --nat                                  there is a NAT also in this computer's own network
  --no-relay                             what you write to one member alone never goes through the server
  --trace                                prints what arrives and is not taken, and why; not with --tcp
  --tcp                                  joins another chat server, over TCP; --name is sent only if the server asks
  --help                                 this text
  --version                              the version

In the room, /help lists the commands; /quit or Ctrl-C leaves.
Where a name is registered, you are asked for its password; before that, for the name of -u, the one of
--password-file or of the environment variable UDP_CHAT_PASSWORD is tried.
In a pipe, the lines of standard input are sent; exit code 0 when all of them have arrived, 1 when not.
With --tcp nobody says what has arrived: 0 when all of them were sent.`;

/** The options of the command line. */
interface ClientOptions {
  server: string;
  port: number;
  name?: string;
  /** The password of the name, as it is hashed. */
  password?: string;
  /** Whether private texts may go through the server; not together with `tcp`. */
  relay: boolean;
  /** Whether to print what arrives and is not taken; not together with `tcp`. */
  trace: boolean;
  tcp: boolean;
  /** Whether there is a NAT where none is to be expected. */
  nat: boolean;
}

/** Chats until the user leaves. */
async function chat({ server, port, name, password, relay, trace: isTraced, nat }: ClientOptions): Promise<void> {
  const hostname = await resolveHost(server);
  const greeted = formatAddress({ hostname, port });
  const conn = openSocket(hostname.includes(":") ? "::" : "0.0.0.0", 0);
  const signals = new Channel<"alarm" | "interrupt" | "output changed">();
  const answers = new Channel<string>(), hashes = new Channel<{ derivation: Derivation; key: Uint8Array }>();
  const alarm = new Alarm(() => signals.push("alarm"));
  const screen = openScreen({
    now: now(),
    signal: (signal) => signals.push(signal),
    notice: (text) => session.view.notice(text),
    answered: (text) => answers.push(text),
    complete: (line) => completeLine(line, session.view.people.namesBut(session.name)),
  });
  const { output } = screen;
  const formatOptions = { colour: screen.interactive && !Deno.noColor, times: screen.interactive };
  const trace = new Trace((line) => session.view.notice(line), isTraced);
  const session: Session = new Session({
    server: formatAddress({ hostname: server, port }),
    address: greeted,
    name,
    relay,
    send: (packet, peer) => transmit(conn, packet, peer ?? session.serverAddress ?? greeted),
    show,
    hash: sha256Hex128,
    passwords: {
      crypto: CRYPTO,
      derive: (derivation) => void derive(derivation).then((key) => hashes.push({ derivation, key })),
      given: password,
      canAsk: screen.interactive,
      whereabouts: () => nat ? undefined : whereabouts(conn, [greeted, session.serverAddress ?? greeted]),
    },
    wallClock: Date.now,
  });

  function show(shown: Shown): void {
    // in a pipe, a refusal ends the program, and its error message says why; and nobody is there to take a hint
    if ((shown.kind === "refused" || shown.kind === "hint") && !screen.interactive) return;
    // so it does when the server has told this client to go; it counts what was not delivered
    if (shown.kind === "problem" && session.state === "expelled" && !screen.interactive) return;
    const isAside = ["notice", "hint", "problem", "refused"].includes(shown.kind);
    (isAside ? screen.printAside : screen.print)(formatShown(shown, formatOptions));
    if (shown.kind === "refused") prompt();
  }

  /** Whether a question for a password is the last that was asked. */
  let isAsking = false;
  function prompt(): void {
    if (session.draining || session.closing) return;
    const wanted = session.wantsPassword;
    // nothing is to be typed until the server has said what it thinks of the answer
    if (!wanted && isAsking && session.expectsPassword) return;
    isAsking = wanted !== undefined;
    // a member who gives up the question stays in the room
    const question = wanted && { question: passwordQuestion(wanted), endAnswers: session.state === "joined" };
    screen.prompt(question ?? (session.wantsName ? "name" : "line"));
  }

  prompt();
  session.start(now());
  alarm.set(session.nextWake);

  /** Since when a pipe can't be read, as what was read can't be delivered, in milliseconds. */
  let stuckSince: number | undefined;

  // typed lines race against datagrams, and against timers and signals
  const sources = {
    ...{ line: screen.lines, answer: answers, hash: hashes },
    ...{ datagram: datagrams(conn), signal: signals },
  };
  const isPaused = (source: keyof typeof sources) =>
    source !== "signal" && source !== "hash" && screen.isFull ||
    source === "line" && (session.full || session.draining);
  for await (const heard of race(sources, isPaused)) {
    if (screen.isFull) session.noteDeaf(now());
    if (heard.from === "line" && heard.done) {
      drain(session, screen);
    } else if (heard.from === "line") {
      output.noteLine(now());
      // it may be a password, and is not said
      if (session.expectsPassword) screen.forget(heard.value);
      execute(heard.value, {
        session,
        now: now(),
        interactive: screen.interactive,
        print: screen.printAside,
        quit: () => drain(session, screen),
        setTimes: (shown) => formatOptions.times = shown,
      });
      prompt();
    } else if (heard.from === "datagram" && !heard.done) {
      const { bytes, from } = heard.value, untaken = session.take(bytes, from, now());
      if (untaken) trace.note({ address: from, what: bytes, ...untaken }, now());
    } else if (heard.from === "signal" && !heard.done) {
      if (heard.value === "alarm") { for (const part of [session, trace]) part.wake(now()); }
      else if (heard.value === "interrupt" && session.closing) break;
      else if (heard.value === "interrupt") session.close(now());
    }
    if (heard.from === "answer" && !heard.done) session.givePassword(heard.value, now());
    if (heard.from === "hash" && !heard.done) session.derived(heard.value.derivation, heard.value.key, now());
    if (isAsking || session.wantsPassword) prompt();
    if (session.isShutOut && !screen.interactive) session.drain(now());
    // no line is read while the session is full
    if (session.full) output.noteLine(now());
    const leavesAt = session.draining ? undefined : output.leavesAt;
    if (leavesAt !== undefined && leavesAt <= now()) session.drain(now());
    const isOver = session.draining || session.closing;
    const isStuck = session.full && !screen.interactive && !screen.isFull && !isOver;
    stuckSince = isStuck ? stuckSince ?? now() : undefined;
    const givesUpAt = stuckSince === undefined ? undefined : stuckSince + DELIVERY_DEADLINE_MS;
    if (givesUpAt !== undefined && givesUpAt <= now()) session.close(now());
    if (session.state === "closed") break;
    alarm.set(earliest([session.nextWake, trace.nextWake, leavesAt, givesUpAt]));
  }

  alarm.set(undefined);
  trace.isOn = false;
  conn.close();
  await screen.close();
  if (session.failure !== undefined) throw new Failure(session.failure);
  if (output.failure !== undefined) throw new Failure(output.failure);
}

/** Leaves after everything that was typed has arrived. */
function drain(session: Session, screen: Screen): void {
  if (!screen.interactive) return session.drain(now());
  if (session.waiting === 0 && session.asked.waiting === 0) return session.close(now());
  // while the name is refused nothing arrives, so the session does not wait
  if (!session.wantsName) session.view.notice("What you typed has not all arrived; waiting. Ctrl-C leaves at once");
  session.drain(now(), true);
}

/** Where this client and its server are; undefined without the permission to list the network interfaces. */
function whereabouts(conn: Deno.DatagramConn, servers: string[]): Whereabouts | undefined {
  const interfaces = networkInterfaces()?.map(({ cidr }) => cidr), { port } = conn.addr as Deno.NetAddr;
  return interfaces && { servers, port, interfaces };
}

/** Sends a packet. The session repeats it when it is lost on the way or when the system refuses it. */
function transmit(conn: Deno.DatagramConn, packet: Packet, address: string): void {
  conn.send(encode(packet), socketAddress(address, conn)).catch(() => {});
}

const NO_ARGUMENT = "A password is not taken from the command line, where others on this computer can read it: " +
  "put it into a file and give --password-file FILE, or set UDP_CHAT_PASSWORD";
const SERVER_GIVEN_TWICE = "The server or its port is given twice; --help shows how";

/** Reads the command line. */
function readOptions(args: string[]): ClientOptions | string {
  if (args.some((arg) => /^--password(?:=|$)/.test(arg))) throw new UsageError(NO_ARGUMENT);
  const read = readCommandLine(args, {
    string: ["port", "server", "name", "password-file"],
    boolean: ["tcp", "relay", "nat", "trace", "help", "version"],
    negatable: ["relay"],
    default: { relay: true },
    singleDash: { "-sip": "--server", "-sp": "--port", "-u": "--name" },
    positional: 2,
  });
  if (read.help) return HELP;
  if (read.version) return versionLine("udp-chat client");
  if (read.tcp && read.trace) throw new UsageError("--trace is for UDP; with --tcp all that arrives is shown anyway");
  if (read.tcp && !read.relay) throw new UsageError("--no-relay is for UDP; with --tcp all goes through the server");
  if (read.tcp && read.nat) throw new UsageError("--nat is for UDP; with --tcp there are no proofs of passwords");
  if (read.tcp && read["password-file"] !== undefined) {
    throw new UsageError("--password-file is for UDP; with --tcp nothing is sent but what you type");
  }
  if (read.name === undefined && read["password-file"] !== undefined) {
    throw new UsageError("--password-file is for the name of -u");
  }
  const [first, second] = read._ as string[];
  const flagCount = [read.server, read.port].filter((value) => value !== undefined).length;
  if (read._.length + flagCount > 2) throw new UsageError(SERVER_GIVEN_TWICE);
  const others = {
    ...{ name: readName(read.name), tcp: read.tcp, relay: read.relay, trace: read.trace, nat: read.nat },
    // a password in the environment is of no name that is chosen later
    password: read.tcp || read.name === undefined ? undefined : readPassword(read["password-file"]),
  };
  // a number alone is a port
  if (read._.length === 1 && flagCount === 0 && /^\d+$/.test(first)) {
    return { server: "127.0.0.1", port: parsePort(first), ...others };
  }
  const wanted: string = read.server ?? first ?? "127.0.0.1";
  // 127.0.0.1:9090 or [::1]:9090 in one argument, as other programs accept it
  const [, bracketed, plain, portOfServer] = /^(?:\[([^\]]*)\]|([^:]*)):([^:]*)$/.exec(wanted) ?? [];
  const server = bracketed ?? plain ?? wanted;
  const otherPort = read.port ?? (read.server === undefined ? second : first);
  if (portOfServer !== undefined && otherPort !== undefined) throw new UsageError(SERVER_GIVEN_TWICE);
  return { server, port: parsePort(portOfServer ?? otherPort ?? String(DEFAULT_PORT)), ...others };
}

function readName(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const name = normalizeName(text);
  const problem = name === undefined ? NAME_RULE : reservedBecause(name);
  if (problem !== undefined) throw new UsageError(problem);
  return name;
}

if (import.meta.main) {
  await run(async () => {
    const options = readOptions(Deno.args);
    if (typeof options === "string") console.log(options);
    else await (options.tcp ? chatInLines : chat)(options);
  });
}
