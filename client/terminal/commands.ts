/**
 * The commands that a user can type. Help and completion are made from the same table.
 *
 * @module
 */
import { readWho, WHO_RULE } from "../session/who.ts";
import { ACCOUNT_COMMANDS } from "./account_commands.ts";
import type { Command, CommandContext } from "./command.ts";
import { FILE_COMMANDS } from "./file_commands.ts";
import { OPERATOR_COMMANDS } from "./operator_commands.ts";
import { formatStatistics } from "./rendering.ts";
import { reservedBecause } from "../../protocol/look_alikes.ts";
import { splitWords } from "../../protocol/text.ts";
import { NAME_RULE, nameKey, normalizeName } from "../../protocol/names.ts";

/** What `/direct` is about. */
const WHAT = "What you write to one member alone";
/** How many past messages can be requested: as many as a server keeps by default. */
const MAX_HISTORY = 10_000;

/** The commands of everybody. */
const MEMBER_COMMANDS: Command[] = [
  {
    names: ["help", "?"],
    parameters: [],
    optional: "files|operators",
    summary: "lists the commands; or those for files, or of operators, who keep order",
    run({ session, print }, what) {
      const word = what?.toLowerCase();
      if (word === "operators") print(operatorHelp());
      else print(word === "files" ? rowsOf(FILE_COMMANDS) : helpText(session.isOperator));
    },
  },
  {
    names: ["list", "names", "who"],
    parameters: [],
    summary: "lists who is signed in",
    run: ({ session, now }) => session.list(now),
  },
  {
    names: ["send", "msg"],
    parameters: ["NAME", "TEXT"],
    summary: "writes to one member alone, past the server where that can be; an address does for NAME",
    run: ({ session, now }, name, text) => session.sayTo(name, text, now),
  },
  {
    names: ["reply", "r"],
    parameters: ["TEXT"],
    summary: "answers whoever wrote last to you alone, and nobody who has the name or the address since",
    run: ({ session, now }, text) => session.reply(text, now),
  },
  {
    names: ["direct"],
    parameters: [],
    optional: "only|first",
    summary: "what you write to one member alone goes directly only, or directly first; or says which",
    run({ session, now }, value) {
      const word = value?.toLowerCase();
      if (word === "only" || word === "first") session.allowRelay(word === "first", now);
      else if (word !== undefined) return session.rejectLine("/direct takes the word only or the word first");
      session.view.notice(
        session.isRelayAllowed
          ? `${WHAT} goes directly, or through the server where there is no direct way. /direct only forbids that`
          : `${WHAT} goes directly only, never through the server (what others write may). /direct first allows it`,
      );
    },
  },
  ...FILE_COMMANDS,
  {
    names: ["me"],
    parameters: ["TEXT"],
    summary: "tells what you do: /me waves",
    run: ({ session, now }, text) => session.say(text, now, true),
  },
  {
    names: ["nick", "name"],
    parameters: [],
    optional: "NEW-NAME",
    summary: "takes another name in the room, or a first one, for all to see; or says which you have",
    run({ session, now }, value) {
      if (value === undefined && !session.wantsName) {
        const { name } = session;
        return session.view.notice(
          name === undefined
            ? "You have no name; /nick NEW-NAME takes one"
            : `You are ${name}; /nick NEW-NAME changes it`,
        );
      }
      const name = value === undefined ? undefined : normalizeName(value);
      const problem = name === undefined ? NAME_RULE : reservedBecause(name);
      if (problem === undefined) session.rename(name, now);
      else if (session.wantsName) session.view.problem(problem);
      else session.rejectLine(problem);
    },
  },
  {
    names: ["topic"],
    parameters: [],
    optional: "TEXT",
    summary: "says what the room is about; with TEXT an operator changes it, with - it is taken away",
    run({ session, now }, text) {
      if (text === undefined) session.view.notice(session.topic);
      else session.order(`topic ${text}`, now);
    },
  },
  {
    names: ["whois"],
    parameters: ["NAME"],
    summary: "shows where a member is, and since when; an address does for NAME",
    run: ({ session, now }, name) => session.whois(name, now),
  },
  {
    names: ["ignore"],
    parameters: [],
    optional: "NAME",
    summary: "shows nothing more from a name or an address; or lists whom you ignore",
    run({ session: { view, name, address } }, who) {
      if (who === undefined) return view.notice(`You ignore: ${view.people.ignored.join(", ") || "nobody"}`);
      if (who === address || nameKey(who) === nameKey(name ?? "")) return view.problem("That is you");
      const whom = readWho(who);
      if (!whom) return view.problem(WHO_RULE);
      view.people.ignore(who);
      const isKnown = "address" in whom || view.people.names.some((known) => nameKey(known) === nameKey(whom.name));
      view.notice(
        isKnown
          ? `You hear no more from ${who}; /unignore ${who} undoes it`
          : `Nobody has been seen here as ${who}; whoever comes with this name is ignored. /unignore ${who} undoes it`,
      );
    },
  },
  {
    names: ["unignore"],
    parameters: ["NAME"],
    summary: "shows them again",
    run({ session: { view } }, who) {
      if (view.people.unignore(who)) view.notice(`You hear ${who} again`);
      else view.problem(`${who} was not ignored`);
    },
  },
  ...ACCOUNT_COMMANDS,
  {
    names: ["times"],
    parameters: ["on|off"],
    summary: "shows the time before messages, or not",
    run({ setTimes, session }, value) {
      const word = value.toLowerCase();
      if (word === "on" || word === "off") setTimes(word === "on");
      else session.rejectLine("/times takes on or off");
    },
  },
  {
    names: ["history"],
    parameters: [],
    optional: "COUNT",
    summary: `shows the last messages, 20 or COUNT, up to ${MAX_HISTORY}`,
    run({ session, now }, count = "20") {
      const length = /^\d{1,9}$/.test(count) ? Number(count) : NaN;
      if (length >= 1 && length <= MAX_HISTORY) session.history(length, now);
      else session.rejectLine(`/history takes a number from 1 to ${MAX_HISTORY}`);
    },
  },
  {
    names: ["stats"],
    parameters: [],
    summary: "shows round trip, repeats and losses",
    run: ({ session, print }) => print(formatStatistics(session.statistics)),
  },
  {
    names: ["join"],
    parameters: [],
    summary: "asks to come in again, when you were told to go",
    run: ({ session, now }) => session.comeBack(now),
  },
  {
    names: ["quit", "exit", "q"],
    parameters: [],
    summary: "leaves the room; so do Ctrl-C, Ctrl-D and plain quit",
    run: ({ quit }) => quit(),
  },
];

