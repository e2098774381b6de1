/**
 * The `key=value` fields of version 1: how numbers, tokens, addresses and names are written in a datagram.
 *
 * @module
 */
import { toHex } from "./bytes.ts";
import { isIPv4, isIPv6 } from "./ip_address.ts";
import { readName } from "./names.ts";

/** A range of numbers, both ends included. */
export interface NumberRange {
  from: number;
  to: number;
}

/** Writes one kind of value as text, and reads it back from any text. */
export interface Field<T> {
  write(value: T): string;
  /** The value, or undefined when the text is not valid. */
  read(text: string): T | undefined;
  /** What a valid text looks like, in words. */
  form: string;
  optional?: boolean;
}

/** A network address and port. */
export interface Endpoint {
  hostname: string;
  port: number;
}

/** The same field, but a packet may lack it. */
export function optional<T>(field: Field<T>): Field<T> {
  return { ...field, optional: true };
}

/** A whole number from 0 to 2^53 - 1, the largest number up to which a double is exact. */
export const number: Field<number> = {
  write: String,
  form: "a whole number without zeros in front",
  read(text) {
    if (!/^(0|[1-9][0-9]{0,15})$/.test(text)) return undefined;
    const value = Number(text);
    return Number.isSafeInteger(value) ? value : undefined;
  },
};

/** A whole number from 0 to `most`. */
export function numberUpTo(most: number): Field<number> {
  return { ...numberBetween(0, most), form: `a whole number without zeros in front, at most ${most}` };
}

/** A whole number from `least` to `most`. */
export function numberBetween(least: number, most: number): Field<number> {
  return {
    write: String,
    form: `a whole number from ${least} to ${most}, without zeros in front`,
    read(text) {
      const value = number.read(text);
      return value !== undefined && value >= least && value <= most ? value : undefined;
    },
  };
}

/** Ranges of numbers, the greatest first: `12-40,7`. They neither touch nor overlap. */
export function ranges(most: number): Field<NumberRange[]> {
  return {
    write: (ranges) => ranges.map(({ from, to }) => from === to ? `${to}` : `${from}-${to}`).join(","),
    form: `at most ${most} ranges like 12-40,7, the greatest first`,
    read(text) {
      // a whole header has less, but this is called with any text
      const parts = text.length <= most * MAX_RANGE_CHARACTERS ? text.split(",") : [];
      const read = parts.map(readRange);
      const isOrdered = read.every((range, i) => range && (i === 0 || range.to + 1 < (read[i - 1]?.from ?? 0)));
      return read.length > 0 && read.length <= most && isOrdered ? read as NumberRange[] : undefined;
    },
  };
}

/** Two numbers of 16 digits, what is between them, and a comma. */
const MAX_RANGE_CHARACTERS = 34;

function readRange(text: string): NumberRange | undefined {
  const [first, second, ...others] = text.split("-"), from = number.read(first);
  const to = second === undefined ? from : number.read(second);
  // a range of one is written as one number
  if (from === undefined || to === undefined || others.length > 0) return undefined;
  return second === undefined || from < to ? { from, to } : undefined;
}

/** True, written as 1; false is not written at all. */
export const flag: Field<boolean> = {
  write: () => "1",
  form: "1, or left out",
  read: (text) => text === "1" ? true : undefined,
};

/** 64 bits as 16 hexadecimal digits: tokens, cookies, epochs, streams. */
export const hex64: Field<string> = matching(/^[0-9a-f]{16}$/, "16 digits of 0-9 and a-f");

/** 128 bits as 32 hexadecimal digits: the digest of the line. */
export const hex128: Field<string> = matching(/^[0-9a-f]{32}$/, "32 digits of 0-9 and a-f");

/** 256 bits as 64 hexadecimal digits: keys, proofs and signatures. */
export const hex256: Field<string> = matching(/^[0-9a-f]{64}$/, "64 digits of 0-9 and a-f");

/** Some bytes, as twice as many hexadecimal digits. */
export function hexBytes(length: number): Field<string> {
  return matching(new RegExp(`^[0-9a-f]{${2 * length}}$`), `${2 * length} digits of 0-9 and a-f`);
}

/** A short word of lower-case letters and hyphens: the code of an error. */
export const word: Field<string> = matching(/^[a-z][a-z-]{0,31}$/, "up to 32 small letters and hyphens");

