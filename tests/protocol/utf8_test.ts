/** Texts as bytes: each has its own, also where many share a piece of memory. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { byteLength, decodeUtf8, detach, encodeUtf8, isLongerThan } from "../../protocol/utf8.ts";

const encoder = new TextEncoder(), decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.string({ unit: "grapheme", maxLength: 300 }),
  fc.constantFrom(
    "",
    "a".repeat(5000),
    "é".repeat(3000),
    "\ud800",
    "\ufeffa",
    "€".repeat(1365),
    "€".repeat(1366),
    "€".repeat(3000),
  ),
);

Deno.test("UTF-8: texts are encoded as by TextEncoder, and keep their bytes whatever is encoded after them", () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 40 }), (texts) => {
      const encoded = texts.map(encodeUtf8);
      assertEquals(encoded.map((bytes) => Array.from(bytes)), texts.map((text) => Array.from(encoder.encode(text))));
      assertEquals(texts.map(byteLength), encoded.map(({ length }) => length));
      assertEquals(encoded.map(decodeUtf8), encoded.map((bytes) => decoder.decode(bytes)));
    }),
    { seed: 1 },
  );
});

Deno.test("UTF-8: a part of a page can be changed without the others", () => {
  const [one, other] = [encodeUtf8("one"), encodeUtf8("other")];
  one.fill(0);
  assertEquals([decodeUtf8(other), decodeUtf8(encodeUtf8("third"))], ["other", "third"]);
});

Deno.test("UTF-8: many short texts share a few pages, and a long one has its own memory", () => {
  const pages = new Set(Array.from({ length: 100 }, () => encodeUtf8("x".repeat(100)).buffer));
  assertEquals(pages.size <= 3, true);
  assertEquals(encodeUtf8("x".repeat(5000)).buffer.byteLength, 5000);
});

Deno.test("UTF-8: bytes that are none are not decoded", () => {
  assertEquals([[0xff], [0x61, 0xc3], [0xed, 0xa0, 0x80]].map((bytes) => decodeUtf8(Uint8Array.from(bytes))), [
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("UTF-8: letters of two bytes are counted and encoded right, however often that is done", () => {
  for (let i = 0; i < 20_000; i++) {
    assertEquals([byteLength(`h\u00e9llo${i % 10}`), encodeUtf8(`h\u00e9llo${i % 10}`).length], [7, 7]);
  }
});

Deno.test("UTF-8: a text is longer than a limit when its bytes are", () => {
  fc.assert(
    fc.property(text, fc.nat(700), (text, limit) => {
      assertEquals(isLongerThan(text, limit), encoder.encode(text).length > limit);
    }),
    { seed: 1 },
  );
});

Deno.test("UTF-8: a copy of a text is the same text", () => {
  for (const text of ["", "Zoë", "a".repeat(4000), "€".repeat(3000)]) assertEquals(detach(text), text);
});
