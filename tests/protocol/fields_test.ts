/** The fields of version 1: addresses, numbers, and headers with any content. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  address,
  type Field,
  flag,
  formatAddress,
  hex128,
  hex64,
  name,
  number,
  optional,
  parseAddress,
  parseFields,
  randomHex64,
  splitAddress,
  word,
} from "../../protocol/fields.ts";

const anyText = fc.string({ unit: "binary" });

Deno.test("number: every safe whole number, in one spelling only", () => {
  fc.assert(fc.property(fc.maxSafeNat(), (value) => assertEquals(number.read(number.write(value)), value)));
  const none = ["", "-1", "+1", "01", "1.0", "1e3", "0x1", " 1", "1 ", "٣", "Infinity", "9007199254740992"];
  for (const text of none) assertEquals(number.read(text), undefined, text);
});

Deno.test("flag: 1 is true, all else is malformed", () => {
  assertEquals(flag.read(flag.write(true)), true);
  for (const text of ["", "0", "true", "11"]) assertEquals(flag.read(text), undefined, text);
});

Deno.test("hex128: thirty-two lower-case digits", () => {
  const digits = "0123456789abcdef0123456789abcdef";
  assertEquals(hex128.read(hex128.write(digits)), digits);
  for (const text of ["", "0123456789abcdef", `${digits}0`, digits.toUpperCase(), digits.slice(0, -1)]) {
    assertEquals(hex128.read(text), undefined, text);
  }
});

Deno.test("hex64: sixteen lower-case digits, and what randomHex64 makes", () => {
  for (let i = 0; i < 100; i++) {
    const value = randomHex64();
    assertEquals(hex64.read(hex64.write(value)), value);
  }
  for (const text of ["", "0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF", "0123456789abcdeg"]) {
    assertEquals(hex64.read(text), undefined, text);
  }
});

Deno.test("word: lower-case letters and hyphens, at most 32", () => {
  for (const text of ["not-joined", "a", "a".repeat(32)]) assertEquals(word.read(text), text);
  for (const text of ["", "-a", "Not-joined", "a b", "a_b", "a".repeat(33)]) assertEquals(word.read(text), undefined);
});

Deno.test("no field's read throws, and a value that it accepts is the same after write and read", () => {
  const fields: Field<unknown>[] = [number, flag, hex64, hex128, word, name, address] as Field<unknown>[];
  fc.assert(fc.property(fc.constantFrom(...fields), anyText, (field, text) => {
    const value = field.read(text);
    if (value !== undefined) assertEquals(field.read(field.write(value)), value);
  }));
});

Deno.test("parseAddress: IPv4 and IPv6 with a port", () => {
  assertEquals(parseAddress("127.0.0.1:9090"), { hostname: "127.0.0.1", port: 9090 });
  assertEquals(parseAddress("[::1]:65535"), { hostname: "::1", port: 65535 });
  for (const hostname of ["fe80::1%eth0", "fe80::1%br_lan", "fe80::1%wg-0.1"]) {
    assertEquals(parseAddress(`[${hostname}]:1`), { hostname, port: 1 });
  }
  const none = [
    "",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "127.0.0.1:09090",
    "127.0.0.1:9090 ",
    "127.0.0.1:9090\n",
    "127.0.0:9090",
    "127.0.0.256:9090",
    "127.0.0.01:9090",
    "127.0.0.1.1:9090",
    "localhost:9090",
    "::1:9090",
    "[::1]",
    "[:::]:9090",
    "[1:2]:9090",
    "[12345::]:9090",
    "[1.2.3.4]:9090",
    "[::1%]:9090",
    "[fe80::1%e th]:9090",
  ];
  for (const text of none) assertEquals(parseAddress(text), undefined, JSON.stringify(text));
});

Deno.test("splitAddress: the two parts of an address; a text that is none is a bug", () => {
  assertEquals(splitAddress("[::1]:9090"), { hostname: "::1", port: 9090 });
  // the key of a peer that has a connection is no address
  for (const text of ["", "localhost:9090", "tcp 127.0.0.1:9090"]) {
    assertThrows(() => splitAddress(text), RangeError, `'${text}' is no address`);
  }
});

Deno.test("parseAddress and formatAddress undo each other", () => {
  const port = fc.integer({ min: 1, max: 65535 });
  fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), port, (hostname, port) => {
    const text = formatAddress({ hostname, port });
    const endpoint = parseAddress(text);
    assert(endpoint !== undefined, text);
    assertEquals(formatAddress(endpoint), text);
  }));
});

Deno.test("formatAddress: an IPv4 peer of an IPv6 socket is written as IPv4", () => {
  assertEquals(formatAddress({ hostname: "::ffff:10.0.0.1", port: 5 }), "10.0.0.1:5");
  assertEquals(formatAddress({ hostname: "::ffff:0:1", port: 5 }), "[::ffff:0:1]:5");
});

/** The values of the pairs in a header, or the reason why they are refused. */
function parsed(pairs: string[], fields: Record<string, Field<unknown>>): Record<string, unknown> | string {
  const packet = {};
  return parseFields(`TYPE/1 ${pairs.join(" ")}`, "TYPE/1".length, fields, packet) ?? packet;
}

Deno.test("parseFields: takes fields in any order, and ignores unknown keys and empty pairs", () => {
  const fields = { id: number, token: optional(hex64) } as Record<string, Field<unknown>>;
  assertEquals(parsed(["colour=red", "", "id=7", "sum=x"], fields), { id: 7 });
  assertEquals(parsed(["token=0123456789abcdef", "id=7"], fields), { token: "0123456789abcdef", id: 7 });
});

Deno.test("parseFields: says what is wrong", () => {
  const fields = { id: number, token: optional(hex64) } as Record<string, Field<unknown>>;
  assertEquals(parsed(["id"], fields), "the field behind the type is not key=value");
  assertEquals(parsed(["id=7", "=7"], fields), "the field behind id is not key=value");
  assertEquals(parsed(["\u001b[2J=7", "x"], fields), "the field behind another is not key=value");
  assertEquals(parsed(["id=7", "id=7"], fields), "the field id stands twice");
  assertEquals(parsed(["x=7", "id=7", "x=8"], fields), "a field stands twice");
  assertEquals(parsed(["sum=7", "id=7", "sum=7"], fields), "a field stands twice");
  assertEquals(parsed(["id", "x=7"], fields), "the field behind the type is not key=value");
  assertEquals(
    parsed(["id=seven"], fields),
    "the field id is malformed: it has to be a whole number without zeros in front",
  );
  assertEquals(
    parsed(["id=7", "token=1"], fields),
    "the field token is malformed: it has to be 16 digits of 0-9 and a-f",
  );
  assertEquals(parsed([], fields), "the field id is missing");
  assertEquals(parsed(["sum=1", "Id=7"], fields), "nothing is known of Id, and the field id is missing");
});

Deno.test("parseFields: a reason has no value in it, and no key that may be a part of a text or of a secret", () => {
  const fields = { id: number, token: optional(hex64) } as Record<string, Field<unknown>>;
  const secret = "0123456789abcdef";
  for (const pairs of [[`token=${secret}x`], [`${secret}=1`], [`${secret}=1`, secret], [`id=1`, `token=${secret}=`]]) {
    const reason = parsed(pairs, fields);
    assert(typeof reason === "string" && !reason.includes(secret), JSON.stringify(reason));
  }
});

Deno.test("parseFields: keys that every object has are unknown keys", () => {
  for (const key of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
    assertEquals(parsed([`${key}=1`], {}), {});
  }
});
