/**
 * Lines that stand above the line that is being typed, and are drawn again and again in the same place.
 *
 * It only says what to write: the screen knows where the cursor is.
 *
 * @module
 */
import { cellsOf, cutToCells } from "./wrapping.ts";

/** ECMA-48, section 8.3; DECSC and DECRC keep the place of the cursor, as on each terminal since the VT100. */
const SAVE_CURSOR = "\x1b7", RESTORE_CURSOR = "\x1b8", CLEAR_BEHIND = "\x1b[K";
/**
 * DECAWM: a terminal may be narrower already before it tells that, and a line that it breaks would cover what is typed,
 * or push all rows up.
 */
const NO_WRAP = "\x1b[?7l", WRAP = "\x1b[?7h";

/** How much there is for them: the columns of the terminal, and the rows that are left. */
export interface Space {
  columns: number;
  rows: number;
}

/** The lines, and what of them is on the screen. */
export class StatusLines {
  #wanted: readonly string[] = [];
  #drawn: readonly string[] = [];

  /** Takes the lines that are to be there from now on. They have no colours and no control characters. */
  set(lines: readonly string[]): void {
    this.#wanted = lines;
  }

  /** What is on the screen. To be kept while it is not certain that a terminal takes what is written to it. */
  get drawn(): readonly string[] {
    return this.#drawn;
  }

  /** Notes what is on the screen: nothing, after it was cleared. */
  set drawn(lines: readonly string[]) {
    this.#drawn = lines;
  }

  /**
   * The rows that they take on the screen. A terminal that was made narrower has broken them; xterm has cut them, and
   * there a line above is lost.
   */
  rows(columns: number): number {
    return this.#drawn.reduce((rows, line) => rows + Math.max(1, Math.ceil(cellsOf(line) / columns)), 0);
  }

  /** Whether what is on the screen is what is wanted there. */
  isCurrent(space: Space): boolean {
    return equals(this.#drawn, this.#fitting(space));
  }

  /** Draws all of them from where the cursor is, and leaves it in the row below. Returns what to write. */
  draw(space: Space): string {
    this.#drawn = this.#fitting(space);
    return this.#drawn.map((line) => `${line}\n`).join("");
  }

  /**
   * Draws those again that have changed, and leaves the cursor where it is. Returns what to write; undefined if there
   * are more or fewer of them, so that what is below has to move.
   *
   * @param below The rows between the last of them and the cursor.
   */
  redraw(space: Space, below: number): string | undefined {
    const fitting = this.#fitting(space), rows = this.#drawn.length;
    if (fitting.length !== rows || this.rows(space.columns) !== rows) return undefined;
    let text = "";
    for (const [i, line] of fitting.entries()) {
      if (line !== this.#drawn[i]) {
        text += `${SAVE_CURSOR}\x1b[${below + rows - i}A\r${line}${CLEAR_BEHIND}${RESTORE_CURSOR}`;
      }
    }
    this.#drawn = fitting;
    return text && `${NO_WRAP}${text}${WRAP}`;
  }

  /** The lines as there is room for them: some terminals go on to the next row as soon as the last cell is filled. */
  #fitting({ columns, rows }: Space): string[] {
    return this.#wanted.slice(0, Math.max(rows, 0)).map((line) => cutToCells(line, columns - 1));
  }
}

function equals(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((line, i) => line === others[i]);
}
