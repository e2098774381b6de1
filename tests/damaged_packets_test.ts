/** Bytes that are no packet, or a damaged one: whatever comes, nothing is thrown, and no damage says something else. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { decode, encode, MAX_DATAGRAM_BYTES, type V1Packet } from "../protocol.ts";
import { printable } from "../protocol/text.ts";
import { address, anyClassic, anyV1, CLASSIC, hex64, name, number, V1 } from "./support/any_packet.ts";
import { bytesOf } from "./support/packets.ts";

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

// ---- arbitrary bytes

/** Decodes, and checks that a reason may be shown to a person as it is. */
function decodesQuietly(datagram: Uint8Array): void {
  const decoded = decode(datagram);
  if (!decoded.ok) assert(decoded.reason !== "" && printable(decoded.reason) === decoded.reason);
}

Deno.test("no bytes make decode throw: random ones", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 5000, size: "max" }), decodesQuietly), { numRuns: 500 });
});

Deno.test("no bytes make decode throw: what looks like a packet", () => {
  const any = fc.string({ unit: "binary", maxLength: 20 });
  const type = fc.oneof(fc.constantFrom(...Object.keys(V1), ...Object.keys(CLASSIC), "__proto__", "CONSTRUCTOR"), any);
  const version = fc.constantFrom("/1", "/1", "/1", "", "/", "/2", "/1/1", "/01", "/1.0");
  const key = fc.constantFrom(
    ..."sum id token epoch seq at from to name address stream first action timeout code wait __proto__".split(" "),
  );
  const value = fc.oneof(any, number.map(String), hex64, name, address, fc.constantFrom("", "0", "1", "=", "NaN"));
  const pair = fc.oneof(fc.tuple(key, value).map(([key, value]) => `${key}=${value}`), any);
  const header = fc.tuple(type, version, fc.array(pair), fc.constantFrom(" ", "  ", "\t", "\n"));
  const datagram = fc.tuple(header, fc.constantFrom("", "\n", "\r\n", "\0"), fc.oneof(any, name, address)).map(
    ([[type, version, pairs, space], end, body]) => [type + version, ...pairs].join(space) + end + body,
  );
  fc.assert(fc.property(datagram, (datagram) => decodesQuietly(bytesOf(datagram))), { numRuns: 3000 });
});

Deno.test("no bytes make decode throw: packets cut short, overwritten and put together", () => {
  const cut = fc.tuple(fc.oneof(anyV1, anyClassic), fc.nat(MAX_DATAGRAM_BYTES), fc.uint8Array(), anyV1);
  fc.assert(fc.property(cut, ([packet, at, noise, next]) => {
    const bytes = encode(packet);
    const end = at % (bytes.length + 1);
    decodesQuietly(bytes.subarray(0, end));
    decodesQuietly(Uint8Array.from([...bytes.subarray(0, end), ...noise, ...bytes.subarray(end + noise.length)]));
    decodesQuietly(Uint8Array.from([...bytes.subarray(0, end), ...encode(next)]));
  }));
});

// ---- one bit flipped

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3] ^= 1 << (bit & 7);
  return copy;
}

/** Asserts that a v1 packet with one bit flipped is refused, or is the same because the bit is in the key `sum`. */
function surviving(packet: V1Packet, bit: number): void {
  const bytes = encode(packet);
  const decoded = decode(flipped(bytes, bit));
  if (!decoded.ok) return;
  assertEquals(decoded.packet, packet);
  const at = (bit >> 3) - `${packet.type}/1 `.length;
  assert(at >= 0 && at < "sum".length, `bit ${bit} of ${textOf(bytes)}`);
}

Deno.test("a v1 datagram with any one bit flipped is refused or the very same packet: every bit of every type", () => {
  for (const type of Object.keys(V1) as V1Packet["type"][]) {
    const [packet] = fc.sample<V1Packet>(V1[type], { numRuns: 1, seed: 1 });
    for (let bit = 0; bit < encode(packet).length * 8; bit++) surviving(packet, bit);
  }
});

Deno.test("a v1 datagram with any one bit flipped is refused or the very same packet: any packet, any bit", () => {
  fc.assert(
    fc.property(anyV1, fc.nat(), (packet, bit) => surviving(packet, bit % (encode(packet).length * 8))),
    { numRuns: 3000 },
  );
});

/** Asserts that bytes are no classic packet, since they are a damaged one of version 1. */
function isNotClassic(datagram: Uint8Array): void {
  const decoded = decode(datagram);
  assert(!decoded.ok || decoded.packet.dialect === "v1", textOf(datagram));
}

/** A v1 packet as a datagram, with its checksum and without. */
const withAndWithoutSum = (packet: V1Packet) => {
  const bytes = encode(packet);
  return [bytes, bytesOf(textOf(bytes).replace(/ sum=[0-9a-f]{8}/, ""))];
};

Deno.test("a v1 datagram with any one bit flipped, or any of the first bytes changed, is never classic", () => {
  for (const type of Object.keys(V1) as V1Packet["type"][]) {
    for (const bytes of fc.sample<V1Packet>(V1[type], { numRuns: 3, seed: 1 }).flatMap(withAndWithoutSum)) {
      for (let bit = 0; bit < bytes.length * 8; bit++) isNotClassic(flipped(bytes, bit));
      for (let at = 0; at < Math.min(12, bytes.length); at++) {
        const copy = bytes.slice();
        for (copy[at] = 0; copy[at] < 255; copy[at]++) isNotClassic(copy);
        isNotClassic(copy);
      }
    }
  }
});

Deno.test("a v1 datagram with two of the first bytes changed is no words of anybody", () => {
  const two = fc.tuple(anyV1, fc.nat(11), fc.nat(11), fc.nat(255), fc.nat(255));
  fc.assert(
    fc.property(two, ([packet, first, second, one, other]) => {
      const copy = encode(packet);
      copy[first] = one;
      copy[second] = other;
      const decoded = decode(copy);
      assert(!decoded.ok || decoded.packet.dialect === "v1" || !("text" in decoded.packet), textOf(copy));
    }),
    { numRuns: 3000 },
  );
});

Deno.test("a datagram without a checksum and with one bit flipped is refused or of the same type", () => {
  fc.assert(
    fc.property(anyV1, fc.nat(), (packet, bit) => {
      const [, bytes] = withAndWithoutSum(packet);
      const decoded = decode(flipped(bytes, bit % (bytes.length * 8)));
      assert(!decoded.ok || decoded.packet.type === packet.type);
    }),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(anyClassic, fc.nat(), (packet, bit) => {
      const bytes = encode(packet), decoded = decode(flipped(bytes, bit % (bytes.length * 8)));
      // when the word is damaged, all of it may be a text
      assert(!decoded.ok || [packet.type, "TEXT"].includes(decoded.packet.type));
    }),
    { numRuns: 3000 },
  );
});
