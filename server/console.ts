/**
 * What can be typed into the server's terminal while it runs.
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { DIAL_SETTINGS, dialInWords, type DialSetting, type NetworkDial, PERFECT, turned } from "./network_dial.ts";

/** What the console turns and shows. */
export interface ConsoleOptions {
  dial: NetworkDial;
  /** Who is here and what was sent, in a line. */
  summary: () => string;
  print: (text: string) => void;
}

const HELP = `drop 20%        loses every fifth datagram, each way
duplicate 5%    sends some twice
delay 20..200   holds each back for so many milliseconds, which reorders them
corrupt 1%      flips a bit
perfect         ends all of that
status          shows the dial, the members and the messages`;

/**
 * Carries out the lines of standard input until it ends; without a terminal there may be none at all.
 *
 * @returns What stops it.
 */
export function openConsole(options: ConsoleOptions): { close(): void } {
  const readline = createInterface({ input: process.stdin, terminal: false });
  readline.on("line", (line) => options.print(carryOut(line, options)));
  // a server in the background may not read from the terminal that it was started in
  process.stdin.on("error", () => readline.close());
  return { close: () => readline.close() };
}

/** What a line does, and the answer to it. */
export function carryOut(line: string, { dial, summary }: Omit<ConsoleOptions, "print">): string {
  const [word, ...values] = line.trim().toLowerCase().split(/[\s=]+/);
  if (word === "perfect") dial.conditions = { ...PERFECT };
  else if (word === "status" || word === "") return `${dialInWords(dial.conditions)}\n${summary()}`;
  else if (word === "help") return HELP;
  else if (!isSetting(word)) return `There is no command '${word}'; help lists them`;
  else {
    const conditions = turned(dial.conditions, word, values.join(" "));
    if (!conditions) return `${word} takes ${word === "delay" ? "milliseconds, like 20..200" : "a share, like 20%"}`;
    dial.conditions = conditions;
  }
  return `The network is now: ${dialInWords(dial.conditions)}`;
}

function isSetting(word: string): word is DialSetting {
  return (DIAL_SETTINGS as readonly string[]).includes(word);
}
