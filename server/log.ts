/**
 * The lines that the server prints: who joins and leaves, what was sent, and what went wrong. If a line can't be
 * written (the disk is full, the terminal is gone or stopped), it is lost, and the room goes on.
 *
 * @module
 */
import { splitAddress } from "../protocol/fields.ts";
import { pluralize, printable } from "../protocol/text.ts";
import { stderr, stdout } from "../runtime/output.ts";
import type { DoorStatistics } from "./doors/door.ts";
import type { Departure, MemberObserver } from "./room/admission.ts";
import type { IgnoreReason } from "./room/ignored.ts";
import type { Room } from "./room/room.ts";

/** Prints a line, without waiting until it is written; does nothing if it can't be written. */
export function print(line: string): void {
  stdout.print(line);
}

const DEPARTURES = {
  goodbye: "left",
  silence: "fell silent",
  disconnect: "hung up",
  taken: "was replaced by another at its address",
  refused: "was refused",
  expelled: "was told to go",
} as const satisfies Record<Exclude<Departure, "upgrade">, string>;

/** Returns an observer that prints a line for each member that joins, changes its name or leaves. */
export function presenceLog(print: (line: string) => void): MemberObserver {
  return {
    joined({ address, name, since, dialect }) {
      const how = dialect === "line" ? " by TCP" : "";
      print(`Client ${tuple(address)} connected at ${time(1000 * since)}${how}${signedIn(name)}`);
    },
    changed({ address, name }, before) {
      if (name === before) return;
      const how = name === undefined ? "has lost its name" : before === undefined ? "signed in" : "has another name";
      print(
        `Client ${tuple(address)} ${how} at ${time(Date.now())}${signedIn(name)}${before ? `, before ${before}` : ""}`,
      );
    },
    left({ address, name }, how) {
      if (how === "upgrade") return;
      // Date.now() follows when the system's time is set while the server runs; the program's clock does not
      print(`Client ${tuple(address)} ${DEPARTURES[how]} at ${time(Date.now())}${signedIn(name)}`);
    },
  };
}

/** What is said of datagrams behind their number. */
const IGNORED: Record<IgnoreReason, string> = {
  "no-packet": "unreadable (an unknown word, a wrong field or sum, no text, or too long)",
  "not-for-server": "of kinds that only a server sends",
  "not-joined": "from clients that have not joined",
  "classic-at-v1": "classic, from clients that speak version 1",
  "refused-classic": "classic, from clients that may not speak it",
  "kept-out": "from whoever was kicked or banned, or when the room was locked",
  "said-again": "without MESSAGE that say the same at once again",
  "no-goodbye": "with a goodbye in classic, which has none",
  "fast-messages": "with messages faster than --rate",
  "muted": "with messages of classic members that are muted",
  "fast-lines": "by TCP, because somebody said more than the room takes",
  "fast-sign-ins": "that ask for names too often",
  "fast-requests": "that ask for too much else",
  "fast-files": "of files, faster than --relay-rate",
  "no-relay": "with private messages, which this server does not pass on",
  "too-short": "too short to be answered",
  "room-full": "when the room was full",
  "queue-full": "when a queue was full",
  "flood": "in a flood from strangers",
};

/**
 * Returns who has joined and what was sent, as one line of text; and, if there were any, the datagrams that were ignored
 * or lost, and why.
 *
 * @param statistics What was sent: `lines` of it over connections.
 * @param inboundDrops How many datagrams the system has dropped before they were read.
 * @param notShown How many lines were not printed because nobody has read the output.
 */
export function formatSummary(
  { size, lineSize, statistics: { joined, messages, ignored } }: Pick<Room, "size" | "lineSize" | "statistics">,
  { sent, lines = 0, failed, dropped }: DoorStatistics & { lines?: number },
  inboundDrops: number,
  notShown: number = stdout.dropped + stderr.dropped,
): string {
  const reasons = Object.keys(IGNORED) as IgnoreReason[];
  return `${pluralize(joined, "member")} joined, ${size} here${lineSize > 0 ? ` (${lineSize} by TCP)` : ""}, ` +
    `${pluralize(messages, "message")} in, ` +
    `${pluralize(sent - lines, "datagram")}${lines > 0 ? ` and ${pluralize(lines, "line")}` : ""} out` +
    formatCounts("ignored", reasons.map((reason) => [ignored[reason], IGNORED[reason]])) +
    formatCounts("lost", [
      [inboundDrops, "too many for the system"],
      [dropped, "when a queue was full"],
      [failed, "that could not be sent"],
    ]) +
    (notShown > 0 ? `; ${pluralize(notShown, "line")} not shown` : "");
}

function formatCounts(what: string, counts: [count: number, why: string][]): string {
  const texts = counts.filter(([count]) => count > 0).map(([count, why]) => `${count} ${why}`);
  return texts.length === 0 ? "" : `; ${what}: ${texts.join(", ")}`;
}

function signedIn(name: string | undefined): string {
  return name === undefined ? "" : ` as ${name}`;
}

function tuple(address: string): string {
  const { hostname, port } = splitAddress(address);
  return `(${hostname}, ${port})`;
}

function time(at: number): string {
  return new Date(at).toLocaleString("sv-SE");
}

/** The shortest time from one line about bugs to the next, in milliseconds. */
const BUG_LINE_PAUSE_MS = 1000;

/**
 * Logs exceptions that are bugs of the server, and that do not end the room. It prints the first one, and only counts
 * those that follow within a second.
 */
export class BugLog {
  readonly #print: (line: string) => void;
  #printedAt = -Infinity;
  #unprinted = 0;

  constructor(print: (line: string) => void = (line) => stderr.print(line)) {
    this.#print = print;
  }

  /** @param now The time in milliseconds. */
  note(error: unknown, now: number): void {
    if (now < this.#printedAt + BUG_LINE_PAUSE_MS) {
      this.#unprinted++;
      return;
    }
    const more = this.#unprinted > 0 ? ` (and ${this.#unprinted} more before)` : "";
    this.#print(`Ignored: ${printable(String(error))}, a bug of this server${more}`);
    this.#printedAt = now;
    this.#unprinted = 0;
  }
}
