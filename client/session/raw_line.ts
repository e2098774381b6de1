/**
 * Marks lines that a classic server has forwarded and that begin like a line of this client, or of a server of version
 * 1: such a line has no sender in front, and anybody may have written it.
 *
 * @module
 */
import { skeleton } from "../../protocol/look_alikes.ts";

/** What such a line begins with. Nothing else on the screen begins like it: `| ` is for the rows of a long line. */
const MARK = "> ";
/** How much of a line is looked at, in UTF-16 units. */
const BEGINNING = 80;

/**
 * How lines begin that this client writes itself, its questions too, after the time that may stand in front. In a
 * skeleton a 0 is an o, and a 1 an l.
 */
const OWN =
  /^(?:[\dlo]{2}:[\dlo]{2}\s*)?(?:\[\s*server\s*\]|--(?!-)|!!(?!!)|<-(?!-)|\+>|\||name>|(?:new )?password|again:)/;

/** Characters that look like those of {@linkcode OWN} and are in no name. */
const SIGNS: [like: RegExp, sign: string][] = [
  [/[\p{Pd}\u2043\u2212\u2500\u2501\u30fc]/gu, "-"],
  [/[\u00a1\u01c3\u2755\u2757]/g, "!"],
  [/[\u02c2\u1438\u2039\u2329\u276e\u27e8\u3008]/g, "<"],
  [/[\u02c3\u1433\u203a\u232a\u276f\u27e9\u3009]/g, ">"],
  [/[\u2772\u27e6\u3010\u3014]/g, "["],
  [/[\u2773\u27e7\u3011\u3015]/g, "]"],
  [/[\u01c0\u2223\u2502\u2503\u2758]/g, "|"],
];

/** A printable line as it is shown: with a mark in front if it begins like a line that nobody else can write. */
export function markRawLine(line: string): string {
  let beginning = skeleton(line.replace(/^[\s\u2800]+/, "").slice(0, BEGINNING));
  for (const [like, sign] of SIGNS) beginning = beginning.replace(like, sign);
  return OWN.test(beginning) ? MARK + line : line;
}
