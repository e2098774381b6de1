/**
 * What a file is called that comes from the network, whatever its sender calls it.
 *
 * @module
 */
import { byteLength } from "./utf8.ts";

/** The longest name, in bytes of UTF-8: a number and what marks a partial file still fit behind it in 255. */
const MAX_BYTES = 200;
/** What is longer, in bytes of UTF-8, is not kept as the end that tells what kind of file it is. */
const MAX_EXTENSION_BYTES = 40;
/** What a name is called of which nothing is left. */
const NAMELESS = "file";

/** What moves, reorders or hides: control and format characters, halves of pairs, and what has no look of its own. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu;
/** Blanks of any width, and what looks like one: the pattern of Braille without a dot, a note without a head. */
const BLANK = /[\s\p{Z}\u2800\u{1d159}]/gu;
/** Blanks in a row, which would move what follows out of sight or to another line; with the marks on them. */
const GAP = / [ \p{M}]+/gu;
/** What Windows has in no name, and what is a separator there or elsewhere. */
const FORBIDDEN = /[<>:"/\\|?*]/g;
/** More combining marks in a row than any language has: they would cover other lines. */
const TOWER = /(\p{M}{4})\p{M}+/gu;
/**
 * The names that Windows gives to devices, whatever the extension; see "Naming Files, Paths, and Namespaces" in
 * Microsoft's documentation.
 */
const DEVICE = /^(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9¹²³])$/i;

/**
 * Returns what a file is called here whose name came from the network: the last part of a path, which leads nowhere,
 * is not hidden, is no option of a command, and looks as it is, on every system. The same name again stays as it is.
 *
 * @returns At most 200 bytes of UTF-8, and never nothing; the extension is kept.
 */
export function harmlessName(name: string): string {
  const last = name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1);
  const visible = last.replace(BLANK, " ").replace(INVISIBLE, "").replace(FORBIDDEN, "_");
  const trimmed = trim(visible.normalize("NFC").replace(GAP, " ").replace(TOWER, "$1"));
  const short = trim(shorten(trimmed));
  if (short === "") return NAMELESS;
  return DEVICE.test(short.split(".")[0].trimEnd()) ? `_${short}` : short;
}

/** Returns the name with a number, for where the name itself is taken: `report.pdf` becomes `report (2).pdf`. */
export function numberedName(name: string, n: number): string {
  const { stem, extension } = split(name);
  return `${stem.trimEnd()} (${n})${extension}`;
}

/** Takes off dots and blanks, and at the beginning dashes and marks; where they are many, in one go. */
function trim(name: string): string {
  const rest = name.replace(/^[ .\-\p{M}]+/u, "");
  let end = rest.length;
  while (end > 0 && " .".includes(rest[end - 1])) end--;
  return rest.slice(0, end);
}

/** Cuts a name that is too long, in its middle: a device's name gets one more byte afterwards. */
function shorten(name: string): string {
  if (byteLength(name) < MAX_BYTES) return name;
  const { stem, extension } = split(name);
  return cut(stem, MAX_BYTES - 1 - byteLength(extension)) + extension;
}

/** Returns as many characters (code points) as fit into so many bytes of UTF-8. */
function cut(text: string, limit: number): string {
  let bytes = 0, end = 0;
  for (const character of text) {
    bytes += byteLength(character);
    if (bytes > limit) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/** Splits a name before its last dot, unless what follows is too long for an extension or nothing is before it. */
function split(name: string): { stem: string; extension: string } {
  const at = name.lastIndexOf("."), extension = at > 0 ? name.slice(at) : "";
  if (extension.length > MAX_EXTENSION_BYTES || byteLength(extension) > MAX_EXTENSION_BYTES) {
    return { stem: name, extension: "" };
  }
  return { stem: at > 0 ? name.slice(0, at) : name, extension };
}
