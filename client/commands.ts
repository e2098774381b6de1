/**
 * The commands that can be typed: one table, from which help and completion are made too.
 *
 * @module
 */

/** What commands do things to. */
export interface CommandContext {
  print(text: string): void;
  quit(): void;
  statistics(): string;
}

/** A command as it is typed, listed and carried out. */
export interface Command {
  /** Without the slash; the first is the one that help shows. */
  names: string[];
  /** What stands behind the name. */
  usage: string;
  summary: string;
  run(context: CommandContext, argument: string): void;
}

/** Every command. */
export const COMMANDS: Command[] = [
  {
    names: ["help", "?"],
    usage: "",
    summary: "lists the commands",
    run: (context) => context.print(helpText()),
  },
  {
    names: ["quit", "exit", "q"],
    usage: "",
    summary: "leaves the room; so do Ctrl-C, Ctrl-D and plain quit",
    run: (context) => context.quit(),
  },
  {
    names: ["stats"],
    usage: "",
    summary: "shows round trip, repeats and losses",
    run: (context) => context.print(context.statistics()),
  },
];

/** What a typed line is. */
export type Typed = { say: string } | { command: Command; argument: string } | { mistake: string };

/** Tells a command from what is to be said: `/word` and plain `quit` are commands, `//text` says `/text`. */
export function readLine(line: string): Typed {
  if (line.trim() === "quit") return { command: find("quit")!, argument: "" };
  if (!line.startsWith("/")) return { say: line };
  if (line.startsWith("//")) return { say: line.slice(1) };
  const [, word, argument] = /^\/(\S*)\s*([^]*)$/.exec(line)!;
  const command = find(word.toLowerCase());
  if (command) return { command, argument: argument.trim() };
  const near = nearest(word.toLowerCase());
  const hint = near ? `did you mean /${near}?` : "/help lists them";
  return { mistake: `There is no command /${word}: ${hint} To say it, type //${word}` };
}

/** The commands that a half-typed line may become, as node:readline wants them. */
export function completeLine(line: string): [string[], string] {
  if (!/^\/\S*$/.test(line)) return [[], line];
  const all = COMMANDS.map(({ names, usage }) => `/${names[0]}${usage ? " " : ""}`);
  return [all.filter((candidate) => candidate.startsWith(line)), line];
}

/** The list of commands, a line each. */
export function helpText(): string {
  const rows = COMMANDS.map(({ names, usage, summary }) => [`/${names[0]} ${usage}`.trim(), summary]);
  const width = Math.max(...rows.map(([left]) => left.length));
  const list = rows.map(([left, summary]) => `${left.padEnd(width)}  ${summary}`);
  return [...list, "Anything else is said to everyone; a line that is to begin with / begins with //."].join("\n");
}

function find(word: string): Command | undefined {
  return COMMANDS.find(({ names }) => names.includes(word));
}

/** The name that takes the fewest changes to come from a word, if that is few enough to be a slip. */
function nearest(word: string): string | undefined {
  let best: string | undefined, least = Math.max(1, Math.floor(word.length / 2)) + 1;
  for (const { names: [name] } of COMMANDS) {
    const distance = name.startsWith(word) && word !== "" ? 1 : editDistance(word, name);
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}

/** The number of characters to insert, delete or replace to turn one word into another (Levenshtein 1966). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}
