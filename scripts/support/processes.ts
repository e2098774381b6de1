/**
 * Runs the real programs as processes: starts them, talks to them through pipes, and ends them even if a test fails.
 *
 * UDP_CHAT_SERVER and UDP_CHAT_CLIENT name other commands to start, as words with spaces between them, so that the same
 * tests run against compiled binaries.
 *
 * @module
 */
import { ROOT } from "../programs.ts";
import { Changing } from "./waiting.ts";

/** Whether compiled programs are tested. What waits for long and depends on no file is then tested from the sources only. */
export const TESTS_BINARIES: boolean = Deno.env.has("UDP_CHAT_CLIENT");

/** The words that start the server or the client. */
export function commandOf(program: "server" | "client"): string[] {
  const words = Deno.env.get(`UDP_CHAT_${program.toUpperCase()}`)?.trim();
  return words ? words.split(/\s+/) : [Deno.execPath(), "run", "-A", `${program}.ts`];
}

/** What a process has written so far. */
export interface Output {
  /** All of it, from the start. */
  text(): string;
  /**
   * Waits until the text contains the pattern and returns the match.
   *
   * @param deadline Milliseconds.
   * @throws {Error} when the deadline has passed, or the output has ended without a match.
   */
  until(pattern: RegExp | string, deadline?: number): Promise<RegExpExecArray>;
}

/** A process that was started here. */
export interface Process extends AsyncDisposable {
  readonly pid: number;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Whether the process has ended and all that it wrote has been read. */
  ended(): boolean;
  /** Writes to standard input, which stays open. */
  type(text: string): Promise<void>;
  /** Closes standard input. */
  endInput(): Promise<void>;
  kill(signal: Deno.Signal): void;
  /** Reads nothing more of what the process writes, until {@linkcode readOn}; so its pipes become full. */
  stopReading(): void;
  readOn(): void;
  /**
   * Waits until the process has ended by itself and all that it wrote has been read, and returns its exit code.
   *
   * @param deadline Milliseconds.
   */
  exitCode(deadline?: number): Promise<number>;
  /** The same, but all that it wrote may still be unread. */
  unreadExitCode(deadline?: number): Promise<number>;
}

/** How a process is started. */
export interface StartOptions {
  /** Variables that the process gets in addition. */
  env?: Record<string, string>;
}

