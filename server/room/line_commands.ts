/**
 * Reads the lines of members that have a connection: what is said, and what is a command.
 *
 * @module
 */
import { readName } from "../../protocol/names.ts";

/** What a line asks for. */
export type LineRequest =
  | { do: "say"; text: string; action?: boolean }
  | { do: "sign in"; name: string }
  | { do: "log in"; name: string; password: string }
  | { do: "list" }
  | { do: "look up"; who: string }
  | { do: "send"; who: string; text: string }
  | { do: "reply"; text: string }
  | { do: "help" }
  | { do: "leave" }
  /** The line can't be done; the text says why. */
  | { do: "explain"; text: string };

const HELP: readonly (readonly [typed: string, what: string])[] = [
  ["/name NAME", "signs in with a name"],
  ["/login NAME PASSWORD", "signs in with a registered name; others on the way can read the password"],
  ["/list", "lists who is signed in"],
  ["/whois NAME", "shows where a member is"],
  ["/send NAME TEXT", "says something to one member alone, through the server; an address does for NAME"],
  ["/reply TEXT", "answers whoever wrote last to you alone"],
  ["/me TEXT", "tells what you do: /me waves"],
  ["/topic", "says what the room is about"],
  ["/quit", "leaves"],
];
const HELP_END = "Anything else is said to everyone; //text says /text. With a name, plain list";

/**
 * Returns what `/help` answers, line by line.
 *
 * @param isRelaying Whether private messages may pass through the server.
 * @param takesPasswords Whether the server takes passwords over a connection.
 */
export function lineHelp(isRelaying: boolean, takesPasswords = false): readonly string[] {
  const rows = HELP.filter(([typed]) =>
    (takesPasswords || !typed.startsWith("/login ")) && (isRelaying || !/^\/(send|reply) /.test(typed))
  );
  const width = Math.max(...rows.map(([typed]) => typed.length));
  const end = `${HELP_END} ${isRelaying ? "and send NAME TEXT work" : "works"} too.`;
  return [...rows.map(([typed, what]) => `${typed.padEnd(width)}  ${what}`), end];
}

/** A login that is not typed as one: without its slash, or behind other signs or what the arrow keys send. */
const MISTYPED_LOGIN = /^(?:[^\p{L}\p{N}]|\p{Cc}\[[\d;]*[A-Z~])*login\s+\S+\s+\S/iu;
const LOGIN_HINT = "Said to nobody, since it may have a password in it: /login NAME PASSWORD begins with one slash";

/**
 * Reads a line. With a name, plain `list` and `send NAME TEXT` are commands too, as in the assignments.
 *
 * @param takesPasswords Whether the server takes passwords over a connection: then what may be one is said to nobody.
 */
export function readLine(line: string, hasName: boolean, takesPasswords = false): LineRequest {
  const request = readAny(line, hasName);
  const isLogin = takesPasswords && request.do === "say" && MISTYPED_LOGIN.test(request.text);
  return isLogin ? { do: "explain", text: LOGIN_HINT } : request;
}

function readAny(line: string, hasName: boolean): LineRequest {
  // white space at the end is cut off first: a pattern that looks for it too takes 12 ms where much is in the middle
  const [, slashes, word, rest] = /^\s*(\/{0,2})(\S*)\s*([^]*)$/.exec(line.trimEnd())!;
  const key = word.toLowerCase();
  if (slashes === "//") return { do: "say", text: line.replace("/", "") };
  if (slashes === "/") return readCommand(key, rest) ?? unknownCommand(word);
  if (rest === "") {
    if (key === "quit" || key === "exit") return { do: "leave" };
    if (key === "help" || key === "?") return { do: "help" };
    if (word === "LIST" || key === "list" && hasName) return { do: "list" };
    if (key === "greeting") return { do: "explain", text: "You are in already; what you type is said to everyone" };
  }
  // a program for UDP that was changed to TCP
  const [, said] = /^MESSAGE(?:: ?| )(?=\s*\S)([^]*)$/.exec(line) ?? [];
  if (said !== undefined) return { do: "say", text: said };
  if (key === "sign-in" && readName(rest) !== undefined) return { do: "sign in", name: rest };
  if (key === "send" && hasName) return readCommand(key, rest)!;
  return { do: "say", text: line };
}

function readCommand(key: string, rest: string): LineRequest | undefined {
  const [first = "", text = ""] = rest.split(/\s+([^]*)/);
  switch (key) {
    case "quit":
    case "exit":
    case "q":
      return rest === "" ? { do: "leave" } : { do: "explain", text: `/${key} takes nothing` };
    case "help":
    case "?":
      return { do: "help" };
    case "list":
    case "names":
    case "who":
      return { do: "list" };
    case "name":
    case "nick":
      return rest === "" ? takes(key, "NAME") : { do: "sign in", name: rest };
    case "login":
      return text === "" ? takes(key, "NAME PASSWORD") : { do: "log in", name: first, password: text };
    case "whois":
      return rest === "" ? takes(key, "NAME") : { do: "look up", who: rest };
    case "send":
    case "msg":
      return text === "" ? takes(key, "NAME TEXT") : { do: "send", who: first, text };
    case "reply":
    case "r":
      return rest === "" ? takes(key, "TEXT") : { do: "reply", text: rest };
    case "register":
    case "unregister":
    case "password":
      return { do: "explain", text: `/${key} works only with the udp-chat client` };
    case "me":
      return rest === "" ? takes(key, "TEXT") : { do: "say", text: rest, action: true };
  }
}

function takes(key: string, parameters: string): LineRequest {
  return { do: "explain", text: `/${key} takes ${parameters}` };
}

function unknownCommand(word: string): LineRequest {
  return { do: "explain", text: `There is no command /${word}: /help lists them. To say it, type //${word}` };
}
