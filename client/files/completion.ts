/**
 * Completes paths for the Tab key.
 *
 * @module
 */
import { printable } from "../../protocol/text.ts";
import {
  escapePath,
  expandHome,
  expandPath,
  hasEscapes,
  lastPartAt,
  quoteOf,
  resolvePath,
  unescapePath,
} from "./typed_path.ts";

/** The most completions. */
const MAX_COMPLETIONS = 100;

/**
 * Returns what a path may become that a user has begun to type: each replaces all that was typed. Folders end with `/`;
 * where a `\` was typed, names have one before blanks and the like; hidden files are there only when their dot is typed.
 * They are sorted, and at most 100. Without the permission to read the folder there are none, and nothing is asked for.
 */
export function completePath(typed: string): string[] {
  const quote = quoteOf(typed), path = typed.slice(quote.length);
  if (path === "~" && expandHome(path) !== path) return [`${quote}~/`];
  const at = lastPartAt(path), folder = path.slice(0, at), last = path.slice(at);
  const begun = quote ? last : unescapePath(last), place = quote ? expandHome(folder) : expandPath(folder);
  const fitting = entriesOf(place || ".").filter(({ name }) => {
    return name.startsWith(begun) && (begun.startsWith(".") || !name.startsWith(".")) && printable(name) === name;
  });
  const completions = begun === ".." ? [`${quote}${path}/`] : [];
  for (const { name, ...entry } of fitting.sort((a, b) => a.name < b.name ? -1 : 1)) {
    const isFolder = entry.isDirectory || entry.isSymlink && leadsToFolder(place + name);
    const isEscaped = quote === "" && (hasEscapes(path) || hasEscapes(name));
    const whole = `${quote}${folder}${isEscaped ? escapePath(name) : name}`;
    const completion = isFolder ? `${whole}/` : `${whole}${quote}`;
    // what would be read as another path can't be typed in this way
    if (resolvePath(isFolder ? `${completion}x${quote}` : completion) !== `${place}${name}${isFolder ? "/x" : ""}`) {
      continue;
    }
    completions.push(completion);
    if (completions.length === MAX_COMPLETIONS) break;
  }
  return completions;
}

function entriesOf(folder: string): Deno.DirEntry[] {
  try {
    if (Deno.permissions.querySync({ name: "read", path: folder }).state !== "granted") return [];
    return [...Deno.readDirSync(folder)];
  } catch {
    return [];
  }
}

function leadsToFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