/** All commands. Help, completion and the hints for typing mistakes are made from this table. */
export const COMMANDS: Command[] = [...MEMBER_COMMANDS, ...OPERATOR_COMMANDS];

/** The commands that work while the name is refused. */
const WITHOUT_NAME = ["help", "nick", "quit"];

/** The commands of the assignment, which members with a name can type without a slash. */
const PLAIN_COMMANDS = ["list", "send"];

/** The meaning of a typed line: a text to say, a command, or a mistake. */
export type ParsedLine =
  | { kind: "text"; text: string }
  | { kind: "command"; command: Command; values: string[] }
  | { kind: "mistake"; text: string };

/**
 * Finds out whether a line is a command or a text to say. `/word` is a command, `//text` says `/text`, and plain `quit`
 * leaves. For a member with a name, plain `list` and `send NAME TEXT` are commands too. Blanks before a command are
 * ignored.
 */
export function parseLine(line: string, isSignedIn: boolean): ParsedLine {
  const [, slashes, word, rest] = /^\s*(\/{0,2})(\S*)\s*([^]*)$/.exec(line)!;
  const key = word.toLowerCase();
  const isPlain = word === "quit" && rest === "" ||
    isSignedIn && PLAIN_COMMANDS.includes(key) && (key !== "list" || rest === "");
  if (slashes === "//") return { kind: "text", text: line.replace("/", "") };
  if (slashes === "" && !isPlain) return { kind: "text", text: line };
  const command = findCommand(key);
  if (!command) {
    const suggestion = nearestCommand(key);
    const hint = suggestion ? `did you mean /${suggestion}?` : "/help lists them.";
    return { kind: "mistake", text: `There is no command /${word}: ${hint} To say it, type //${word}` };
  }
  const values = splitWords(rest.trim(), command.parameters.length + (command.optional ? 1 : 0));
  if (values.length < command.parameters.length) {
    return { kind: "mistake", text: `/${command.names[0]} takes ${command.parameters.join(" ")}` };
  }
  return { kind: "command", command, values };
}

