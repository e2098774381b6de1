/** The hash of the line's digest, against examples that others have published. */
import { assertEquals } from "@std/assert";
import { sha256Hex64 } from "../../runtime/sha256.ts";

Deno.test("sha256: it has the first 64 bits of the examples of FIPS 180", () => {
  assertEquals(sha256Hex64("abc"), "ba7816bf8f01cfea");
  assertEquals(sha256Hex64("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), "248d6a61d20638b8");
  assertEquals(sha256Hex64(""), "e3b0c44298fc1c14");
  assertEquals(sha256Hex64("Zoë"), "c6a12698582fc110", "a text is hashed in UTF-8");
});
