/**
 * The chat client: `deno run -A client.ts 127.0.0.1 9090`.
 *
 * Handles typed lines, datagrams and signals in one loop.
 *
 * @module
 */
import { chatInLines } from "./client/lines/chat.ts";
import { Errand } from "./client/errand.ts";
import { shownFolder } from "./client/file_flags.ts";
import { completePath } from "./client/files/completion.ts";
import { Disk } from "./client/files/disk.ts";
import type { FileResult, Files } from "./client/files/files.ts";
import { type ClientOptions, readOptions } from "./client/options.ts";
import { Session } from "./client/session/session.ts";
import { DELIVERY_DEADLINE_MS } from "./client/session/shutdown.ts";
import type { Shown } from "./client/session/shown.ts";
import type { Whereabouts } from "./client/session/whereabouts.ts";
import { completeLine, execute } from "./client/terminal/commands.ts";
import { openScreen } from "./client/terminal/open_screen.ts";
import { ProgressDisplay } from "./client/terminal/progress_display.ts";
import { formatShown, passwordQuestion } from "./client/terminal/rendering.ts";
import type { Screen } from "./client/terminal/screen.ts";
import { openScript } from "./client/terminal/script_screen.ts";
import { wrap } from "./client/terminal/wrapping.ts";
import { encode, type Packet } from "./protocol.ts";
import type { Derivation } from "./protocol/crypto_functions.ts";
import { earliest } from "./protocol/earliest.ts";
import { formatAddress } from "./protocol/fields.ts";
import { CRYPTO, derive } from "./runtime/crypto.ts";
import { Alarm, exactNow as now } from "./runtime/clock.ts";
import { Failure, run } from "./runtime/program.ts";
import { Channel, race } from "./runtime/race.ts";
import { networkInterfaces } from "./runtime/own_addresses.ts";
import { resolveHost } from "./runtime/resolve_host.ts";
import { setBuffers } from "./runtime/socket_buffers.ts";
import { Trace } from "./runtime/trace.ts";
import { datagrams, openSocket, socketAddress } from "./runtime/udp.ts";
import { sha256Hex128 } from "./runtime/sha256.ts";

/**
 * How much of a file may wait while this program does something else, in bytes: a tenth of a second at 100 Mbit/s, with
 * the system's bookkeeping. By default it is as little as 90 datagrams.
 */
const RECEIVE_BUFFER_BYTES = 1 << 20;

/** Chats until the user leaves. */
async function chat(options: ClientOptions): Promise<void> {
  const { server, port, name, password, relay, trace: isTraced, nat, files: { folder, task } } = options;
  const hostname = await resolveHost(server);
  const greeted = formatAddress({ hostname, port });
  const conn = openSocket(hostname.includes(":") ? "::" : "0.0.0.0", 0);
  const signals = new Channel<"alarm" | "interrupt" | "output changed">();
  const fileResults = new Channel<FileResult>();
  const answers = new Channel<string>(), hashes = new Channel<{ derivation: Derivation; key: Uint8Array }>();
  const alarm = new Alarm(() => signals.push("alarm"));
  const screen = (task ? openScript : openScreen)({
    now: now(),
    signal: (signal) => signals.push(signal),
    notice: (text) => session.view.notice(text),
    answered: (text) => answers.push(text),
    complete: (line) => completeLine(line, session.view.people.namesBut(session.name), completePath),
  });
  const { output } = screen;
  const formatOptions = { colour: screen.interactive && !Deno.noColor, times: screen.interactive };
  const trace = new Trace((line) => session.view.notice(line), isTraced);
  const disk = new Disk({ folder, done: (result) => fileResults.push(result) });
  const files: Files = {
    folder: shownFolder(folder),
    request(request) {
      // without it, as without Linux or --allow-ffi, what comes in a burst is lost more often, and sent again
      if (request.ask === "create") setBuffers(conn.addr as Deno.NetAddr, { receive: RECEIVE_BUFFER_BYTES });
      disk.request(request);
    },
  };
  const session: Session = new Session({
    server: formatAddress({ hostname: server, port }),
    address: greeted,
    name,
    relay,
    send: (packet, peer) => transmit(conn, packet, peer ?? session.serverAddress ?? greeted),
    show,
    hash: sha256Hex128,
    files,
    passwords: {
      crypto: CRYPTO,
      derive: (derivation) => void derive(derivation).then((key) => hashes.push({ derivation, key })),
      given: password,
      canAsk: screen.interactive,
      whereabouts: () => nat ? undefined : whereabouts(conn, [greeted, session.serverAddress ?? greeted]),
    },
    wallClock: Date.now,
  });

  const isWatched = Deno.stderr.isTerminal();
  const errand = task && new Errand(task, session, now(), isWatched);
  const progress = new ProgressDisplay(screen);

  function show(shown: Shown): void {
    // nobody reads it in a script
    if (errand && !errand.isTold(shown)) return;
    if (errand && shown.kind === "transferred" && shown.path !== undefined) screen.print(shown.path);
    // in a pipe, a refusal ends the program, and its error message says why; and nobody is there to take a hint
    if ((shown.kind === "refused" || shown.kind === "hint") && !screen.interactive) return;
    // so it does when the server has told this client to go; it counts what was not delivered
    if (shown.kind === "problem" && session.state === "expelled" && !screen.interactive) return;
    const isAside = ["notice", "hint", "problem", "refused", "transfers", "transferred"].includes(shown.kind);
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
    ...{ datagram: datagrams(conn), signal: signals, file: fileResults },
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
        transfers: session.transfers,
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
      else if (heard.value === "interrupt") {
        errand?.interrupt();
        session.close(now());
      }
    }
    if (heard.from === "answer" && !heard.done) session.givePassword(heard.value, now());
    if (heard.from === "hash" && !heard.done) session.derived(heard.value.derivation, heard.value.key, now());
    if (heard.from === "file" && !heard.done) session.fileDone(heard.value, now());
    if (isAsking || session.wantsPassword) prompt();
    if (session.isShutOut && !screen.interactive) session.drain(now());
    errand?.act(now());
    if (errand?.isDone && !session.draining) {
      session.drain(now());
      // there is nobody to say goodbye to
      if (session.state === "joining") session.close(now());
    }
    progress.show(session.transfers.states, now());
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
    alarm.set(earliest([session.nextWake, trace.nextWake, errand?.nextWake, progress.nextWake, leavesAt, givesUpAt]));
  }

  alarm.set(undefined);
  trace.isOn = false;
  conn.close();
  await disk.close();
  await screen.close();
  const failure = errand ? errand.failure(session.failure) : session.failure;
  if (failure !== undefined) throw new Failure(errand && isWatched ? wrap(failure, screen.columns) : failure);
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

if (import.meta.main) {
  await run(async () => {
    const options = readOptions(Deno.args);
    if (typeof options === "string") console.log(options);
    else await (options.tcp ? chatInLines : chat)(options);
  });
}
