/**
 * What the server says on its terminal: who comes and goes, and what went wrong. A full disk or a terminal that is gone
 * takes the lines, not the room.
 *
 * @module
 */
import { parseAddress } from "../protocol/fields.ts";
import { pluralize, printable } from "../protocol/text.ts";
import type { DeliveryStatistics } from "./doors/udp_delivery.ts";
import type { Departure, MemberObserver } from "./room/admission.ts";
import type { Room } from "./room/room.ts";

/** Prints a line, or nothing where it can't be written. */
export function print(line: string): void {
  attempt(console.log, line);
}

const DEPARTURES = {
  goodbye: "left",
  silence: "fell silent",
  taken: "was replaced by another at its address",
} as const satisfies Record<Exclude<Departure, "upgrade">, string>;

/** Says who comes and goes. */
export function presenceLog(print: (line: string) => void): MemberObserver {
  return {
    joined: ({ address, name, since }) =>
      print(`Client ${tuple(address)} connected at ${time(1000 * since)}${signedIn(name)}`),
    left({ address, name }, how) {
      if (how === "upgrade") return;
      // the clock of the day, also where it was set while the server ran
      print(`Client ${tuple(address)} ${DEPARTURES[how]} at ${time(Date.now())}${signedIn(name)}`);
    },
  };
}

/**
 * Who has joined and what was sent, in a line.
 *
 * @param inboundDrops How many datagrams the system has dropped before they were read.
 */
export function formatSummary(
  { size, statistics: { joined, messages, ignored } }: Room,
  { sent }: DeliveryStatistics,
  inboundDrops: number,
): string {
  return `${pluralize(joined, "member")} joined, ${size} here, ${pluralize(messages, "message")} in, ` +
    `${pluralize(sent, "datagram")} out, ${ignored} ignored` +
    (inboundDrops > 0 ? `, ${pluralize(inboundDrops, "datagram")} too many for the system` : "");
}

function signedIn(name: string | undefined): string {
  return name === undefined ? "" : ` as ${name}`;
}

function tuple(address: string): string {
  const { hostname, port } = parseAddress(address)!;
  return `(${hostname}, ${port})`;
}

function time(at: number): string {
  return new Date(at).toLocaleString("sv-SE");
}

/** How long it takes at least from one line about mishaps to the next, in milliseconds. */
const MISHAP_PAUSE_MS = 1000;

/** Exceptions that are bugs of ours, and not worth ending the room: the first is told, a flood of them is counted. */
export class BugLog {
  readonly #print: (line: string) => void;
  #toldAt = -Infinity;
  #untold = 0;

  constructor(print: (line: string) => void = (line) => attempt(console.error, line)) {
    this.#print = print;
  }

  /** @param now In milliseconds. */
  note(error: unknown, now: number): void {
    if (now < this.#toldAt + MISHAP_PAUSE_MS) {
      this.#untold++;
      return;
    }
    const more = this.#untold > 0 ? ` (and ${this.#untold} more before)` : "";
    this.#print(`Ignored: ${printable(String(error))}, a bug of this server${more}`);
    this.#toldAt = now;
    this.#untold = 0;
  }
}

function attempt(print: (line: string) => void, line: string): void {
  try {
    print(line);
  } catch {
    // the disk is full, the pipe is closed, the terminal is gone
  }
}
