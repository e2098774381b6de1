/** The password that a user gives beforehand. */
import { assertEquals, assertThrows } from "@std/assert";
import { readPassword } from "../../runtime/given_password.ts";
import { UsageError } from "../../runtime/program.ts";

Deno.test("given password: it is the first line of the file, as it is hashed", async () => {
  const path = await Deno.makeTempFile();
  const texts = { "correct horse\r\nmore\n": "correct horse", "correct horse": "correct horse", " é\u00a0\n": " é " };
  for (const [text, password] of Object.entries(texts)) {
    await Deno.writeTextFile(path, text);
    assertEquals(readPassword(path), password);
  }
  for (const text of ["", "\nsecond", "x".repeat(10_000), "a\tb"]) {
    await Deno.writeTextFile(path, text);
    assertThrows(() => readPassword(path), UsageError, "there is no password");
  }
  await Deno.remove(path);
  assertThrows(() => readPassword(path), UsageError, "there is no such file");
});

Deno.test("given password: the environment has it where no file is named, and it may be empty", () => {
  const before = Deno.env.get("UDP_CHAT_PASSWORD");
  try {
    Deno.env.set("UDP_CHAT_PASSWORD", "correct horse");
    assertEquals(readPassword(undefined), "correct horse");
    Deno.env.set("UDP_CHAT_PASSWORD", "");
    assertEquals(readPassword(undefined), undefined);
    Deno.env.set("UDP_CHAT_PASSWORD", "a\nb");
    assertThrows(() => readPassword(undefined), UsageError, "In UDP_CHAT_PASSWORD there is no password");
  } finally {
    if (before === undefined) Deno.env.delete("UDP_CHAT_PASSWORD");
    else Deno.env.set("UDP_CHAT_PASSWORD", before);
  }
});

Deno.test({
  name: "given password: without the permission to read the environment there is none",
  permissions: { env: false },
  fn: () => assertEquals(readPassword(undefined), undefined),
});
