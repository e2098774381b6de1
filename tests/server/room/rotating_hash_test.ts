/** Values that only this server can make, and that are good for a while. */
import { assertEquals } from "@std/assert";
import { RotatingHash } from "../../../server/room/rotating_hash.ts";

Deno.test("rotating hash: a value is known for one lifetime of a key, and for two at most", () => {
  for (const at of [0, 59_999, 130_000]) {
    const hash = new RotatingHash(60_000);
    hash.of("other", 0);
    const value = hash.of("text", at);
    assertEquals([0, 60_000, 120_000].map((age) => hash.isOf("text", value, at + age)), [true, true, false], `${at}`);
  }
});

Deno.test("rotating hash: another text or server has other values", () => {
  const hash = new RotatingHash(60_000), value = hash.of("text", 0);
  assertEquals([hash.isOf("texts", value, 0), hash.isOf("text", undefined, 0)], [false, false]);
  assertEquals(new RotatingHash(60_000).isOf("text", value, 0), false);
});
