/** Who says the same without a word at once again. */
import { assertEquals } from "@std/assert";
import type { ClassicPacket } from "../../../protocol.ts";
import { Members } from "../../../server/room/members.ts";
import { saysAgain } from "../../../server/room/recent_words.ts";
import { peerOf } from "../../support/peer_of.ts";

/** A classic member; tells whether it says again what it says. */
function open() {
  const member = new Members().add({ peer: peerOf("10.0.0.1:1"), dialect: "classic", token: "" }, 0, 0);
  return (text: string, now: number) => {
    const packet: ClassicPacket = { dialect: "classic", type: "TEXT", text };
    return saysAgain(packet, member, now);
  };
}

Deno.test("recent words: what is said again within 2 s is remembered for 2 s more", () => {
  const isAgain = open();
  assertEquals([0, 1500, 3000, 4999, 6999].map((now) => isAgain("Unknown command", now)), [
    false,
    true,
    true,
    true,
    false,
  ]);
  assertEquals([isAgain("hello", 7000), isAgain("hello", 9000), isAgain("hello", 10_999)], [false, false, true]);
});

Deno.test("recent words: of one member 32 texts are remembered, those that were said first are forgotten", () => {
  const isAgain = open();
  for (let i = 0; i < 33; i++) assertEquals(isAgain(`${i}`, i), false);
  assertEquals([isAgain("1", 100), isAgain("32", 100), isAgain("0", 100)], [true, true, false]);
});
