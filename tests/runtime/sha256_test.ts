/** The hash of the line's digest, against examples that others have published. */
import { assertEquals } from "@std/assert";
import { sha256Hex128 } from "../../runtime/sha256.ts";

Deno.test("sha256: it has the first 128 bits of the examples of FIPS 180", () => {
  assertEquals(sha256Hex128("abc"), "ba7816bf8f01cfea414140de5dae2223");
  assertEquals(
    sha256Hex128("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
    "248d6a61d20638b8e5c026930c3e6039",
  );
  assertEquals(sha256Hex128(""), "e3b0c44298fc1c149afbf4c8996fb924");
  assertEquals(sha256Hex128("Zoë"), "c6a12698582fc1104ea24107a2d72681", "a text is hashed in UTF-8");
});
