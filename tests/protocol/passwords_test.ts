/** What a password may be. */
import { assertEquals } from "@std/assert";
import { preparePassword } from "../../protocol/passwords.ts";

Deno.test("a password is brought to one form, whatever keyboard it was typed on", () => {
  assertEquals(preparePassword("Zoe\u0308s\u00a0Passwort", true), "Zoës Passwort");
  assertEquals(preparePassword(" spaces stay "), " spaces stay ");
});

Deno.test("a new password has 8 to 128 characters; an old one any number up to that", () => {
  assertEquals(preparePassword("1234567", true), undefined);
  assertEquals(preparePassword("12345678", true), "12345678");
  assertEquals(preparePassword("😀".repeat(8), true), "😀".repeat(8));
  assertEquals(preparePassword("1234567"), "1234567");
  for (const isNew of [true, false]) {
    assertEquals(preparePassword("", isNew), undefined);
    assertEquals(preparePassword("a".repeat(128), isNew), "a".repeat(128));
    assertEquals(preparePassword("a".repeat(129), isNew), undefined);
    assertEquals(preparePassword("pass\x1bword", isNew), undefined);
    assertEquals(preparePassword("pass\ud800word", isNew), undefined);
  }
});
