/** IP addresses as text, compared with Node's net. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import * as net from "node:net";
import { canonicalIPv6, isIPv4, isIPv6 } from "../../protocol/ip_address.ts";

/** Texts that are addresses, nearly addresses, or made of the same characters. */
const nearly = fc.oneof(
  fc.ipV6(),
  fc.ipV4(),
  fc.string({ unit: fc.constantFrom(..."0123456789abcdefF:::..%g "), maxLength: 45 }),
  fc.array(fc.constantFrom("0", "1", "ffff", "00a", "12345", "", "::", ":", "1.2.3.4", "256.0.0.1", "%eth0", "%"), {
    maxLength: 10,
  }).chain((parts) => fc.constantFrom(":", "").map((separator) => parts.join(separator))),
  // one character of an address replaced by another
  fc.tuple(fc.oneof(fc.ipV6(), fc.ipV4()), fc.nat(), fc.constantFrom(..."0af:.%g")).map(([text, at, character]) => {
    const index = at % text.length;
    return text.slice(0, index) + character + text.slice(index + 1);
  }),
);

Deno.test("isIPv6 and isIPv4: as Node's net says, for any text", () => {
  fc.assert(
    fc.property(nearly, (text) => {
      assertEquals(isIPv6(text), net.isIPv6(text), text);
      assertEquals(isIPv4(text), net.isIPv4(text), text);
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("isIPv6: addresses in each of their forms", () => {
  const addresses = ["::", "::1", "1::", "fe80::1%eth0", "fe80::1%2", "::ffff:10.0.0.1", "64:ff9b::1.2.3.4"];
  for (const text of [...addresses, "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3:4:5:6:1.2.3.4"]) {
    assert(isIPv6(text), text);
    assert(net.isIPv6(text), text);
  }
});

Deno.test("isIPv6: texts that look like an address but are none", () => {
  const texts = ["", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::"];
  for (const text of [...texts, "g::", "1.2.3.4::", "::1.2.3", "::1.2.3.256", "::1.2.3.04", "::1%", "::%a%b", " ::"]) {
    assert(!isIPv6(text), text);
    assert(!net.isIPv6(text), text);
  }
});

Deno.test("canonicalIPv6: each address has one form, and an IPv4-mapped address has the IPv4 form", () => {
  for (
    const [text, canonical] of [
      ["::1", "::1"],
      ["0:0:0:0:0:0:0:1", "::1"],
      ["FE80::0001", "fe80::1"],
      ["::ffff:10.0.0.1", "10.0.0.1"],
      ["::FFFF:0A00:0001", "10.0.0.1"],
    ]
  ) assertEquals(canonicalIPv6(text), canonical);
});
