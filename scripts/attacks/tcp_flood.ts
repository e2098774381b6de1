/**
 * An attack: connections send as many bytes as the server reads. It measures how long version 1 members wait meanwhile.
 *
 * @module
 */
import { parseNumber, readCommandLine } from "../../runtime/command_line.ts";
import { run, UsageError } from "../../runtime/program.ts";
import { readable } from "../bench/table.ts";
import { startServer } from "../support/processes.ts";
import { pause } from "../support/waiting.ts";
import { Speaker, type WordDelays } from "./speaker.ts";

const HELP = `Measures how long version 1 members wait while connections send all that the server reads.

Usage: deno run -A scripts/attacks/tcp_flood.ts

  --connections COUNT   how many connections there are (100)
  --text TEXT           what each says over and over; \\n is a line feed, \\0 a NUL ("hello\\n")
  --deaf                they read nothing
  --seconds COUNT       how long it is measured (10)
  --help                this text`;

/** What the attack does, and for how long. */
export interface AttackOptions {
  connections: number;
  text: string;
  deaf: boolean;
  seconds: number;
}

/** How the words of a version 1 member fared, and how many bytes a second the server has taken. */
export interface AttackResult extends WordDelays {
  bytesPerSecond: number;
}

/** How many bytes each write has at least. */
const WRITE_BYTES = 16 << 10;
/** How long the last words may take, in milliseconds. */
const PATIENCE_MS = 10_000;

/** Runs the attack against a server of its own. */
export async function attack({ connections, text, deaf, seconds }: AttackOptions): Promise<AttackResult> {
  await using server = await startServer("--quiet");
  using stack = new DisposableStack();
  const speaker = stack.use(await Speaker.join(server.port));
  const bytes = new TextEncoder().encode(text.repeat(Math.ceil(WRITE_BYTES / text.length)));
  let written = 0;
  const flood = async () => {
    using conn = await Deno.connect({ port: server.port });
    stack.defer(() => closeQuietly(conn));
    if (!deaf) conn.readable.pipeTo(new WritableStream()).catch(() => {});
    while (true) written += await conn.write(bytes);
  };
  // each ends when its connection does
  for (let i = 0; i < connections; i++) flood().catch(() => {});
  speaker.start();
  const startedAt = performance.now();
  await pause(1000 * seconds);
  const bytesPerSecond = 1000 * written / (performance.now() - startedAt);
  return { ...await speaker.stop(PATIENCE_MS), bytesPerSecond };
}

function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // the server has closed it
  }
}

if (import.meta.main) {
  await run(async () => {
    const read = readCommandLine(Deno.args, {
      string: ["connections", "text", "seconds"],
      boolean: ["deaf", "help"],
      positional: 0,
    });
    if (read.help) return console.log(HELP);
    const text = String(read.text ?? "hello\\n").replaceAll("\\n", "\n").replaceAll("\\0", "\0");
    if (text === "") throw new UsageError("--text takes a text");
    const { arrived, said, median, p95, bytesPerSecond } = await attack({
      connections: parseNumber(read, "connections", 1, 5000) ?? 100,
      text,
      deaf: read.deaf,
      seconds: parseNumber(read, "seconds", 1, 600) ?? 10,
    });
    console.log(
      `${readable(bytesPerSecond)} bytes a second by TCP: ${arrived} of ${said} words came back, ` +
        `median ${readable(median)} ms, p95 ${readable(p95)} ms`,
    );
  });
}
