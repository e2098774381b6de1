/** OPEN goes to each address that the server names, but not faster than a NAT can bear. */
import { assertEquals } from "@std/assert";
import { Punches } from "../../../client/session/punches.ts";

/** What was sent, and when. */
function punches() {
  const sent: { to: string | undefined; at: number }[] = [];
  let now = 0;
  const punches = new Punches((packet, to) => {
    assertEquals(packet, { dialect: "v1", type: "OPEN" });
    sent.push({ to, at: now });
  });
  const pass = (ms: number) => {
    const end = now + ms;
    for (let at; (at = punches.nextWake) !== undefined && at <= end;) {
      now = Math.max(now, at);
      punches.wake(now);
    }
    now = end;
  };
  return { sent, pass, add: (address: string) => punches.add(address, now), punches };
}

const address = (n: number) => `192.0.2.${n}:40000`;

Deno.test("punches: the first goes out at once, each further one 50 ms later, and then nothing is due", () => {
  const { sent, add, pass, punches: p } = punches();
  for (let n = 1; n <= 3; n++) add(address(n));
  pass(1000);
  assertEquals(sent, [1, 2, 3].map((n) => ({ to: address(n), at: (n - 1) * 50 })));
  assertEquals(p.nextWake, undefined);
  add(address(1));
  assertEquals(sent.length, 4);
});

Deno.test("punches: an address that waits has one place, and of a flood 32 wait", () => {
  const { sent, add, pass } = punches();
  add(address(0));
  for (let n = 1; n <= 40; n++) for (let i = 0; i < 3; i++) add(address(n));
  pass(60_000);
  assertEquals(sent.map(({ to }) => to), Array.from({ length: 33 }, (_, n) => address(n)));
});
