/** The digest of the line: it is the same on both sides of the network, and another one for any other event. */
import { assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { decode, encode, type EventPacket } from "../../../protocol.ts";
import { canonicalText, digestAfter } from "../../../protocol/reliable/line_digest.ts";
import { sha256Hex128 } from "../../../runtime/sha256.ts";
import { incoming } from "../../support/fake_session.ts";

const PREVIOUS = "0123456789abcdef0123456789abcdef";

Deno.test("line digest: an event says the same before and after the network, with fields that are not known too", () => {
  const hex64 = fc.constantFrom("00000000000000aa", "5f1c0d9a7be2e604");
  const member = fc.record({ address: fc.constant("10.0.0.1:1"), name: fc.constantFrom(undefined, "Zoë", "Bob") });
  const common = { dialect: fc.constant("v1" as const), epoch: hex64, seq: fc.maxSafeNat(), at: fc.maxSafeNat() };
  const event: fc.Arbitrary<EventPacket> = fc.oneof(
    fc.record({
      ...common,
      type: fc.constant("INCOMING" as const),
      token: fc.option(hex64, { nil: undefined }),
      from: fc.constantFrom("10.0.0.1:1", "[::1]:65535"),
      name: fc.constantFrom(undefined, "Zoë"),
      stream: fc.option(hex64, { nil: undefined }),
      id: fc.option(fc.nat(), { nil: undefined }),
      action: fc.constantFrom(undefined, false, true),
      text: fc.string({ unit: "binary", maxLength: 100 }),
    }),
    fc.record({ ...common, type: fc.constantFrom("ONLINE" as const, "OFFLINE" as const), members: fc.array(member) }),
  );
  fc.assert(fc.property(event, (event) => {
    const datagram = new TextDecoder().decode(encode(event)).replace(/ sum=\S+/, "");
    const decoded = decode(new TextEncoder().encode(datagram.replace("/1 ", "/1 later=x ")));
    if (!decoded.ok) throw new Error(decoded.reason);
    assertEquals(canonicalText(decoded.packet as EventPacket), canonicalText(event));
  }));
});

Deno.test("line digest: it depends on each thing that an event says, and on all events before it", () => {
  const digest = (event: EventPacket) => digestAfter(PREVIOUS, event, sha256Hex128);
  const said = incoming(7, { name: "Bob", stream: "00000000000000bb", id: 3, text: "hello" });
  const others = [
    { seq: 8 },
    { at: 1 },
    { from: "10.0.0.9:9" },
    { name: "Carol" },
    { name: undefined },
    { stream: "00000000000000bc" },
    { id: 4 },
    { action: true },
    { text: "hello " },
  ];
  const all = [said, ...others.map((change) => ({ ...said, ...change }) as EventPacket)].map(digest);
  assertEquals(new Set(all).size, all.length);
  assertEquals(digest({ ...said, token: "5f1c0d9a7be2e604" }), digest(said));
  assertNotEquals(digestAfter(`${PREVIOUS.slice(0, -1)}e`, said, sha256Hex128), digest(said));
});
