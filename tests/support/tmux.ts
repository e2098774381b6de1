/**
 * Terminals for programs that need one: panes of a separate tmux server. Tests press keys in them and read their
 * screens.
 *
 * @module
 */
import { ROOT } from "../../scripts/programs.ts";
import { DEADLINE_MS } from "../../scripts/support/waiting.ts";

/** Pause between two looks at a screen, in milliseconds. */
const LOOK_AGAIN_MS = 40;

/** How a screen is read. */
export interface ScreenOptions {
  /** Whether the escape sequences for colours are in the text. */
  colours?: boolean;
  /** Whether the rows of one long line stay as they are; otherwise they are joined. */
  rows?: boolean;
}

/** A terminal with a program in it. */
export interface Terminal {
  /** Types text, without Enter. */
  type(text: string): Promise<void>;
  /** Presses keys, in tmux's names: `Enter`, `Tab`, `Up`, `C-c`. */
  press(...keys: string[]): Promise<void>;
  /** Changes the number of columns, and waits until the program can find out. */
  resize(columns: number): Promise<void>;
  /** Closes the terminal while the program runs, as closing a window does. */
  close(): Promise<void>;
  /** The visible rows as lines, without spaces at the end. */
  screen(options?: ScreenOptions): Promise<string>;
  /**
   * Waits until the screen matches the pattern, and returns the screen.
   *
   * @throws {Error} with the last screen when the deadline has passed.
   */
  until(pattern: RegExp, options?: ScreenOptions): Promise<string>;
}

/** How large a terminal is. */
export interface TerminalOptions {
  columns?: number;
  rows?: number;
  /** A file for all that programs write there, as they write it. */
  record?: string;
}

/** A tmux server. */
export interface Tmux extends AsyncDisposable {
  /** Opens a terminal in which a shell command runs. */
  open(shellCommand: string, options?: TerminalOptions): Promise<Terminal>;
  /** Stops all its terminals: nothing is read of what programs write there, until {@linkcode goOn}. */
  stop(): Promise<void>;
  goOn(): void;
}

/** Whether this machine has tmux. Windows does not count: its tmux has another kind of terminal than the programs. */
export const HAS_TMUX = await (async () => {
  if (Deno.build.os === "windows") return false;
  try {
    return (await new Deno.Command("tmux", { args: ["-V"], stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
})();

/** Prepares a tmux server with a socket of its own; it starts with its first terminal and ends with disposal. */
export async function startTmux(): Promise<Tmux> {
  const folder = await Deno.makeTempDir({ prefix: "udp-chat-tmux-" });
  // leaves out the variables that would change the programs' behaviour
  const { NO_COLOR: _, TMUX: __, ...inherited } = Deno.env.toObject();
  const env = {
    ...inherited,
    TMUX_TMPDIR: folder,
    SHELL: "/bin/sh",
    LC_ALL: "C.UTF-8",
    DENO_NO_UPDATE_CHECK: "1",
  };

  async function tmux(...args: string[]): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command("tmux", {
      args: ["-u", "-L", "test", "-f", "/dev/null", ...args],
      env,
      clearEnv: true,
      cwd: ROOT,
    }).output();
    const decoder = new TextDecoder();
    if (!success) throw new Error(`tmux ${args.join(" ")}: ${decoder.decode(stderr)}`);
    return decoder.decode(stdout);
  }

  let sessions = 0;
  let stopped: number | undefined;
  const goOn = () => {
    if (stopped !== undefined) Deno.kill(stopped, "SIGCONT");
    stopped = undefined;
  };
  return {
    goOn,
    async stop() {
      stopped = Number(await tmux("display-message", "-p", "#{pid}"));
      Deno.kill(stopped, "SIGSTOP");
    },
    async open(shellCommand, { columns = 80, rows = 24, record } = {}) {
      const target = `session-${++sessions}`;
      const size = ["-x", String(columns), "-y", String(rows)];
      const recorded = record === undefined ? [] : [";", "pipe-pane", "-t", target, `cat > ${quoted(record)}`];
      const options = ["set-option", "status", "off", ...recorded];
      await tmux("new-session", "-d", "-s", target, ...size, shellCommand, ";", ...options);
      return terminal(tmux, target);
    },
    async [Symbol.asyncDispose]() {
      goOn();
      if (sessions > 0) await tmux("kill-server").catch(() => {});
      await Deno.remove(folder, { recursive: true });
    },
  };
}

function terminal(tmux: (...args: string[]) => Promise<string>, target: string): Terminal {
  async function screen({ colours = false, rows = false }: ScreenOptions = {}): Promise<string> {
    const options = [...(rows ? [] : ["-J"]), ...(colours ? ["-e"] : [])];
    const text = await tmux("capture-pane", "-p", ...options, "-t", target);
    // the client breaks its lines itself, and begins each further row with a mark
    const lines = rows ? text : text.replaceAll("\n| ", "");
    return lines.split("\n").map((line) => line.trimEnd()).join("\n").trimEnd();
  }
  return {
    screen,
    async type(text) {
      await tmux("send-keys", "-t", target, "-l", text);
    },
    async press(...keys) {
      await tmux("send-keys", "-t", target, ...keys);
    },
    async resize(columns) {
      await tmux("resize-window", "-t", target, "-x", String(columns));
      // tmux tells the program a moment later
      const tty = (await tmux("display-message", "-p", "-t", target, "#{pane_tty}")).trim();
      await lookUntil(() => sizeOf(tty), (size) => size.endsWith(` ${columns}\n`), () => `not ${columns} columns`);
    },
    async close() {
      await tmux("kill-session", "-t", target);
    },
    async until(pattern, options) {
      return await lookUntil(
        () => screen(options),
        (seen) => pattern.test(seen),
        (seen) => `the screen is not like ${pattern}\n${seen}\n---`,
      );
    },
  };
}

/** Looks at something again and again until it is as expected. */
async function lookUntil<T>(
  look: () => Promise<T>,
  isExpected: (seen: T) => boolean,
  describe: (seen: T) => string,
): Promise<T> {
  const late = new Error();
  const deadline = performance.now() + DEADLINE_MS;
  while (true) {
    const seen = await look();
    if (isExpected(seen)) return seen;
    if (performance.now() > deadline) {
      late.message = `Not within ${DEADLINE_MS} ms: ${describe(seen)}`;
      throw late;
    }
    await new Promise((resume) => setTimeout(resume, LOOK_AGAIN_MS));
  }
}

/** The rows and columns of a terminal, as the programs in it are told. */
async function sizeOf(tty: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", 'stty size < "$0"', tty] }).output();
  return new TextDecoder().decode(stdout);
}

/** Quotes a word for the shell, whatever characters it has. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
