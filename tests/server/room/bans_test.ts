/** Who is banned: names and what looks like them, tokens, networks. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { addressBytes } from "../../../protocol/ip_network.ts";
import type { KeptBan } from "../../../server/journal/past.ts";
import { skeletons } from "../../../protocol/look_alikes.ts";
import { Bans } from "../../../server/room/bans.ts";

const ban = (what: string, more: Partial<KeptBan> = {}): KeptBan => ({ what, holder: "", until: undefined, ...more });

function bansOf(...whats: string[]): Bans {
  return new Bans({ kept: whats.map((what) => ban(what)), time: (now) => now });
}

Deno.test("bans: a network hits the addresses in it, of both families, and no others", () => {
  const bans = bansOf("10.0.0.0/24", "192.0.2.7", "2001:db8::/33", "fe80::1");
  const isHit = (address: string) => bans.ofAddress(address, 0) !== undefined;
  for (
    const address of [
      "10.0.0.0:1",
      "10.0.0.255:65535",
      "192.0.2.7:9",
      "[::ffff:192.0.2.7]:9",
      "[2001:db8:7fff::1]:9",
      "[fe80::1%eth0]:9",
    ]
  ) assert(isHit(address), address);
  for (const address of ["10.0.1.0:1", "192.0.2.8:9", "[2001:db8:8000::1]:9", "[fe80::2%eth0]:9", "127.0.0.1:9"]) {
    assert(!isHit(address), address);
  }
});

Deno.test("bans: of all networks that an address is in, one that has not ended counts", () => {
  const bans = new Bans({ time: (now) => now });
  bans.add(ban("10.0.0.0/8", { until: 50 }));
  bans.add(ban("10.0.0.0/9", { until: 100 }));
  assert(bans.ofAddress("10.0.0.1:1", 99));
  assertEquals(bans.ofAddress("10.0.0.1:1", 100), undefined);
  assertEquals(bans.ofAddress("10.128.0.1:1", 60), undefined);
  assertEquals([bans.all(60).length, bans.size], [1, 2]);
  bans.clear(100);
  assertEquals(bans.size, 0);
});

Deno.test("bans: this machine's own addresses are hit by none", () => {
  const own = ["10.0.0.5", "2001:db8::5"].map((address) => addressBytes(address)!);
  const bans = new Bans({ kept: [ban("0.0.0.0/0"), ban("::/0")], ownAddresses: () => own, time: (now) => now });
  for (const address of ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "10.0.0.5:1", "[2001:db8::5]:1"]) {
    assertEquals(bans.ofAddress(address, 0), undefined, address);
  }
  for (const address of ["10.0.0.6:1", "[2001:db8::6]:1"]) assert(bans.ofAddress(address, 0), address);
});

Deno.test("bans: a name hits what looks like it, until the last such ban ends", () => {
  const bans = bansOf("Alice", "AIice");
  for (const name of ["alice", "ALICE", "\u0410lice", "Alice"]) assert(bans.ofName(name, 0), name);
  for (const name of ["Alicia", "Bob"]) assertEquals(bans.ofName(name, 0), undefined);
  assert(bans.remove("ALICE"));
  assert(bans.ofName("\u0410Iice", 0), "looks like AIice still");
  assert(!bans.remove("Alice"));
  assert(bans.remove("AIice"));
  assertEquals(bans.ofName("Alice", 0), undefined);
});

Deno.test("bans: the same name or network again takes the place of the first; the keeper hears of all", () => {
  const kept = new Map<string, KeptBan>();
  const keeper = {
    putBan: (ban: KeptBan) => void kept.set(ban.what, ban),
    dropBans: (whats: readonly string[]) => whats.forEach((what) => kept.delete(what)),
  };
  const bans = new Bans({ keeper, time: (now) => now });
  bans.add(ban("Bob", { holder: "a" }));
  bans.add(ban("BOB", { holder: "b", until: 9 }));
  bans.add(ban("10.0.0.7"));
  assertEquals([...kept.keys()], ["BOB", "10.0.0.7"]);
  assertEquals([bans.ofHolder("a", 0), bans.ofHolder("b", 0)?.what], [undefined, "BOB"]);
  bans.clear(9);
  assertEquals([...kept.keys()], ["10.0.0.7"]);
  assert(bans.remove("10.0.0.7/32"));
  assertEquals([kept.size, bans.size], [0, 0]);
});

Deno.test("bans: a look-up among 10,000 looks at as few as among 30", () => {
  /** How often a ban or a place for one is looked at, for whoever is not banned, where there are so many. */
  const looksAmong = (count: number): number => {
    let looks = 0;
    const counted = (what: string) => new Proxy(ban(what), { get: (of, key) => (looks++, Reflect.get(of, key)) });
    const kept = Array.from({ length: count }, (_, i) => {
      const network = `2001:db8:${i.toString(16)}::/${48 + i % 5}`;
      return [`name${i}`, `10.${i >> 8}.${i & 255}.0/24`, network].map(counted);
    });
    const bans = new Bans({ kept: kept.flat(), time: (now) => now });
    // how it looks is remembered
    skeletons("Alice");
    const { get } = Map.prototype;
    looks = 0;
    Map.prototype.get = function (key) {
      looks++;
      return get.call(this, key);
    };
    try {
      for (const address of ["11.0.0.1:9", "[2001:db9::1]:9"]) assertEquals(bans.ofAddress(address, 0), undefined);
      assertEquals([bans.ofHolder("0123456789abcdef", 0), bans.ofName("Alice", 0)], [undefined, undefined]);
    } finally {
      Map.prototype.get = get;
    }
    return looks;
  };
  const few = looksAmong(10);
  assertGreater(few, 0);
  assertEquals(looksAmong(3400), few);
});
