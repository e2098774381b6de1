/**
 * The commands that can be typed into the server's terminal while it runs.
 *
 * @module
 */
import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import { canTellForeground, mayReadTerminal } from "../runtime/foreground.ts";
import {
  EMULATOR_SETTINGS,
  type EmulatorSetting,
  formatConditions,
  type NetworkEmulator,
  parseSetting,
  PERFECT,
  settingUsage,
} from "./doors/network_emulator.ts";

/** What the console controls and shows. */
export interface ConsoleOptions {
  emulator: NetworkEmulator;
  /** Prints what is ignored while it is on. */
  trace: { isOn: boolean };
  /** How many datagrams have arrived so far, before the emulator. */
  arrived: () => number;
  /** Returns who is here and what was sent, as one line of text. */
  summary: () => string;
  /** Returns who has signed in, as a few lines of text. */
  list: () => string;
  /** What the room can be told to do. */
  room: { isOrder(line: string): boolean; readonly orderHelp: string[] };
  /** Tells the room to do something. */
  order: (line: string) => { text: string };
  /** Stops the server. */
  stop: () => void;
  print: (text: string) => void;
}

const HELP = `drop 20%        loses every fifth datagram, each way
duplicate 5%    sends some twice
delay 20..200   holds each back for so many milliseconds, which reorders them
corrupt 1%      flips a bit
perfect         ends all of that
status          shows the network, the members and the messages; so does Enter
list            lists who is signed in
trace on        prints what is ignored, and why; trace off ends that
quit            stops the server and tells the clients; so does Ctrl-C`;

/**
 * Executes the lines of standard input until it ends. A server in the background of a shell does not read its terminal.
 * It starts to read when the shell continues it in the foreground.
 *
 * @returns `close`, which ends the reading.
 */
export function openConsole(options: ConsoleOptions): { close(): void } {
  let readline: Interface | undefined;
  let hasEnded = false;
  const readOrPause = () => {
    if (hasEnded) return;
    if (!mayReadTerminal()) {
      if (!readline && !canTellForeground()) options.print("What is typed here is not read: that takes --allow-ffi");
      return readline?.pause();
    }
    if (readline) return readline.resume();
    readline = createInterface({ input: process.stdin, terminal: false });
    readline.on("close", () => hasEnded = true);
    readline.on("line", (line) => {
      const answer = execute(line, options);
      if (answer !== "") options.print(answer);
    });
    // an error means that the terminal was closed; a signal reports this, so the error only ends the reading
    for (const input of [process.stdin, readline]) input.on("error", () => readline?.close());
  };
  readOrPause();
  // after Ctrl-Z the shell continues the server in the foreground, or (bg) in the background
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGCONT", readOrPause);
  return {
    close() {
      if (Deno.build.os !== "windows") Deno.removeSignalListener("SIGCONT", readOrPause);
      readline?.close();
    },
  };
}

/** Executes a line, with or without a slash before it. Returns the answer to print, or an empty text for none. */
export function execute(
  line: string,
  { emulator, trace, arrived, summary, list, room, order, stop }: Omit<ConsoleOptions, "print">,
): string {
  const typed = line.trim().replace(/^\//, "");
  if (room.isOrder(typed)) return order(typed).text;
  const [word, ...values] = line.trim().replace(/^\//, "").toLowerCase().split(/[\s=]+/);
  switch (word) {
    case "":
    case "status": {
      const { dropped, duplicated, corrupted, passed } = emulator.statistics;
      const done = `dropped ${dropped}, doubled ${duplicated}, damaged ${corrupted}, passed ${passed}`;
      return `${formatConditions(emulator.conditions)}\nso far: arrived ${arrived()}, ${done}\n${summary()}`;
    }
    case "list":
    case "who":
      return list();
    case "trace":
      return switchTrace(trace, values);
    case "help":
    case "?":
      return aligned([...room.orderHelp, ...HELP.split("\n")]).join("\n");
    case "quit":
    case "exit":
    case "stop":
      stop();
      return "";
    case "perfect":
      emulator.conditions = { ...PERFECT };
      break;
    default: {
      if (!isSetting(word)) return `There is no command '${word}'; help lists them`;
      const conditions = parseSetting(emulator.conditions, word, values.join(" "));
      if (!conditions) return settingUsage(word);
      emulator.conditions = conditions;
    }
  }
  return `The network is now: ${formatConditions(emulator.conditions)}`;
}

/** Brings what stands behind two spaces or more into one column. */
function aligned(lines: string[]): string[] {
  const rows = lines.map((line) => line.split(/ {2,}/)), width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, summary]) => `${left.padEnd(width)}  ${summary}`);
}

/** Switches the trace on or off, and says which it is. */
function switchTrace(trace: { isOn: boolean }, values: string[]): string {
  const value = values.join(" ");
  if (value !== "" && value !== "on" && value !== "off") return "trace takes on or off";
  if (value !== "") trace.isOn = value === "on";
  return trace.isOn ? "What is ignored is printed; trace off ends that" : "What is ignored is not printed";
}

function isSetting(word: string): word is EmulatorSetting {
  return (EMULATOR_SETTINGS as readonly string[]).includes(word);
}
