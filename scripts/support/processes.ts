/**
 * The real programs as processes of their own: started, talked to through their pipes, and ended whatever happens.
 *
 * UDP_CHAT_SERVER and UDP_CHAT_CLIENT name other commands to start, words between spaces, so that the same tests run
 * against compiled binaries.
 *
 * @module
 */
import { ROOT } from "../programs.ts";
import { Changing } from "./waiting.ts";

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
   * Waits until the text has the pattern in it and returns the match.
   *
   * @param deadline Milliseconds.
   * @throws {Error} when the deadline has passed or the output has ended without.
   */
  until(pattern: RegExp | string, deadline?: number): Promise<RegExpExecArray>;
}

/** A process that was started here. */
export interface Program extends AsyncDisposable {
  readonly pid: number;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Whether the process has come to its end. */
  ended(): boolean;
  /** Writes to standard input, which stays open. */
  type(text: string): Promise<void>;
  /** Closes standard input. */
  endInput(): Promise<void>;
  kill(signal: Deno.Signal): void;
  /**
   * Waits until the process has ended by itself and all that it wrote has been read, and returns its exit code.
   *
   * @param deadline Milliseconds.
   */
  exitCode(deadline?: number): Promise<number>;
}

/** How a process is started. */
export interface StartOptions {
  /** Variables that the process gets in addition. */
  env?: Record<string, string>;
}

/** Starts a process; it is killed, if need be, when the returned object is disposed of. */
export function start([executable, ...args]: string[], { env = {} }: StartOptions = {}): Program {
  const child = new Deno.Command(executable, {
    args,
    cwd: ROOT,
    env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const life = new Changing();
  let status: Deno.CommandStatus | undefined;
  const stdout = collect(child.stdout, "stdout");
  const stderr = collect(child.stderr, "stderr");
  const over = Promise.all([child.status, stdout.read, stderr.read]).then(([end]) => {
    status = end;
    life.changed();
  });
  const input = child.stdin.getWriter();
  // the process may have ended before its input; whoever types notices by the error of that call
  input.closed.catch(() => {});

  function collect(stream: ReadableStream<Uint8Array>, name: string): Output & { read: Promise<void> } {
    let text = "";
    let ended = false;
    const read = (async () => {
      for await (const part of stream.pipeThrough(new TextDecoderStream() as never) as ReadableStream<string>) {
        text += part;
        life.changed();
      }
      ended = true;
      life.changed();
    })();
    const description = (pattern: RegExp | string) => `${name} has no ${pattern}\n${everything()}`;
    return {
      read,
      text: () => text,
      until(pattern, deadline) {
        const expression = typeof pattern === "string" ? literally(pattern) : pattern;
        return life.until(
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

  function everything(): string {
    return `--- stdout\n${stdout.text()}\n--- stderr\n${stderr.text()}\n---`;
  }

  return {
    pid: child.pid,
    stdout,
    stderr,
    ended: () => status !== undefined,
    type: (text) => input.write(new TextEncoder().encode(text)),
    endInput: () => input.close(),
    kill: (signal) => child.kill(signal),
    async exitCode(deadline) {
      const { code } = await life.until(
        () => status,
        () => `${args.join(" ")} has not ended\n${everything()}`,
        deadline,
      );
      return code;
    },
    async [Symbol.asyncDispose]() {
      if (!status) {
        try {
          child.kill("SIGKILL");
        } catch {
          // it has just ended
        }
      }
      await over;
      await input.abort().catch(() => {});
    },
  };
}

function literally(text: string): RegExp {
  return new RegExp(text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
}

/** A server that listens. */
export interface Server extends Program {
  readonly port: number;
  /** The addresses of those who have joined, as `127.0.0.1:52207` or `[::1]:52207`, in the order of their arrival. */
  arrivals(): string[];
  /** Waits until so many have joined, and returns the address of the last of them. */
  arrival(count: number): Promise<string>;
}

/** Starts a server, on a free port unless the flags name one, and waits until it listens. */
export async function startServer(...flags: string[]): Promise<Server> {
  const hasPort = flags.some((flag) => /^\d+$/.test(flag));
  const program = start([...commandOf("server"), ...(hasPort ? [] : ["0"]), ...flags]);
  try {
    const [, port] = await program.stdout.until(/^Listening on .*:(\d+)\n/m);
    // a signal that comes before the whole announcement may find nobody listening for it
    await program.stdout.until(new RegExp(`, type:\n.* ${port}\n`));
    const arrivals = () =>
      [...program.stdout.text().matchAll(/^Client \((.*), (\d+)\) connected at .*\n/mg)]
        .map(([, host, port]) => host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);
    return {
      ...program,
      port: Number(port),
      arrivals,
      async arrival(count) {
        // each line can be read in one way only, so that hundreds of arrivals are looked through in one pass
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

/** Starts a client in a pipe. */
export function startClient(...args: (string | number)[]): Program {
  return start([...commandOf("client"), ...args.map(String)]);
}

/** A client that a server has welcomed. */
export interface Member extends Program {
  /** As the server knows it. */
  readonly address: string;
}

/** Starts a client in a pipe and waits until the server has welcomed it. One at a time. */
export async function join(server: Server, host = "127.0.0.1"): Promise<Member> {
  const before = server.arrivals().length;
  const client = startClient(host, server.port);
  try {
    return { ...client, address: await server.arrival(before + 1) };
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw error;
  }
}

/** The lines that a client in a pipe prints before all others. */
export const BANNER = "Welcome to the chat room!\nType your message and press Enter to send it\n";

/** The lines of members' messages that a client has printed, in order. */
export function messagesOf(client: Program): string[] {
  return client.stdout.text().split("\n").filter((line) => line.startsWith("<From "));
}
