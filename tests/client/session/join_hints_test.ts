/** A client at a loopback address is told where to join instead. */
import { assertEquals } from "@std/assert";
import { FakeSession } from "../../support/fake_session.ts";

const HINT = "Others see you at 127.0.0.1, where they can't reach you directly: their private messages have to pass " +
  "through the server. Join by 192.168.1.10 9090 to change that";

/** A session that has joined at an address, and its notices of where to join instead. */
function joinedAt(address: string): { welcome: (join?: string) => void; hints: () => string[] } {
  const fake = new FakeSession({ name: "Alice" });
  fake.welcome({ address });
  return {
    welcome(join) {
      fake.pass(1100);
      fake.welcome({ address, join });
    },
    hints: () => fake.notices.filter((text) => text.includes("Join by")),
  };
}

Deno.test("join hints: one at a loopback address is told once where others would reach it", () => {
  const { welcome, hints } = joinedAt("127.0.0.1:52207");
  welcome();
  assertEquals(hints(), []);
  for (let i = 0; i < 3; i++) welcome("192.168.1.10:9090");
  assertEquals(hints(), [HINT]);
  // the server has got another address, and the first one is back
  for (const join of ["10.0.0.1:9091", "192.168.1.10:9090", undefined]) welcome(join);
  assertEquals(hints().slice(1), [HINT.replace("192.168.1.10 9090", "10.0.0.1 9091")]);
});

Deno.test("join hints: the words can be typed behind the client's name, also with IPv6", () => {
  const { welcome, hints } = joinedAt("[::1]:52207");
  welcome("[fd00::10]:9090");
  assertEquals(hints(), [HINT.replace("127.0.0.1", "::1").replace("192.168.1.10", "fd00::10")]);
});

Deno.test("join hints: a server that names ever new addresses does not fill the screen", () => {
  const { welcome, hints } = joinedAt("127.0.0.1:52207");
  for (let i = 1; i <= 100; i++) welcome(`192.168.1.10:${i}`);
  assertEquals(hints().length, 4);
});
