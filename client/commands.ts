/**
 * The commands that can be typed: one table, from which help and completion are made too.
 *
 * @module
 */

import { nameKey } from "../protocol/fields.ts";
import type { Session } from "./session.ts";
import { statisticsInWords } from "./words.ts";

/** What commands do things to. */
export interface CommandContext {
  session: Session;
  /** The time, in milliseconds. */
  now: number;
  print(text: string): void;
  /** Leaves, once what was typed has arrived. */
  quit(): void;
  /** Shows the time before messages, or not. */
  setTimes(shown: boolean): void;
}

/** A command as it is typed, listed and carried out. */
export interface Command {
  /** Without the slash; the first is the one that help shows. */
  names: string[];
  /** What must stand behind the name, in words: the last of them may be several. */
  takes: string[];
  /** What may stand there instead of nothing. */
  may?: string;
  summary: string;
  run(context: CommandContext, ...values: string[]): void;
}

/** Every command; help, completion and the hints for slips are made from it. */
export const COMMANDS: Command[] = [
  {
    names: ["help", "?"],
    takes: [],
    summary: "lists the commands",
    run: ({ print }) => print(helpText()),
  },
  {
    names: ["list", "names", "who"],
    takes: [],
    summary: "lists who is signed in",
    run: ({ session, now }) => session.requests.list(now),
  },
  {
    names: ["send", "msg"],
    takes: ["NAME", "TEXT"],
    summary: "says something to one member alone, not through the server",
    run: ({ session, now }, name, text) => session.requests.sayTo(name, text, now),
  },
  {
    names: ["reply", "r"],
    takes: ["TEXT"],
    summary: "answers whoever wrote last to you alone",
    run: ({ session, now }, text) => session.requests.reply(text, now),
  },
  {
    names: ["me"],
    takes: ["TEXT"],
    summary: "tells what you do: /me waves",
    run: ({ session, now }, text) => session.say(text, now, true),
  },
  {
    names: ["whois"],
    takes: ["NAME"],
    summary: "shows a member's address and since when it is here",
    run: ({ session, now }, name) => session.requests.whois(name, now),
  },
  {
    names: ["ignore"],
    takes: ["NAME"],
    summary: "shows nothing more from a name or an address",
    run({ session, print }, who) {
      session.view.people.ignore(who);
      print(`-- You hear no more from ${who}; /unignore ${who} undoes it`);
    },
  },
  {
    names: ["unignore"],
    takes: ["NAME"],
    summary: "shows them again",
    run({ session, print }, who) {
      print(session.view.people.unignore(who) ? `-- You hear ${who} again` : `!! ${who} was not ignored`);
    },
  },
  {
    names: ["times"],
    takes: ["on|off"],
    summary: "shows the time before messages, or not",
    run({ setTimes, print }, value) {
      const word = value.toLowerCase();
      if (word === "on" || word === "off") setTimes(word === "on");
      else print("!! /times takes on or off");
    },
  },
  {
    names: ["history"],
    takes: [],
    may: "COUNT",
    summary: "shows the last messages, 20 or COUNT",
    run({ session, now, print }, count = "20") {
      if (/^[1-9]\d?$/.test(count)) session.requests.history(Number(count), now);
      else print("!! /history takes a number from 1 to 99");
    },
  },
  {
    names: ["stats"],
    takes: [],
    summary: "shows round trip, repeats and losses",
    run: ({ session, print }) => print(statisticsInWords(session.statistics)),
  },
  {
    names: ["quit", "exit", "q"],
    takes: [],
    summary: "leaves the room; so do Ctrl-C, Ctrl-D and plain quit",
    run: ({ quit }) => quit(),
  },
];

/** The commands that the assignment has without a slash, for members with a name. */
const PLAIN = ["list", "send"];

/** What a typed line is. */
export type Typed =
  | { kind: "text"; text: string }
  | { kind: "command"; command: Command; values: string[] }
  | { kind: "mistake"; text: string };

