/**
 * Paths as users type them.
 *
 * @module
 */

/** Whether paths may have `\` between their parts. */
const IS_WINDOWS = Deno.build.os === "windows";

/** Where the last part of a path begins. */
export function lastPartAt(path: string): number {
  return Math.max(path.lastIndexOf("/"), IS_WINDOWS ? path.lastIndexOf("\\") : -1) + 1;
}

/** The quotation mark that a path begins with, as in shells, or nothing. */
export function quoteOf(typed: string): string {
  return /^["']/.exec(typed)?.[0] ?? "";
}

/** Returns what a shell makes of a path: quotes around it are taken off, and `~/` is the home folder. */
export function resolvePath(typed: string): string {
  const path = typed.trim(), quote = quoteOf(path);
  const isQuoted = quote !== "" && path.length > 1 && path.endsWith(quote);
  return expandHome(isQuoted ? path.slice(1, -1) : path);
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