/** Executes a typed line: runs the command, says the text, or reports the mistake. */
export function execute(line: string, context: CommandContext): void {
  const { session, now, interactive } = context;
  const parsed = parseLine(line, session.name !== undefined);
  const isQuit = parsed.kind === "command" && parsed.command.names[0] === "quit";
  if (session.expectsPassword && !isQuit) {
    // it may be a password that was typed too early
    session.rejectLine("Not sent, as it was typed before the question was answered");
  } else if (parsed.kind === "mistake") {
    session.rejectLine(parsed.text);
  } else if (parsed.kind === "command") {
    if (session.wantsName && !WITHOUT_NAME.includes(parsed.command.names[0])) {
      session.view.problem("First choose a name");
    } else parsed.command.run(context, ...parsed.values);
  } else if (parsed.text.trim() === "") {
    return;
  } else if (session.wantsName) {
    const name = normalizeName(parsed.text.trim());
    if (name === undefined) session.view.problem(NAME_RULE);
    else session.rename(name, now);
  } else {
    session.say(parsed.text, now);
    if (interactive && session.name === undefined && parseLine(line, true).kind === "command") {
      session.view.notice("That was said to everyone: without a name, the commands are /send NAME TEXT and /list");
    }
  }
}

/**
 * Completes a half-typed line with commands, or with names or paths where a command takes one. Returns the completions
 * and the part of the line that they replace, as node:readline expects them.
 *
 * @param completePath Returns what may stand in place of a half-typed path, which may have blanks.
 */
export function completeLine(
  line: string,
  names: string[],
  completePath: (typed: string) => string[] = () => [],
): [string[], string] {
  const [, word, path] = /^\s*\/(\S+)\s+\S+\s+([^]*)$/.exec(line) ?? [];
  if (word !== undefined && findCommand(word.toLowerCase())?.parameters[1] === "PATH") {
    return [completePath(path), path];
  }
  const [, typed, start] = /^\s*(\/?\S+) (\S*)$/.exec(line) ?? [];
  if (typed !== undefined) {
    const word = typed.toLowerCase();
    const command = word.startsWith("/") || PLAIN_COMMANDS.includes(word)
      ? findCommand(word.replace("/", ""))
      : undefined;
    if (!/^NAME\b/.test(command?.parameters[0] ?? command?.optional ?? "")) return [[], line];
    return [names.filter((name) => nameKey(name).startsWith(nameKey(start))).map((name) => `${name} `), start];
  }
  if (!/^\/\S*$/.test(line)) return [[], line];
  const all = COMMANDS.map(({ names, parameters, optional }) =>
    `/${names[0]}${parameters.length > 0 || optional ? " " : ""}`
  );
  return [all.filter((candidate) => candidate.startsWith(line)), line];
}

/** The list of commands, one on each line; of those for files only the first; for an operator also what it may do. */
export function helpText(isOperator: boolean): string {
  return [
    rowsOf(MEMBER_COMMANDS.filter((command) => !FILE_COMMANDS.slice(1).includes(command))),
    "Anything else is said to everyone; //text says /text. With a name, plain list and send NAME TEXT work too.",
    ...(isOperator ? [operatorHelp()] : []),
  ].join("\n");
}

/** The list of operators' commands, one on each line. */
function operatorHelp(): string {
  return `For operators, who keep order:\n${rowsOf(OPERATOR_COMMANDS)}`;
}

function rowsOf(commands: Command[]): string {
  const width = Math.max(...commands.map((command) => usage(command).length));
  return commands.map((command) => `${usage(command).padEnd(width)}  ${command.summary}`).join("\n");
}

function usage({ names, parameters, optional }: Command): string {
  return [`/${names[0]}`, ...parameters, ...(optional ? [`[${optional}]`] : [])].join(" ");
}

function findCommand(word: string): Command | undefined {
  return COMMANDS.find(({ names }) => names.includes(word));
}

/** The command name with the smallest edit distance to a word; undefined when it is too large for a typing mistake. */
function nearestCommand(word: string): string | undefined {
  let best: string | undefined, least = Math.max(1, Math.floor(word.length / 2)) + 1;
  for (const { names: [name] } of COMMANDS) {
    const distance = name.startsWith(word) && word !== "" ? 0 : editDistance(word, name);
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}

/** How many characters to insert, delete, replace or exchange with their neighbour to turn one word into another. */
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
