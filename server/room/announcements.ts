/**
 * What the server says to everybody: its own words, and who has done what to keep order.
 *
 * @module
 */
import { MAX_TEXT_BYTES } from "../../protocol.ts";
import { markedPieces } from "../../protocol/lines.ts";
import { printable } from "../../protocol/text.ts";
import { byteLength } from "../../protocol/utf8.ts";
import type { NewEvent } from "../journal/journal.ts";
import { nameOf } from "./members.ts";
import { type OrderCommand, TOLD } from "./orders.ts";

/** What announcements need of the room. */
export interface AnnouncementsContext {
  /** Appends an event to the journal. */
  publish: (event: NewEvent, now: number) => void;
  /** Prints a line on the server's terminal. */
  tellTerminal: (line: string) => void;
  /** The time that is shown to people, in Unix milliseconds. */
  time: (now: number) => number;
}

/** Says things in the server's name. */
export class Announcements {
  readonly #context: AnnouncementsContext;
  readonly commands: readonly OrderCommand[] = [{
    word: "say",
    parameters: ["TEXT"],
    summary: "says it to everybody, in the server's name",
    run: (giver, now, text) => {
      this.tell(text, now, giver ? `${nameOf(giver)} says: ` : "");
      return TOLD;
    },
  }];

  constructor(context: AnnouncementsContext) {
    this.#context = context;
  }

  /**
   * Tells everybody, and the server's terminal. A text that is too long for one event becomes several, and no piece
   * looks like a notice of its own.
   *
   * @param author Stands in front of each piece: whose words they are.
   */
  tell(text: string, now: number, author = ""): void {
    const { publish, tellTerminal, time } = this.#context;
    tellTerminal(`[Server] ${author}${printable(text)}`);
    for (const piece of markedPieces(printable(text), MAX_TEXT_BYTES - byteLength(author))) {
      publish({ type: "NOTICE", at: time(now), text: author + piece }, now);
    }
  }
}
