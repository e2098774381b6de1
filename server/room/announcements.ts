/**
 * What the server says to everybody: its own words, and who has done what to keep order.
 *
 * @module
 */
import { MAX_TEXT_BYTES } from "../../protocol.ts";
import { printable, splitText } from "../../protocol/text.ts";
import type { NewEvent } from "../journal/journal.ts";
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
      this.tell(giver ? `${giver.name ?? giver.address} says: ${text}` : text, now);
      return TOLD;
    },
  }];

  constructor(context: AnnouncementsContext) {
    this.#context = context;
  }

  /** Tells everybody, and the server's terminal; a text that is too long for one event becomes several. */
  tell(text: string, now: number): void {
    const { publish, tellTerminal, time } = this.#context;
    tellTerminal(`[Server] ${printable(text)}`);
    for (const piece of splitText(printable(text), MAX_TEXT_BYTES)) {
      publish({ type: "NOTICE", at: time(now), text: piece }, now);
    }
  }
}
