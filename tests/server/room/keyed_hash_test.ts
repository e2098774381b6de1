/** The hash that only this server can make. */
import { assertEquals, assertNotEquals } from "@std/assert";
import { newKeyedHash } from "../../../server/room/keyed_hash.ts";

Deno.test("keyed hash: it is HMAC with SHA-256, truncated (RFC 4231, test cases 1 and 2)", () => {
  assertEquals(newKeyedHash(new Uint8Array(20).fill(0x0b))("Hi There"), "b0344c61d8db3853");
  assertEquals(newKeyedHash(new TextEncoder().encode("Jefe"))("what do ya want for nothing?"), "5bdcc146bf60754e");
});

Deno.test("keyed hash: each has a key of its own", () => {
  assertNotEquals(newKeyedHash()("x"), newKeyedHash()("x"));
});