/**
 * Tells a command from what is to be said: `/word` is a command, `//text` says `/text`, plain `quit` leaves, and for a
 * member with a name plain `list` and `send NAME TEXT` are commands too.
 */
export function readLine(line: string, isSignedIn: boolean): Typed {
  const [, word, rest] = /^\/?(\S*)\s*([^]*)$/.exec(line)!;
  const isPlain = word === "quit" && rest === "" ||
    isSignedIn && PLAIN.includes(word) && (word !== "list" || rest === "");
  if (!line.startsWith("/") && !isPlain) return { kind: "text", text: line };
  if (line.startsWith("//")) return { kind: "text", text: line.slice(1) };
  const command = find(word.toLowerCase());
  if (!command) {
    const near = nearest(word.toLowerCase());
    const hint = near ? `did you mean /${near}?` : "/help lists them.";
    return { kind: "mistake", text: `There is no command /${word}: ${hint} To say it, type //${word}` };
  }
  const values = split(rest.trim(), command.takes.length + (command.may ? 1 : 0));
  if (values.length < command.takes.length) {
    return { kind: "mistake", text: `/${command.names[0]} takes ${command.takes.join(" ")}` };
  }
  return { kind: "command", command, values };
}

/** The words of a text, at most so many: the last has the rest. */
function split(text: string, most: number): string[] {
  const values: string[] = [];
  while (text !== "" && values.length < most - 1) {
    const [word] = /^\S+/.exec(text)!;
    values.push(word);
    text = text.slice(word.length).trimStart();
  }
  return text === "" ? values : [...values, text];
}

/** What a half-typed line may become, as node:readline wants it: commands, and names where a name is due. */
export function completeLine(line: string, names: string[]): [string[], string] {
  const [, word, start] = /^(\/?\S+) (\S*)$/.exec(line) ?? [];
  if (word !== undefined) {
    const isCommand = word.startsWith("/") || PLAIN.includes(word);
    if (!isCommand || find(word.replace("/", ""))?.takes[0] !== "NAME") return [[], line];
    return [names.filter((name) => nameKey(name).startsWith(nameKey(start))).map((name) => `${name} `), start];
  }
  if (!/^\/\S*$/.test(line)) return [[], line];
  const all = COMMANDS.map(({ names, takes }) => `/${names[0]}${takes.length > 0 ? " " : ""}`);
  return [all.filter((candidate) => candidate.startsWith(line)), line];
}

/** The list of commands, a line each. */
export function helpText(): string {
  const rows = COMMANDS.map(({ names, takes, may, summary }) => {
    return [[`/${names[0]}`, ...takes, ...(may ? [`[${may}]`] : [])].join(" "), summary];
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    ...rows.map(([left, summary]) => `${left.padEnd(width)}  ${summary}`),
    "Anything else is said to everyone; //text says /text. With a name, plain list and send NAME TEXT work too.",
  ].join("\n");
}

function find(word: string): Command | undefined {
  return COMMANDS.find(({ names }) => names.includes(word));
}

/** The name that takes the fewest changes to come from a word, if that is few enough to be a slip. */
function nearest(word: string): string | undefined {
  let best: string | undefined, least = Math.max(1, Math.floor(word.length / 2)) + 1;
  for (const { names: [name] } of COMMANDS) {
    const distance = name.startsWith(word) && word !== "" ? 0 : editDistance(word, name);
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}

/** The characters to insert, delete, replace or exchange with their neighbour to get from one word to another. */
function editDistance(a: string, b: string): number {
  // optimal string alignment (Damerau 1964): rows[i][j] is the distance of the first i and the first j characters
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isExchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const exchanged = isExchanged ? rows[i - 2][j - 2] + 1 : Infinity;
      rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, replaced, exchanged);
    }
  }
  return rows[a.length][b.length];
}
