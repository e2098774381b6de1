/**
 * Paths as users type them.
 *
 * @module
 */

/** Whether paths may have `\` between their parts. */
const IS_WINDOWS = Deno.build.os === "windows";

/** Whether a path has a `\` that takes from a character what it means to a shell. */
export function hasEscapes(path: string): boolean {
  return !IS_WINDOWS && path.includes("\\");
}

/** Where the last part of a path begins. */
export function lastPartAt(path: string): number {
  return Math.max(path.lastIndexOf("/"), IS_WINDOWS ? path.lastIndexOf("\\") : -1) + 1;
}

/** The quotation mark that a path begins with, as in shells, or nothing. */
export function quoteOf(typed: string): string {
  return /^["']/.exec(typed)?.[0] ?? "";
}

/**
 * Returns what a shell makes of a path: quotes around it are taken off, or the `\` before blanks and other characters,
 * as terminals write the path of a file that is dragged into them; and `~/` is the home folder.
 */
export function resolvePath(typed: string): string {
  const path = typed.trim(), quote = quoteOf(path);
  const isQuoted = quote !== "" && path.length > 1 && path.endsWith(quote);
  return isQuoted ? expandHome(path.slice(1, -1)) : expandPath(path);
}

/** Returns what a shell makes of a path without quotes around it. */
export function expandPath(path: string): string {
  return path.startsWith("\\") ? unescapePath(path) : expandHome(unescapePath(path));
}

/** Takes off the `\` before characters, but on Windows, where it stands between the parts of a path. */
export function unescapePath(path: string): string {
  return IS_WINDOWS ? path : path.replace(/\\(.?)/gsu, "$1");
}

/** Puts a `\` before what means something to a shell, as that takes it off again. */
export function escapePath(path: string): string {
  return path.replace(/[\0-\x7f]/g, (character) => /[\w/.,:@%+=-]/.test(character) ? character : `\\${character}`);
}

/** Puts the home folder in place of the `~` before a path, if it is known. */
export function expandHome(path: string): string {
  const isBelowHome = path === "~" || path[0] === "~" && lastPartAt(path.slice(0, 2)) === 2;
  const home = isBelowHome ? homeFolder() : undefined;
  return home === undefined ? path : home + path.slice(1);
}

function homeFolder(): string | undefined {
  const variable = IS_WINDOWS ? "USERPROFILE" : "HOME";
  // nothing is asked for at a prompt
  if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") return undefined;
  return Deno.env.get(variable)?.replace(/[/\\]+$/, "") || undefined;
}
