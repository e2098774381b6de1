/**
 * The chat client: `deno run -A client.ts 127.0.0.1 9090`.
 *
 * The front door only: flags in, then one race of the keyboard's lines against the socket's datagrams.
 *
 * @module
 */
import { isIP } from "node:net";
import process from "node:process";
import { completeLine, readLine } from "./client/commands.ts";
import { Channel, race } from "./client/race.ts";
import { openScreen, type Screen } from "./client/screen.ts";
import { Session } from "./client/session.ts";
import { inWords, type WordsOptions } from "./client/words.ts";
import { Alarm, now } from "./clock.ts";
import {
  Failure,
  openSocket,
  parsePort,
  readCommandLine,
  run,
  startedBy,
  UsageError,
  versionLine,
} from "./command_line.ts";
import { datagrams, socketAddress } from "./datagrams.ts";
import { decode, DEFAULT_PORT, encode, type Packet } from "./protocol.ts";
import { formatAddress, NAME_RULE, normalizeName, parseAddress } from "./protocol/fields.ts";

const HELP = `udp-chat client: joins a room and says what you type to everyone in it.

Usage: ${startedBy("client")} [SERVER [PORT]]

  SERVER, --server SERVER, -sip SERVER   the server's name or address (127.0.0.1)
  PORT, --port PORT, -sp PORT            the server's port (${DEFAULT_PORT})
  --name NAME, -u NAME                   sign in with a name: 1 to 32 letters, digits, _ - .
  --help                                 this text
  --version                              the version

In the room, /help lists the commands; /quit or Ctrl-C leaves.
In a pipe, the lines of standard input are sent; exit code 0 when all of them have arrived, 1 when not.`;

/** What the command line asks of the client. */
interface ClientOptions {
  server: string;
  port: number;
  name?: string;
}

/** Chats until the user leaves. */
async function chat({ server, port, name }: ClientOptions): Promise<void> {
  const hostname = await resolveHost(server);
  const serverAddress = formatAddress({ hostname, port });
  const conn = openSocket(hostname.includes(":") ? "::" : "0.0.0.0", 0);
  const signals = new Channel<"alarm" | "interrupt">();
  const alarm = new Alarm(() => signals.push("alarm"));
  const screen = openScreen({
    interrupted: () => signals.push("interrupt"),
    complete: (line) => completeLine(line, session.view.people.names),
  });
  const words = { colour: screen.interactive && !Deno.noColor, times: screen.interactive };
  const session: Session = new Session({
    server: formatAddress({ hostname: server, port }),
    name,
    send: (packet, peer) => transmit(conn, packet, peer ?? serverAddress),
    show: (shown) => {
      // in a pipe a refusal ends the program, which then says why
      if (shown.kind === "refused" && !screen.interactive) return;
      const isAside = shown.kind === "notice" || shown.kind === "problem" || shown.kind === "refused";
      (isAside ? screen.printAside : screen.print)(inWords(shown, words));
    },
  });

  screen.print("Welcome to the chat room!\nType your message and press Enter to send it");
  screen.prompt();
  session.start(now());
  alarm.set(session.nextWake);

  // the race: what is typed against what arrives, and against the time
  const sources = { line: screen.lines, datagram: datagrams(conn), signal: signals };
  for await (const heard of race(sources, (source) => source === "line" && session.full)) {
    if (heard.from === "line") {
      if (heard.done) finish(session, screen);
      else typed(heard.value, session, screen, words);
    } else if (heard.from === "datagram" && !heard.done) {
      const { bytes, from } = heard.value;
      const decoded = decode(bytes);
      if (!decoded.ok) continue;
      if (from === serverAddress) session.receive(decoded.packet, now());
      else session.receiveFromPeer(decoded.packet, from, now());
    } else if (heard.from === "signal" && !heard.done) {
      if (heard.value === "alarm") session.wake(now());
      else if (session.leaving) break;
      else session.leave(now());
    }
    if (session.state === "refused" && !screen.interactive) session.finish(now());
    if (session.state === "left") break;
    alarm.set(session.nextWake);
  }

  alarm.set(undefined);
  screen.close();
  conn.close();
  if (session.failure !== undefined) throw new Failure(session.failure);
}

