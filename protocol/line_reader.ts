/**
 * Cuts what arrives on a connection into lines of text.
 *
 * TCP keeps no borders between messages. Some chat programs end each message with a line feed, many with nothing: there
 * one `send` is one message, and a pause follows it. So a line feed ends a line, and so does silence. Some terminals send
 * each character when it is typed: there the silence has to be longer.
 *
 * @module
 */
import { MAX_CLASSIC_BYTES } from "./packets.ts";
import { COMMAND, NO_TIMING_MARK, TelnetCommands } from "./telnet.ts";

const LINE_FEED = 0x0a, CARRIAGE_RETURN = 0x0d;
/** The silence that ends a line, in milliseconds: longer than between the parts of one message, unseen by people. */
const SILENCE_MS = 20;
/** The silence that ends a line that is typed character by character, in milliseconds. */
const TYPING_MS = 2000;
/** How long a character that was cut in two waits for its other half, in milliseconds: longer than TCP takes to repeat. */
const HALF_CHARACTER_MS = 1000;
/** The memory that is kept from one line to the next, in bytes. */
const KEPT_BYTES = 256;

const decoder = new TextDecoder();

/** Cuts the bytes of a connection into lines of text. Sans-I/O. */
export class LineReader {
  readonly #feedsOnly: boolean;
  #bytes: Uint8Array = new Uint8Array(0);
  #length = 0;
  #heardAt = 0;
  #hasFed = false;
  /** How many characters of the line were typed one by one; 0 when it is not typed. */
  #typed = 0;
  readonly #telnet = new TelnetCommands();

  constructor({ feedsOnly = false }: {
    /** After a first line feed, only line feeds end a line. Before, characters that come one by one wait for it. */
    feedsOnly?: boolean;
  } = {}) {
    this.#feedsOnly = feedsOnly;
  }

  /** Whether a line feed has arrived. */
  get hasFed(): boolean {
    return this.#hasFed;
  }

  /**
   * Adds bytes that have arrived, and copies them; returns the lines that are complete now, without their ends. Empty
   * lines are left out. Commands of Telnet are dropped; other bytes that are no UTF-8 become U+FFFD.
   *
   * @param now The time in milliseconds.
   * @param isTyped Whether the bytes came one character at a time.
   */
  push(bytes: Uint8Array, now: number, isTyped = isOneCharacter(bytes)): string[] {
    const lines: string[] = [];
    if (this.#feedsOnly && !this.#hasFed) this.#noteTyping(bytes, now, isTyped, lines);
    this.#heardAt = now;
    for (const byte of bytes) {
      const part = this.#telnet.read(byte);
      if (part === "command with the byte before") this.#takeBack(COMMAND);
      if (part !== "text") continue;
      if (byte === LINE_FEED) {
        this.#hasFed = true;
        this.#typed = 0;
        this.#cut(this.#length, lines);
      } else if (byte === CARRIAGE_RETURN && this.#typed > 0) {
        // some terminals send nothing else for Enter
        this.#cut(this.#length, lines);
      } else if (byte !== CARRIAGE_RETURN && byte !== 0) {
        this.#append(byte);
        if (this.#length === MAX_CLASSIC_BYTES) this.#cut(this.#length - this.#halfCharacter(), lines);
      }
    }
    return lines;
  }

  /** Returns what has to be answered to a command of Telnet that came since the last call; undefined for nothing. */
  takeAnswer(): Uint8Array | undefined {
    if (!this.#telnet.wantsTimingMark) return undefined;
    this.#telnet.wantsTimingMark = false;
    return NO_TIMING_MARK;
  }

  /** When {@linkcode wake} is to be called, in milliseconds; undefined for never. */
  get nextWake(): number | undefined {
    if (this.#length === 0 || (this.#feedsOnly && this.#hasFed)) return undefined;
    if (this.#typed > 0) return this.#heardAt + TYPING_MS;
    return this.#heardAt + (this.#halfCharacter() > 0 ? HALF_CHARACTER_MS : SILENCE_MS);
  }

  /**
   * Returns what has been silent for 20 ms, as a line; for 2 s, if it was typed character by character. If it ends in half
   * a character, it waits for the other half.
   */
  wake(now: number): string[] {
    const { nextWake } = this;
    return nextWake === undefined || now < nextWake ? [] : this.end();
  }

  /** Returns what is left at the end of the connection. */
  end(): string[] {
    const lines: string[] = [];
    this.#cut(this.#length, lines);
    return lines;
  }

  /** Finds out whether the line is typed character by character. People need more than 20 ms from one to the next. */
  #noteTyping(bytes: Uint8Array, now: number, isTyped: boolean, lines: string[]): void {
    if (this.#length === 0) {
      this.#typed = isTyped ? 1 : 0;
    } else if (this.#typed > 0 && !bytes.some((byte) => isEnter(byte) || byte === COMMAND)) {
      const isLate = now >= this.#heardAt + SILENCE_MS;
      if (isTyped && (isLate || this.#typed > 1)) {
        this.#typed++;
      } else {
        // a program, after all, and its single character was a message if nothing followed at once
        if (isLate) this.#cut(this.#length, lines);
        this.#typed = 0;
      }
    }
  }

  /** Takes the last byte back, unless it belongs to a line that has ended. */
  #takeBack(byte: number): void {
    if (this.#length > 0 && this.#bytes[this.#length - 1] === byte) this.#length--;
  }

  #append(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const longer = new Uint8Array(Math.max(KEPT_BYTES, 2 * this.#length));
      longer.set(this.#bytes);
      this.#bytes = longer;
    }
    this.#bytes[this.#length++] = byte;
  }

  /** Takes the first `end` bytes as a line. */
  #cut(end: number, lines: string[]): void {
    if (end > 0) {
      const line = decoder.decode(this.#bytes.subarray(0, end));
      // a byte order mark alone is an empty line too
      if (line !== "") lines.push(line);
    }
    const rest = this.#bytes.subarray(end, this.#length);
    // a long line must not keep its memory, since there are many connections
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = new Uint8Array(KEPT_BYTES);
    this.#bytes.set(rest);
    this.#length = rest.length;
  }

  /**
   * How many bytes at the end are the beginning of a character whose other bytes are missing (RFC 3629, section 3), or of
   * a command of Telnet.
   */
  #halfCharacter(): number {
    if (this.#length > 0 && this.#bytes[this.#length - 1] === COMMAND) return 1;
    for (let count = 1; count <= Math.min(3, this.#length); count++) {
      const byte = this.#bytes[this.#length - count];
      if (byte >= 0xc2 && byte <= 0xf4) return (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) > count ? count : 0;
      if ((byte & 0xc0) !== 0x80) return 0;
    }
    return 0;
  }
}

/** Whether bytes are one character of UTF-8 alone, as far as their form shows it. */
export function isOneCharacter(bytes: Uint8Array): boolean {
  const [first] = bytes;
  if (bytes.length === 1) return !isEnter(first) && first !== 0 && first !== COMMAND;
  return first >= 0xc2 && bytes.subarray(1).every((byte) => (byte & 0xc0) === 0x80);
}

function isEnter(byte: number): boolean {
  return byte === LINE_FEED || byte === CARRIAGE_RETURN;
}
