/**
 * The `key=value` fields of version 1: how numbers, tokens, addresses and names are written in a datagram.
 *
 * @module
 */
import { isIPv4, isIPv6 } from "./ip_address.ts";
import { readName } from "./names.ts";

/** Writes one kind of value as text, and reads it back from any text. */
export interface Field<T> {
  write(value: T): string;
  /** The value, or undefined when the text is not valid. */
  read(text: string): T | undefined;
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
  read(text) {
    if (!/^(0|[1-9][0-9]{0,15})$/.test(text)) return undefined;
    const value = Number(text);
    return Number.isSafeInteger(value) ? value : undefined;
  },
};

/** True, written as 1; false is not written at all. */
export const flag: Field<boolean> = {
  write: () => "1",
  read: (text) => text === "1" ? true : undefined,
};

/** 64 bits as 16 hexadecimal digits: tokens, cookies, epochs, streams. */
export const hex64: Field<string> = matching(/^[0-9a-f]{16}$/);

/** 128 bits as 32 hexadecimal digits: the digest of the line. */
export const hex128: Field<string> = matching(/^[0-9a-f]{32}$/);

/** A short word of lower-case letters and hyphens: the code of an error. */
export const word: Field<string> = matching(/^[a-z][a-z-]{0,31}$/);

/** A member's name, in Unicode NFC. It may have letters of a later version of Unicode than this program's. */
export const name: Field<string> = { write: (text) => text, read: (text) => readName(text) };

/** `127.0.0.1:9090` or `[::1]:9090`. */
export const address: Field<string> = {
  write: (text) => text,
  read: (text) => parseAddress(text) && text,
};

function matching(pattern: RegExp): Field<string> {
  return { write: (text) => text, read: (text) => pattern.test(text) ? text : undefined };
}

/** 64 random bits as 16 hexadecimal digits. */
export function randomHex64(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
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

/**
 * Parses the `key=value` pairs of a header; returns their values, or the reason why they are refused. Keys that are not
 * in `fields` are passed over, so that a later version can add some.
 */
export function parseFields(
  pairs: string[],
  fields: Record<string, Field<unknown>>,
): Record<string, unknown> | string {
  const values: Record<string, unknown> = {};
  const seen = new Set<string>();
  for (const pair of pairs) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    if (at < 1) return "a field is not key=value";
    const key = pair.slice(0, at), text = pair.slice(at + 1);
    if (seen.has(key)) return "a field stands twice";
    seen.add(key);
    if (Object.hasOwn(fields, key)) {
      const value = fields[key].read(text);
      if (value === undefined) return `the field ${key} is malformed`;
      values[key] = value;
    }
  }
  for (const key in fields) {
    if (!fields[key].optional && !(key in values)) return `the field ${key} is missing`;
  }
  return values;
}
