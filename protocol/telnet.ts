/**
 * Finds the commands of Telnet in the bytes of a connection (RFC 854): `telnet` sends some for Ctrl-C, PuTTY when it
 * begins. Each begins with the byte 0xFF, which UTF-8 does not have.
 *
 * @module
 */

/** The byte that begins a command. */
export const COMMAND = 0xff;
/** The lowest command: RFC 1184, section 2.6, and RFC 885 add some to those of RFC 854. */
const FIRST_COMMAND = 236;
const SUBNEGOTIATION_END = 240, SUBNEGOTIATION = 250, WILL = 251, WONT = 252, DO = 253, DONT = 254;
const TIMING_MARK = 6;
/** How many bytes of a subnegotiation are dropped before its end: what comes then is text. */
const MAX_SUBNEGOTIATION_BYTES = 256;

/**
 * What answers the request for a timing mark, which has to be answered (RFC 860): that there is none. `telnet` sends the
 * request with Ctrl-C, and shows nothing until it has the answer.
 */
export const NO_TIMING_MARK: Uint8Array = Uint8Array.of(COMMAND, WONT, TIMING_MARK);

/** What a byte is: part of the text, part of a command, or what shows that the byte before it was part of one too. */
export type TelnetPart = "text" | "command" | "command with the byte before";

/** Tells for one byte after the other whether it is text. */
export class TelnetCommands {
  #before: "text" | "0xFF" | "verb" | "subnegotiation" | "0xFF in subnegotiation" = "text";
  #dropped = 0;
  #isRequest = false;
  /** Whether a timing mark was asked for since this was last set to false. */
  wantsTimingMark = false;

  read(byte: number): TelnetPart {
    const before = this.#before;
    this.#before = "text";
    switch (before) {
      case "text":
        if (byte === COMMAND) this.#before = "0xFF";
        return "text";
      case "0xFF":
        if (byte < FIRST_COMMAND || byte === COMMAND) return "text";
        if (byte === SUBNEGOTIATION) this.#before = "subnegotiation";
        else if (byte >= WILL && byte <= DONT) this.#before = "verb";
        this.#dropped = 0;
        this.#isRequest = byte === DO;
        return "command with the byte before";
      case "verb":
        if (this.#isRequest && byte === TIMING_MARK) this.wantsTimingMark = true;
        return isOption(byte) ? "command" : "text";
      default:
        if (before === "0xFF in subnegotiation" && byte === SUBNEGOTIATION_END) return "command";
        if (++this.#dropped === MAX_SUBNEGOTIATION_BYTES) return "command";
        this.#before = byte === COMMAND && before === "subnegotiation" ? "0xFF in subnegotiation" : "subnegotiation";
        return "command";
    }
  }
}

/**
 * Whether an option of Telnet has this number. If none has, what came before may be the beginning of UTF-16. Nobody uses
 * option 10 (RFC 652, historic), and a line feed must not be lost.
 */
function isOption(byte: number): boolean {
  return (byte < 50 && byte !== 10) || (byte >= 138 && byte <= 140);
}
