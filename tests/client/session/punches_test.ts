/** OPEN goes to each address that the server names, but not faster than a NAT can bear. */
import { assertEquals } from "@std/assert";
import { Punches } from "../../../client/session/punches.ts";

/** A pass for each address. */
function passFor(address: string): string {
  let hash = 0;
  for (const byte of new TextEncoder().encode(address)) hash = (hash * 31 + byte) % 2 ** 32;
  return hash.toString(16).padStart(16, "0");
}

/** What was sent, and when. */
function punches() {
  const sent: { to: string | undefined; at: number }[] = [];
  let now = 0;
  const punches = new Punches((packet, to) => {
    assertEquals(packet, { dialect: "v1", type: "OPEN", pass: passFor(to!) });
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
  return {
    sent,
    pass,
    add: (address: string, isKnown = false) => punches.add({ address, pass: passFor(address) }, isKnown, now),
    punches,
  };
}

const address = (n: number, port = 40000) => `192.0.2.${n}:${port}`;

Deno.test("punches: the first goes out at once, each further one 10 ms later, and then nothing is due", () => {
  const { sent, add, pass, punches: p } = punches();
  for (let n = 1; n <= 3; n++) add(address(n));
  pass(1000);
  assertEquals(sent, [1, 2, 3].map((n) => ({ to: address(n), at: (n - 1) * 10 })));
  assertEquals(p.nextWake, undefined);
  add(address(1));
  assertEquals(sent.length, 4);
});

Deno.test("punches: an IP address that waits has one place, and of a flood 256 wait", () => {
  const { sent, add, pass } = punches();
  add(address(0));
  for (let n = 0; n < 300; n++) for (let port = 1; port <= 3; port++) add(`10.0.${n >> 8}.${n & 255}:${port}`);
  pass(60_000);
  const first = Array.from({ length: 256 }, (_, n) => `10.0.0.${n}:1`);
  assertEquals(sent.map(({ to }) => to), [address(0), ...first]);
});

Deno.test("punches: 64 bits of IPv6 are one place", () => {
  const { sent, add, pass } = punches();
  add(address(0));
  for (const end of ["1", "2", "ffff:1"]) add(`[2001:db8::${end}]:40000`);
  add("[2001:db8:0:1::1]:40000");
  pass(60_000);
  assertEquals(sent.slice(1).map(({ to }) => to), ["[2001:db8::1]:40000", "[2001:db8:0:1::1]:40000"]);
});

Deno.test("punches: in a flood of strangers who has written before waits for one of them at most, and no stranger for ever", () => {
  const { sent, add, pass } = punches();
  const flood = (isKnown: boolean) => {
    for (let n = 1; n <= 40; n++) add(address(n), isKnown);
  };
  for (const isKnown of [true, false]) {
    flood(!isKnown);
    const before = sent.length;
    add(address(100), isKnown);
    for (let ms = 0; ms < 100; ms += 10) {
      pass(10);
      flood(!isKnown);
    }
    assertEquals(sent.slice(before, before + 2).some(({ to }) => to === address(100)), true);
    pass(60_000);
  }
});

Deno.test("punches: who floods from one IP address keeps no other waiting", () => {
  const { sent, add, pass } = punches();
  for (let i = 0; i < 1000; i++) {
    add(address(1, 1024 + i), i % 2 === 0);
    if (i === 500) add(address(2));
    pass(4);
  }
  const at = sent.find(({ to }) => to === address(2))?.at ?? Infinity;
  assertEquals(at <= 500 * 4 + 3 * 50, true, `sent at ${at}`);
});

Deno.test("punches: who looks this client up without end keeps no neighbour behind the same NAT from being let in", () => {
  const { sent, add, pass } = punches();
  for (let ms = 0; ms < 5000; ms += 4) {
    add(address(1, 1000));
    // the neighbour looks it up as a client does
    if ([400, 652, 1152, 2152, 3152, 4152].includes(ms)) add(address(1, 2000));
    pass(4);
  }
  assertEquals(sent.some(({ to }) => to === address(1, 2000)), true);
  assertEquals(sent.filter(({ to }) => to === address(1, 1000)).length <= 6, true);
});