/** Starts a process. Disposing of the returned object kills the process if it still runs. */
export function start([executable, ...args]: string[], { env = {} }: StartOptions = {}): Process {
  const child = new Deno.Command(executable, {
    args,
    cwd: ROOT,
    env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const changes = new Changing();
  let reading = Promise.withResolvers<void>();
  reading.resolve();
  let status: Deno.CommandStatus | undefined;
  let unreadStatus: Deno.CommandStatus | undefined;
  child.status.then((end) => {
    unreadStatus = end;
    changes.changed();
  });
  const stdout = collect(child.stdout, "stdout");
  const stderr = collect(child.stderr, "stderr");
  const finished = Promise.all([child.status, stdout.read, stderr.read]).then(([end]) => {
    status = end;
    changes.changed();
  });
  const input = child.stdin.getWriter();
  // the process may end while its input is still open; the next call of `type` then fails with an error of its own
  input.closed.catch(() => {});

  function collect(stream: ReadableStream<Uint8Array>, name: string): Output & { read: Promise<void> } {
    let text = "";
    let ended = false;
    const read = (async () => {
      for await (const part of stream.pipeThrough(new TextDecoderStream() as never) as ReadableStream<string>) {
        text += part;
        changes.changed();
        await reading.promise;
      }
      ended = true;
      changes.changed();
    })();
    const description = (pattern: RegExp | string) => `${name} has no ${pattern}\n${allOutput()}`;
    return {
      read,
      text: () => text,
      until(pattern, deadline) {
        const expression = typeof pattern === "string" ? literalPattern(pattern) : pattern;
        return changes.until(
          () => {
            const match = expression.exec(text);
            if (!match && ended) throw new Error(`Ended, and ${description(pattern)}`);
            return match ?? undefined;
          },
          () => description(pattern),
          deadline,
        );
      },
    };
  }

  function allOutput(): string {
    return `--- stdout\n${stdout.text()}\n--- stderr\n${stderr.text()}\n---`;
  }

  async function waitForCode(look: () => Deno.CommandStatus | undefined, deadline?: number): Promise<number> {
    const { code } = await changes.until(look, () => `${args.join(" ")} has not ended\n${allOutput()}`, deadline);
    return code;
  }

  return {
    pid: child.pid,
    stdout,
    stderr,
    ended: () => status !== undefined,
    type: (text) => input.write(new TextEncoder().encode(text)),
    endInput: () => input.close(),
    kill: (signal) => child.kill(signal),
    stopReading: () => reading = Promise.withResolvers(),
    readOn: () => reading.resolve(),
    exitCode: (deadline) => waitForCode(() => status, deadline),
    unreadExitCode: (deadline) => waitForCode(() => unreadStatus, deadline),
    async [Symbol.asyncDispose]() {
      if (!status) {
        try {
          child.kill("SIGKILL");
        } catch {
          // it has just ended
        }
      }
      reading.resolve();
      await finished;
      await input.abort().catch(() => {});
    },
  };
}

function literalPattern(text: string): RegExp {
  return new RegExp(text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
}

/** A server that listens. */
export interface Server extends Process {
  readonly port: number;
  /** The addresses of all clients that have joined, like `127.0.0.1:52207` or `[::1]:52207`, in order of arrival. */
  arrivals(): string[];
  /** Waits until `count` clients have joined, and returns the address of the last of these. */
  arrival(count: number): Promise<string>;
}

/** Starts a server, on a free port unless the flags name one, and waits until it listens. */
export async function startServer(...flags: string[]): Promise<Server> {
  // a number behind another flag is that flag's value
  const hasPort = /^\d+$/.test(flags[0] ?? "");
  const program = start([...commandOf("server"), ...(hasPort ? [] : ["0"]), ...flags]);
  try {
    const [, port] = await program.stdout.until(/^Listening on .*:(\d+)\n/m);
    // tests read the client's command in the announcement, so wait for that too
    await program.stdout.until(new RegExp(`, type:\n.* ${port}\n`));
    const arrivals = () =>
      [...program.stdout.text().matchAll(/^Client \((.*), (\d+)\) connected at .*\n/mg)]
        .map(([, host, port]) => host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);
    return {
      ...program,
      port: Number(port),
      arrivals,
      async arrival(count) {
        // the pattern can match each line in one way only, so that even hundreds of arrivals take a single pass
        const arrival = "Client .* connected at .*\n";
        await program.stdout.until(new RegExp(`^(?:(?:(?!${arrival}).*\n)*${arrival}){${count}}`));
        return arrivals()[count - 1];
      },
    };
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
}

/** Starts a client whose input and output are pipes. */
export function startClient(...args: (string | number)[]): Process {
  return start([...commandOf("client"), ...args.map(String)]);
}

/** A client that a server has welcomed. */
export interface JoinedClient extends Process {
  /** The client's address as the server sees it. */
  readonly address: string;
}

/** Starts a client and waits until the server has welcomed it. Only one client may join at a time. */
export async function joinRoom(server: Server, host = "127.0.0.1"): Promise<JoinedClient> {
  const before = server.arrivals().length;
  const client = startClient(host, server.port);
  try {
    return { ...client, address: await server.arrival(before + 1) };
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw error;
  }
}

/** The first lines that a client prints when its output is a pipe. */
export const BANNER = "Welcome to the chat room!\nType your message and press Enter to send it\n";

/** The lines of members' messages that a client has printed, in order. */
export function messagesOf(client: Process): string[] {
  return client.stdout.text().split("\n").filter((line) => line.startsWith("<From "));
}
