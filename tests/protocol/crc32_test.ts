/** CRC-32, compared with Node's zlib. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import * as zlib from "node:zlib";
import { crc32 } from "../../protocol/crc32.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

Deno.test("crc32: the check value of the standard, and 0 for no bytes", () => {
  assertEquals(crc32(bytesOf("123456789")), 0xcbf43926);
  assertEquals(crc32(new Uint8Array()), 0);
});

Deno.test("crc32: the same as zlib's for any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 1500 }), (bytes) => {
    assertEquals(crc32(bytes), zlib.crc32(bytes));
  }));
});

Deno.test("crc32: the same value when it is computed in two parts", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, at) => {
    const middle = Math.min(at, bytes.length);
    assertEquals(crc32(bytes, middle, bytes.length, crc32(bytes, 0, middle)), zlib.crc32(bytes));
  }));
});