/** Deals with a line from the keyboard. */
function typed(line: string, session: Session, screen: Screen, words: WordsOptions): void {
  const read = readLine(line, session.name !== undefined);
  if (read.kind === "mistake") {
    screen.printAside(`!! ${read.text}`);
    session.misunderstood();
  } else if (read.kind === "command") {
    read.command.run({
      session,
      now: now(),
      print: screen.printAside,
      quit: () => finish(session, screen),
      setTimes: (shown) => words.times = shown,
    }, ...read.values);
  } else if (session.state === "refused") {
    const name = normalizeName(read.text.trim());
    if (name === undefined) screen.printAside(`!! ${NAME_RULE}`);
    else session.rename(name, now());
  } else if (read.text.trim() !== "") {
    session.say(read.text, now());
    if (screen.interactive && session.name === undefined && /^(send \S+ \S|list$)/.test(read.text)) {
      screen.printAside("-- That was said to everyone: without a name, the commands are /send NAME TEXT and /list");
    }
  }
  if (!session.leaving) screen.prompt();
}

/** Leaves, but first sees what was typed to its destination. */
function finish(session: Session, screen: Screen): void {
  if (!screen.interactive) return session.finish(now());
  if (session.waiting === 0) return session.leave(now());
  screen.print("-- What you typed has not all arrived; waiting. Ctrl-C leaves at once");
  session.finish(now());
}

/** Sends a packet; what gets lost on the way or is refused by the system is for the session to repeat. */
function transmit(conn: Deno.DatagramConn, packet: Packet, address: string): void {
  conn.send(encode(packet), socketAddress(address, conn)).catch(() => {});
}

/**
 * The address of a host; IPv4 where it has both, as servers listen there unless told otherwise.
 *
 * @throws {UsageError} when there is no such host.
 */
async function resolveHost(host: string): Promise<string> {
  const family = isIP(host);
  // datagrams to "any address" go to this machine, but come back from its loopback address
  if (host === "0.0.0.0") return "127.0.0.1";
  if (family === 4) return host;
  if (family === 6) return canonicalIPv6(host);
  try {
    // the node:dns of Deno 2.4 warns of a module that it uses itself
    Object.assign(process, { noDeprecation: true });
    const { lookup } = await import("node:dns/promises");
    const found = await lookup(host, { all: true });
    return (found.find(({ family }) => family === 4) ?? found[0]).address;
  } catch (error) {
    if ((error as { code?: unknown }).code === "EPERM") throw new Deno.errors.NotCapable("--allow-net");
    throw new UsageError(`There is no host '${host}': give the server's name or its address, like 192.168.1.5`);
  }
}

/** The one way of writing an IPv6 address that the socket reports too. */
function canonicalIPv6(host: string): string {
  if (host === "::") return "::1";
  const [, mapped] = /^::ffff:([\d.]+)$/i.exec(host) ?? [];
  if (mapped !== undefined) return mapped;
  if (host.includes("%")) {
    throw new UsageError(
      `${host} is an address of one link only, which can't be used here: give another of the server's`,
    );
  }
  return new URL(`http://[${host}]`).hostname.slice(1, -1);
}

/** Reads the command line. */
function readOptions(args: string[]): ClientOptions | string {
  const read = readCommandLine(args, {
    string: ["port", "server", "name"],
    boolean: ["help", "version"],
    singleDash: { "-sip": "--server", "-sp": "--port", "-u": "--name" },
    positional: 2,
  });
  if (read.help) return HELP;
  if (read.version) return versionLine("udp-chat client");
  const [first, second] = read._ as string[];
  const given = [read.server, read.port].filter((value) => value !== undefined).length;
  if (read._.length + given > 2) throw new UsageError("The server or its port is given twice; --help shows how");
  // a number alone is a port
  if (read._.length === 1 && given === 0 && /^\d+$/.test(first)) {
    return { server: "127.0.0.1", port: parsePort(first), name: readName(read.name) };
  }
  const wanted = read.server ?? first ?? "127.0.0.1";
  // 127.0.0.1:9090 in one word, as other programs want it
  const whole = parseAddress(wanted);
  const server = whole?.hostname ?? wanted;
  const port = read.port ?? (read.server === undefined ? second : first) ?? whole?.port ?? DEFAULT_PORT;
  return { server, port: parsePort(String(port)), name: readName(read.name) };
}

function readName(text: string | undefined): string | undefined {
  const name = text === undefined ? undefined : normalizeName(text);
  if (text !== undefined && name === undefined) throw new UsageError(NAME_RULE);
  return name;
}

if (import.meta.main) {
  await run(async () => {
    const options = readOptions(Deno.args);
    if (typeof options === "string") console.log(options);
    else await chat(options);
  });
}
