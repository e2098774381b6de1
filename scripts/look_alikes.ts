/**
 * Writes protocol/look_alike_table.ts from Unicode's data:
 * `deno run -A scripts/look_alikes.ts confusables.txt`, with a file from https://www.unicode.org/Public/security/
 *
 * A letter of another script is in the table when it looks like Latin letters or digits. Letters of Latin, Greek and
 * Cyrillic are in it, too, when they look like each other.
 *
 * @module
 */
import { nameKey } from "../protocol/names.ts";

/** The longest line of the table, in characters. */
const LINE_LENGTH = 118;
const OF_A_NAME = /^(?!\p{Default_Ignorable_Code_Point})[\p{L}\p{M}\p{Nd}]$/u;
const OF_OUR_SCRIPTS = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\u0300-\u036f]/u;

/** Reads what each character looks like, and the version of the data. */
function readConfusables(text: string): { prototypes: Map<string, string>; version: string } {
  const prototypes = new Map<string, string>();
  for (const [, source, target] of text.matchAll(/^([0-9A-F]+) ;\t([0-9A-F ]+) ;\t/gm)) {
    const points = target.trim().split(" ").map((hex) => parseInt(hex, 16));
    prototypes.set(String.fromCodePoint(parseInt(source, 16)), String.fromCodePoint(...points));
  }
  // our skeletons have m for rn, so that most of them are as short as the name
  prototypes.delete("m");
  // the sigma at the end of a word is the same letter to nameKey
  prototypes.set("ς", prototypes.get("σ") ?? "σ");
  const [, version = "of unknown version"] = /^# Version: (\S+)/m.exec(text) ?? [];
  return { prototypes, version };
}

/** Finds what each character of a name is replaced with; leaves out those that only become small letters. */
function findLookAlikes(prototypes: Map<string, string>): Map<string, string> {
  const prototype = (text: string) =>
    [...text].map((character) => prototypes.get(character) ?? character).join("").normalize("NFD").toLowerCase()
      .replaceAll("rn", "m");
  // a small letter whose capital looks like a Latin one counts as that one: в as B, к as K
  const capitals = new Map<string, string>();
  const characters = Array.from({ length: 0x110000 }, (_, point) => point)
    .filter((point) => point < 0xd800 || point > 0xdfff)
    .map((point) => String.fromCodePoint(point))
    // the others are normalized before they are looked up
    .filter((character) => OF_A_NAME.test(character) && character.normalize("NFKD") === character);
  for (const character of characters) {
    const small = prototype(character), capital = prototype(character.toUpperCase());
    const isOneLetter = [...small].length === 1 && !/[a-z0-9]/.test(small);
    if (/^\p{Ll}$/u.test(character) && isOneLetter && /^[a-z0-9]$/.test(capital)) capitals.set(small, capital);
  }
  const lookAlike = (text: string) => [...prototype(text)].map((part) => capitals.get(part) ?? part).join("");

  const found = new Map<string, string>();
  for (const character of characters) {
    let like = lookAlike(character);
    // what a small letter becomes stays as it is when it is replaced again
    if (nameKey(character) === character) {
      for (let next; (next = lookAlike(nameKey(like).normalize("NFKD"))) !== like;) like = next;
    }
    const isWanted = /^[a-z0-9.:_-]+$/.test(like) ||
      OF_OUR_SCRIPTS.test(character) && /^[\p{L}\p{M}\p{Nd}]+$/u.test(like);
    if (isWanted && like !== character.toLowerCase()) found.set(character, like);
  }
  return found;
}

/** Formats the table: in each line what characters look like, then their code points. */
function formatTable(lookAlikes: Map<string, string>): string {
  const groups = Map.groupBy(lookAlikes.keys(), (character) => lookAlikes.get(character)!);
  const lines: string[] = [];
  for (const like of [...groups.keys()].sort()) {
    // ASCII stands for itself; of other characters an editor may show nothing, or the whole line backwards
    const head = [...like].map((part) => part < "\x7f" ? part : `\\u{${hexOf(part)}}`).join("");
    let line = head;
    for (const character of groups.get(like)!) {
      const next = ` ${hexOf(character)}`;
      if (line.length + next.length > LINE_LENGTH) {
        lines.push(line);
        line = head;
      }
      line += next;
    }
    lines.push(line);
  }
  return lines.join("\n");
}

function hexOf(character: string): string {
  return character.codePointAt(0)!.toString(16);
}

if (import.meta.main) {
  const { prototypes, version } = readConfusables(await Deno.readTextFile(Deno.args[0]));
  await Deno.writeTextFile(
    new URL("../protocol/look_alike_table.ts", import.meta.url),
    `/**
 * Characters that look like others. scripts/look_alikes.ts has made this from confusables.txt of UTS #39, Unicode
 * ${version}.
 *
 * @module
 */

/** In each line what some characters look like, and the code points of these characters. */
export const LOOK_ALIKES = \`
${formatTable(findLookAlikes(prototypes))}
\`;
`,
  );
}
