/** A client at a loopback address is told where to join instead. */
import { assertEquals } from "@std/assert";
import { FakeSession } from "../../support/fake_session.ts";

const HINT =
  "Others see you at 127.0.0.1, so private messages between you and them can't go directly. To change that, " +
  "leave and join by 192.168.1.10 9090";

/** A session that has joined at an address, and its notices of where to join instead. */
function joinedAt(address: string): { welcome: (join?: string) => void; hints: () => string[] } {
  const fake = new FakeSession({ name: "Alice" });
  fake.welcome({ address });
  return {
    welcome(join) {
      fake.pass(1100);
      fake.welcome({ address, join });
    },
    // in a pipe a hint is not shown, so it is no notice
    hints: () => fake.shown.flatMap((it) => it.kind === "hint" ? [it.text] : []),
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

Deno.test("join hints: one elsewhere is not told to go where a server says", () => {
  for (const address of ["192.168.1.21:52207", "[fd00::21]:52207"]) {
    const { welcome, hints } = joinedAt(address);
    welcome("203.0.113.66:9090");
    assertEquals(hints(), []);
  }
});

Deno.test("join hints: a server that names ever new addresses does not fill the screen", () => {
  const { welcome, hints } = joinedAt("127.0.0.1:52207");
  for (let i = 1; i <= 100; i++) welcome(`192.168.1.10:${i}`);
  assertEquals(hints().length, 4);
});

Deno.test("join hints: where nothing passes through the server, the failure says by which address to join", () => {
  const fake = new FakeSession({ name: "Alice" });
  const write = () => {
    fake.session.sayTo("Dan", "hi", fake.now);
    const { id } = fake.takeAll("LOOKUP").at(-1)!, address = "192.168.1.21:52207";
    fake.receive({ dialect: "v1", type: "PEER", id, address, name: "Dan", since: 0, relay: true, norelay: true });
    return fake.notices.at(-1);
  };
  const failure = 'Not delivered to Dan ("hi"): you have joined by 127.0.0.1 and Dan has not; ' +
    "this server passes no private messages on";
  fake.welcome({ address: "127.0.0.1:52207" });
  assertEquals(write(), failure);
  for (let i = 1; i <= 6; i++) {
    fake.pass(1100);
    fake.welcome({ address: "127.0.0.1:52207", join: `192.168.1.10:${9000 + i}` });
  }
  // the last that the server has said, although the user is not told of so many
  assertEquals(write(), `${failure}. To reach Dan, leave and join by 192.168.1.10 9006`);
});
