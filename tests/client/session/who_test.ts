/** Members as the user names them. */
import { assertEquals } from "@std/assert";
import { keyOf, nameOf, readWho } from "../../../client/session/who.ts";

Deno.test("who: a text is a name, an address, or neither", () => {
  for (
    const [text, who] of [
      ["Bob", { name: "Bob" }],
      ["Zoe\u0308", { name: "Zoë" }],
      ["10.0.0.7:52207", { address: "10.0.0.7:52207" }],
      ["[fe80::1]:9", { address: "[fe80::1]:9" }],
      ["10.0.0.7:0", undefined],
      // nobody can have this name, so the port was forgotten
      ["10.0.0.7", undefined],
      ["no name", undefined],
      ["", undefined],
    ] as const
  ) assertEquals(readWho(text), who, text);
});

Deno.test("who: all spellings of a name have one key, and an address has its own", () => {
  assertEquals(keyOf({ name: "BOB" }), keyOf({ name: "bob" }));
  assertEquals(keyOf({ address: "10.0.0.7:9" }), "10.0.0.7:9");
  assertEquals([nameOf({ name: "Bob" }), nameOf({ address: "10.0.0.7:9" })], ["Bob", "10.0.0.7:9"]);
});
