/**
 * Measures how long it takes from said to shown while two of the members hand over a file.
 *
 * All members are whole clients in pipes of this process, so that one clock measures, and what they type and show takes
 * the same way as a file.
 *
 * @module
 */
import { commandOf } from "../support/processes.ts";
import { Changing, pause } from "../support/waiting.ts";
import { ROOT } from "../programs.ts";
import { bytesIn, makeFile } from "./file_copies.ts";
import { readLines } from "./latency_relay.ts";
import { startListening } from "./measure.ts";

/** What is said, and beside which file. */
export interface ChatOptions {
  /** The size of the file, in bytes. */
  bytes: number;
  /** From one message to the next; the members take turns. In milliseconds. */
  interval: number;
  /** For how long is measured without a file, in milliseconds. */
  alone: number;
}

/** Whose messages: of those who hand over the file to each other, of two others to each other. */
export type Pair = "themselves" | "others";

/** What a message took. */
export interface ChatRun {
  round: number;
  pair: Pair;
  /** Whether a file passed meanwhile. */
  hasFile: boolean;
  /** From said to shown, in milliseconds, of those that were shown. */
  delays: number[];
  /** How many there should have been. */
  expected: number;
}

const NAMES = ["Alice", "Carol", "Bob", "Dave"];
/** Alice sends to Bob. */
const PAIRS: [number, number, Pair][] = [[0, 2, "themselves"], [1, 3, "others"]];
const LENGTH = 100;
/** How long programs may take to start; what was said, to be shown; and how slow the file may be, in bytes a second. */
const START_MS = 30_000, PATIENCE_MS = 5000, SLOWEST = 500_000;

/** A whole client in a pipe. */
interface Member extends AsyncDisposable {
  type(line: string): void;
}

/** Measures without and then with a file. */
export async function measureChat(
  { bytes, interval, alone }: ChatOptions,
  folder: string,
): Promise<Omit<ChatRun, "round">[]> {
  await using closing = new AsyncDisposableStack();
  const source = await makeFile(folder, bytes), target = await Deno.makeTempDir({ dir: folder });
  closing.defer(() => Deno.remove(target, { recursive: true }));
  closing.defer(() => Deno.remove(source));
  // the messages come faster than people type
  const server = closing.use(await startListening([...commandOf("server"), "0", "--rate", "0"], START_MS));
  const saidAt: number[] = [], shownAt = new Map<string, number>(), changes = new Changing();
  const seen = { offer: false, end: false };
  const hear = (member: number) => (line: string) => {
    const [, number] = /#(\d+) x/.exec(line) ?? [];
    if (number !== undefined) shownAt.set(`${number} ${member}`, performance.now());
    if (member === 2 && line.includes("/accept")) seen.offer = true;
    if (member === 2 && / is here: | did not get here: /.test(line)) seen.end = true;
    changes.changed();
  };
  const members = NAMES.map((name, i) => {
    const flags = ["-u", name, "--downloads", target, "127.0.0.1", String(server.port)];
    return closing.use(openMember([...commandOf("client"), ...flags], hear(i)));
  });
  await server.stdout.until(new RegExp(`(?:connected at[^]*){${NAMES.length}}`), START_MS);
  /** Lets them speak in turns for as long as `lasts` says, and returns which messages that were. */
  const talk = async (lasts: () => boolean): Promise<[from: number, to: number]> => {
    const from = saidAt.length, began = performance.now();
    while (lasts()) {
      const number = saidAt.length, due = began + (number - from) * interval;
      await pause(Math.max(0, due - performance.now()));
      saidAt.push(performance.now());
      members[number % members.length].type(`#${number} ${"x".repeat(LENGTH)}`.slice(0, LENGTH));
    }
    const isShown = () => saidAt.slice(from).every((_, i) => missing(from + i) === 0) || undefined;
    const missing = (number: number) =>
      NAMES.filter((_, member) => member !== number % NAMES.length && !shownAt.has(`${number} ${member}`)).length;
    // what is missing shows in the result
    await changes.until(isShown, () => "", PATIENCE_MS).catch(() => {});
    return [from, saidAt.length];
  };
  const results = (hasFile: boolean, [from, to]: [number, number]) =>
    PAIRS.map(([one, other, pair]) => {
      const numbers = saidAt.slice(from, to).map((_, i) => from + i).filter((it) =>
        [one, other].includes(it % NAMES.length)
      );
      const delays = numbers.flatMap((number) => {
        const at = shownAt.get(`${number} ${number % NAMES.length === one ? other : one}`);
        return at === undefined ? [] : [at - saidAt[number]];
      });
      return { pair, hasFile, delays, expected: numbers.length };
    });

  const began = performance.now();
  const without = await talk(() => performance.now() - began < alone);
  members[0].type(`/file Bob ${source}`);
  await changes.until(() => seen.offer || undefined, () => "no offer has come", START_MS);
  members[2].type("/accept");
  for (const until = performance.now() + START_MS; bytesIn(target) === 0 && !seen.end; await pause(1)) {
    if (performance.now() > until) throw new Error("Nothing of the file comes beside the chat");
  }
  const until = performance.now() + START_MS + 1000 * bytes / SLOWEST;
  const meanwhile = await talk(() => !seen.end && performance.now() < until);
  if (bytesIn(target) !== bytes) throw new Error("The file beside the chat did not arrive");
  return [...results(false, without), ...results(true, meanwhile)];
}

function openMember([executable, ...args]: string[], hear: (line: string) => void): Member {
  const options = {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  } as const;
  const child = new Deno.Command(executable, options).spawn();
  const read = [child.stdout, child.stderr].map(async (stream) => {
    for await (const line of readLines(stream)) hear(line);
  });
  const writer = child.stdin.getWriter(), encoder = new TextEncoder();
  return {
    type: (line) => void writer.write(encoder.encode(`${line}\n`)).catch(() => {}),
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch {
        // it has ended
      }
      await Promise.all([...read, child.status]);
      await writer.abort().catch(() => {});
    },
  };
}