/** A member's name, in Unicode NFC. It may have letters of a later version of Unicode than this program's. */
export const name: Field<string> = {
  write: (text) => text,
  read: (text) => readName(text),
  form: "1 to 32 letters, digits, _ - .",
};

/** `127.0.0.1:9090` or `[::1]:9090`. */
export const address: Field<string> = {
  write: (text) => text,
  read: (text) => parseAddress(text) && text,
  form: "an IP address, a colon and a port",
};

function matching(pattern: RegExp, form: string): Field<string> {
  return { write: (text) => text, read: (text) => pattern.test(text) ? text : undefined, form };
}

/** 64 random bits as 16 hexadecimal digits. */
export function randomHex64(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(8)));
}

const ADDRESS = /^(?:(\d{1,3}(?:\.\d{1,3}){3})|\[([0-9a-f:.]{2,45}(?:%[\w.-]{1,15})?)\]):([1-9]\d{0,4})$/;

/** The two parts of an address like `127.0.0.1:9090` or `[::1]:9090`, or undefined when the text is not valid. */
export function parseAddress(text: string): Endpoint | undefined {
  const [, ipv4, ipv6, digits] = ADDRESS.exec(text) ?? [];
  const port = Number(digits);
  if (!(port <= 65535)) return undefined;
  if (!(ipv4 === undefined ? isIPv6(ipv6) : isIPv4(ipv4))) return undefined;
  return { hostname: ipv4 ?? ipv6, port };
}

/**
 * The two parts of an address that was checked before.
 *
 * @throws {RangeError} if the text is no address, which is a bug of the caller.
 */
export function splitAddress(text: string): Endpoint {
  const endpoint = parseAddress(text);
  if (!endpoint) throw new RangeError(`'${text}' is no address`);
  return endpoint;
}

/** An address as the protocol writes it; an IPv4 peer of an IPv6 socket (`::ffff:10.0.0.1`) is written as IPv4. */
export function formatAddress({ hostname, port }: Endpoint): string {
  if (hostname.startsWith("::ffff:") && hostname.includes(".")) hostname = hostname.slice(7);
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** A key that may stand in a reason: it is short, and no part of a text or of a secret. */
const SPELT_KEY = /^[A-Za-z_-]{1,12}$/;

/**
 * Parses the `key=value` pairs of a header and sets their values in a packet; returns why they are refused if they are.
 * Keys that are not in `fields` are passed over, so that a later version can add some. A reason tells no value: it may be
 * a secret.
 *
 * @param at The index behind the first word.
 */
export function parseFields(
  header: string,
  at: number,
  fields: Record<string, Field<unknown>>,
  packet: Record<string, unknown>,
): string | undefined {
  let last: string | undefined, hasSum = false, unknown: Set<string> | undefined;
  for (let end; at < header.length; at = end) {
    const start = at + 1;
    end = header.indexOf(" ", start);
    if (end < 0) end = header.length;
    if (start === end) continue;
    const equals = header.indexOf("=", start);
    if (equals <= start || equals > end) return `the field behind ${spelt(last)} is not key=value`;
    const key = last = header.slice(start, equals);
    if (Object.hasOwn(fields, key)) {
      if (Object.hasOwn(packet, key)) return `the field ${key} stands twice`;
      const value = fields[key].read(header.slice(equals + 1, end));
      if (value === undefined) return `the field ${key} is malformed: it has to be ${fields[key].form}`;
      packet[key] = value;
      continue;
    }
    // most packets have this one and no other that is not known
    if (key === "sum" ? hasSum : unknown?.has(key)) return "a field stands twice";
    if (key === "sum") hasSum = true;
    else (unknown ??= new Set()).add(key);
  }
  for (const key in fields) {
    if (!fields[key].optional && !Object.hasOwn(packet, key)) {
      const others = [...unknown ?? []].filter((other) => SPELT_KEY.test(other));
      const found = others.length === 0 ? "" : `nothing is known of ${others.slice(0, 3).join(", ")}, and `;
      return `${found}the field ${key} is missing`;
    }
  }
}

/** The last key that was read, for a reason: whoever reads it finds the place by it. */
function spelt(key: string | undefined): string {
  return key === undefined ? "the type" : SPELT_KEY.test(key) ? key : "another";
}
