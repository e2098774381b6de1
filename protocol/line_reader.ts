/**
 * Cuts what arrives on a connection into lines of text.
 *
 * TCP keeps no borders between messages. Some chat programs end each message with a line feed, many with nothing: there
 * one `send` is one message, and a pause follows it. So a line feed ends a line, and so does silence.
 *
 * @module
 */

const LINE_FEED = 0x0a, CARRIAGE_RETURN = 0x0d;
/** The silence that ends a line, in milliseconds: longer than between the parts of one message, unseen by people. */
const SILENCE_MS = 20;
/** How long a character that was cut in two waits for its other half, in milliseconds: longer than TCP takes to repeat. */
const HALF_CHARACTER_MS = 1000;
/** The longest line in bytes: the longest datagram that the server takes. */
const MAX_LINE_BYTES = 4096;
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

  constructor({ feedsOnly = false }: {
    /** After a first line feed, only line feeds end a line. */
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
   * lines are left out. Bytes that are no UTF-8 become U+FFFD.
   *
   * @param now The time in milliseconds.
   */
  push(bytes: Uint8Array, now: number): string[] {
    const lines: string[] = [];
    this.#heardAt = now;
    for (const byte of bytes) {
      if (byte === LINE_FEED) {
        this.#hasFed = true;
        this.#cut(this.#length, lines);
      } else if (byte !== CARRIAGE_RETURN && byte !== 0) {
        this.#append(byte);
        if (this.#length === MAX_LINE_BYTES) this.#cut(this.#length - this.#halfCharacter(), lines);
      }
    }
    return lines;
  }

  /** When {@linkcode wake} is to be called, in milliseconds; undefined for never. */
  get nextWake(): number | undefined {
    if (this.#length === 0 || (this.#feedsOnly && this.#hasFed)) return undefined;
    return this.#heardAt + (this.#halfCharacter() > 0 ? HALF_CHARACTER_MS : SILENCE_MS);
  }

  /** Returns what has been silent for 20 ms, as a line. If it ends in half a character, it waits for the other half. */
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

  /** How many bytes at the end are the beginning of a character whose other bytes are missing (RFC 3629, section 3). */
  #halfCharacter(): number {
    for (let count = 1; count <= Math.min(3, this.#length); count++) {
      const byte = this.#bytes[this.#length - count];
      if (byte >= 0xc2 && byte <= 0xf4) return (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) > count ? count : 0;
      if ((byte & 0xc0) !== 0x80) return 0;
    }
    return 0;
  }
}
