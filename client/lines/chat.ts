/**
 * The client over TCP: handles typed lines, what arrives, and signals in one loop, like client.ts over UDP.
 *
 * @module
 */
import type { Shown } from "../session/shown.ts";
import { openScreen } from "../terminal/open_screen.ts";
import { formatShown } from "../terminal/rendering.ts";
import { earliest } from "../../protocol/earliest.ts";
import { formatAddress } from "../../protocol/fields.ts";
import { Alarm, now } from "../../runtime/clock.ts";
import { Failure } from "../../runtime/program.ts";
import { Channel, race } from "../../runtime/race.ts";
import { resolveHost } from "../../runtime/resolve_host.ts";
import { Connection } from "./connection.ts";
import { LineSession } from "./session.ts";
import { completeTypedLine, HELP_TEXT, readTypedLine } from "./typed_line.ts";

/** Chats over TCP until the user leaves. */
export async function chatInLines(
  { server, port, name }: { server: string; port: number; name?: string },
): Promise<void> {
  const hostname = await resolveHost(server);
  const signals = new Channel<"alarm" | "interrupt" | "output changed" | "written">();
  const alarm = new Alarm(() => signals.push("alarm"));
  const connection = new Connection({ hostname, port }, () => signals.push("written"));
  const screen = openScreen({
    now: now(),
    signal: (signal) => signals.push(signal),
    notice: (text) => show({ kind: "notice", text }),
    complete: completeTypedLine,
  });
  const { output } = screen;
  const formatOptions = { colour: screen.interactive && !Deno.noColor, times: screen.interactive };
  const session = new LineSession({
    server: formatAddress({ hostname: server, port }),
    name,
    interactive: screen.interactive,
    wire: connection,
    show,
  });

  function show(shown: Shown): void {
    (shown.kind === "line" ? screen.print : screen.printAside)(formatShown(shown, formatOptions));
  }

  function leave(lastWord?: string): void {
    const isWaiting = session.waiting > 0;
    session.drain(now(), lastWord);
    if (screen.interactive && isWaiting && !session.closing) {
      show({ kind: "notice", text: "What you typed has not all been sent; waiting. Ctrl-C leaves at once" });
    }
  }

  function handleLine(line: string): void {
    const typed = readTypedLine(line);
    if (typed?.kind === "help") screen.printAside(HELP_TEXT);
    else if (typed?.kind === "quit") leave(typed.text);
    else if (typed) session.say(typed.text, now());
    if (!session.draining) screen.prompt();
  }

  screen.prompt();
  session.start(now());
  alarm.set(session.nextWake);

  const sources = { line: screen.lines, wire: connection, signal: signals };
  const isPaused = (source: keyof typeof sources) =>
    source !== "signal" && screen.isFull || source === "line" && (session.full || session.draining);
  for await (const heard of race(sources, isPaused)) {
    if (screen.isFull) session.noteDeaf(now());
    if (heard.from === "line") {
      output.noteLine(now());
      if (heard.done) leave();
      else handleLine(heard.value);
    } else if (heard.from === "wire" && !heard.done) {
      const event = heard.value;
      if (event.type === "connected") session.connected(now());
      else if (event.type === "failed") session.failed(event.reason, now());
      else if (event.type === "bytes") session.receive(event.bytes, now());
      // the news that the last line was written may still be on its way here
      else session.lost({ isBroken: event.isBroken, isWritten: !connection.isWriting }, now());
    } else if (heard.from === "signal" && !heard.done) {
      if (heard.value === "alarm") session.wake(now());
      else if (heard.value === "written") session.written(now());
      else if (heard.value === "interrupt" && session.closing) break;
      else if (heard.value === "interrupt") session.close(now());
    }
    // no line is read while the session is full
    if (session.full) output.noteLine(now());
    const leavesAt = session.draining ? undefined : output.leavesAt;
    if (leavesAt !== undefined && leavesAt <= now()) session.drain(now());
    if (session.closed) break;
    alarm.set(earliest([session.nextWake, leavesAt]));
  }

  alarm.set(undefined);
  connection.hangUp();
  await screen.close();
  if (session.failure !== undefined) throw new Failure(session.failure);
  if (output.failure !== undefined) throw new Failure(output.failure);
}
