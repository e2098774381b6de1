/**
 * Wraps lines at the width of a terminal, so that no text imitates a line of its own.
 *
 * A terminal continues a long line in its first column. There a text with enough blanks before it would look like the
 * message of another member, or like the prompt. So the client breaks long lines itself, and begins each further row
 * with a mark. A terminal that is made narrower later may break these rows once more, without a mark.
 *
 * @module
 */

/** What each row of a line but the first begins with. No line of the client and no prompt begins like it. */
const MARK = "| ";
/** What stands for the rest of a text that is cut; some terminals draw it in two cells. */
const CUT = "…";
const CUT_CELLS = 2;
/** The smallest width to wrap at, in cells: room for the mark and one wide character. */
const MIN_WIDTH = MARK.length + 2;

/**
 * Characters of two cells: those with an East_Asian_Width of W or F (UAX #11, Unicode 17), and all that may be shown as
 * an emoji. Where nearly all of a block are wide, the whole block is here.
 */
const WIDE = new RegExp(
  "[\\u1100-\\u115f\\u2329\\u232a\\u2630-\\u2637\\u268a-\\u268f\\u2e80-\\ua4cf\\ua960-\\ua97f\\uac00-\\ud7a3" +
    "\\uf900-\\ufaff\\ufe10-\\ufe1f\\ufe30-\\ufe6f\\uff00-\\uff60\\uffe0-\\uffe6\\u{16fe0}-\\u{18dff}" +
    "\\u{1aff0}-\\u{1b2ff}\\u{1d300}-\\u{1d37f}\\u{1f000}-\\u{1ffff}\\u{20000}-\\u{3ffff}\\p{Extended_Pictographic}]",
  "u",
);
/** Marks that are drawn over the character before them. U+FE0F is not one here: it may make that character wide. */
const ZERO_WIDTH = /(?!\ufe0f)[\p{Mn}\p{Me}]/u;
/** Splits a text at the escape sequences of its colours, and keeps them. It has no other control characters. */
const COLOURS = /(\p{Cc}\[[\d;]*m)/u;

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * How many cells a text takes on a terminal, at most: terminals differ, and a row that is too long would be broken by
 * the terminal.
 */
export function cellsOf(text: string): number {
  let cells = 0;
  for (const character of text) cells += WIDE.test(character) ? 2 : ZERO_WIDTH.test(character) ? 0 : 1;
  return cells;
}

/** Cuts a text without colours to so many cells, the mark included that says so. */
export function cutToCells(text: string, cells: number): string {
  if (cellsOf(text) <= cells) return text;
  let kept = "", left = cells - CUT_CELLS;
  for (const piece of piecesOf(text, cells)) {
    left -= cellsOf(piece);
    if (left < 0) break;
    kept += piece;
  }
  return cells >= CUT_CELLS ? `${kept}${CUT}` : "";
}

/** Wraps each line of a text at the width of a terminal, at a blank where there is one in the second half of a row. */
export function wrap(text: string, columns: number): string {
  // some terminals go on to the next row as soon as the last cell is filled
  const width = Math.max(columns - 1, MIN_WIDTH);
  return text.split("\n").map((line) => wrapLine(line, width)).join("\n");
}

function wrapLine(line: string, width: number): string {
  // no UTF-16 unit takes more than two cells
  if (2 * line.length <= width) return line;
  let rows = "", row = "", cells = 0;
  /** Where the row may be broken: behind its last blank. */
  let blankEnd = 0, cellsToBlank = 0;
  for (const [i, part] of line.split(COLOURS).entries()) {
    if (i % 2 === 1) {
      row += part;
      continue;
    }
    for (const piece of piecesOf(part, width - MARK.length)) {
      const more = cellsOf(piece);
      if (cells + more > width) {
        const fits = MARK.length + cells - cellsToBlank + more <= width;
        if (!fits || cellsToBlank <= width / 2) [blankEnd, cellsToBlank] = [row.length, cells];
        rows += `${row.slice(0, blankEnd)}\n`;
        row = MARK + row.slice(blankEnd);
        cells += MARK.length - cellsToBlank;
        blankEnd = cellsToBlank = 0;
      }
      row += piece;
      cells += more;
      if (piece === " ") [blankEnd, cellsToBlank] = [row.length, cells];
    }
  }
  return rows + row;
}

/** The grapheme clusters of a text; of one that takes more than `cells` cells, the code points. */
function* piecesOf(text: string, cells: number): Generator<string> {
  for (const { segment } of graphemes.segment(text)) {
    if (cellsOf(segment) <= cells) yield segment;
    else yield* segment;
  }
}
