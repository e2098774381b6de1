/** What the user is told of the way to a peer. */
import { assertEquals } from "@std/assert";
import { Way } from "../../../client/session/way.ts";
import {
  type Forbidden,
  isOwnLoopback,
  relayNotice,
  sentNotice,
  whyNoAnswer,
  whyNotDirectly,
  whyNoWay,
} from "../../../client/session/way_words.ts";

const LAN = "192.168.1.22:40112", LOOPBACK = "127.0.0.1:40112", IPV6 = "[2001:db8::7]:40112", IPV6_LOOPBACK = "[::1]:1";

Deno.test("way words: before the first text goes through the server, why it does", () => {
  const peer = { address: LAN };
  assertEquals(
    relayNotice(whyNotDirectly("Bob", peer, LAN)),
    "Bob can't be reached directly; sending through the server. /direct only forbids that",
  );
  const cases: [address: string, self: string | undefined, why: string][] = [
    [LAN, "192.168.1.23:1", "Bob can't be reached directly"],
    [LAN, undefined, "Bob can't be reached directly"],
    [IPV6, LAN, "Bob has an IPv6 address, you have an IPv4 address"],
    [LAN, IPV6, "Bob has an IPv4 address, you have an IPv6 address"],
    [LOOPBACK, LAN, "Bob has joined by 127.0.0.1 and you have not"],
    [LAN, LOOPBACK, "you have joined by 127.0.0.1 and Bob has not"],
    [IPV6, IPV6_LOOPBACK, "you have joined by ::1 and Bob has not"],
    [LOOPBACK, "127.0.0.1:1", "Bob can't be reached directly"],
  ];
  for (const [address, self, why] of cases) {
    for (const classic of [false, true]) {
      if (classic && why.endsWith("directly")) continue;
      assertEquals(whyNotDirectly("Bob", { address, relay: true, classic }, self), why);
    }
    assertEquals(isOwnLoopback({ address, relay: true }, self), why.startsWith("you have joined"), why);
  }
  // what only this client has found out has no reason that it knows
  assertEquals(whyNotDirectly("Bob", { address: LOOPBACK }, LAN), "Bob can't be reached directly");
  const over = (transport: string) => whyNotDirectly("Bob", { address: IPV6, relay: true, transport }, LAN);
  assertEquals([over("tcp"), over("web")], ["Bob has a TCP connection", "Bob can't be reached directly"]);
  // where the way is the connection's, the addresses do not matter
  assertEquals(isOwnLoopback({ address: LAN, relay: true, transport: "tcp" }, LOOPBACK), false);
});

Deno.test("way words: a notice begins with a capital, but a name keeps its spelling", () => {
  const notice = (name: string, address: string) =>
    relayNotice(whyNotDirectly(name, { address, relay: true }, LOOPBACK));
  const rest = "sending through the server. /direct only forbids that";
  assertEquals(notice("Bob", LAN), `You have joined by 127.0.0.1 and Bob has not; ${rest}`);
  assertEquals(notice("you", LOOPBACK), `you can't be reached directly; ${rest}`);
});

Deno.test("way words: a classic program confirms nothing, so what it gets is not delivered but sent", () => {
  const why = whyNotDirectly("Carole", { address: LAN, classic: true }, LAN);
  assertEquals(
    relayNotice(why),
    "Carole has a classic program, which confirms nothing; sending through the server. /direct only forbids that",
  );
  const told = (isClassic: boolean, isRelayed: boolean) => sentNotice("Carole", "hi", { isClassic, isRelayed });
  assertEquals([told(true, false), told(true, true), told(false, false), told(false, true)], [
    "Sent directly to Carole, whose program may not take it (nc -u does not): hi",
    "Sent through the server to Carole, whose classic program does not confirm: hi",
    "Delivered to Carole: hi",
    "Delivered to Carole (through the server): hi",
  ]);
});

Deno.test("way words: where there is no way at all, why none of both, and how the user could change it", () => {
  const peer = { address: LOOPBACK, relay: true }, join = "192.168.1.10:9090", forbidden = "flag";
  const passed = "this server passes no private messages on", has = "has joined by 127.0.0.1 and you have not";
  assertEquals(whyNoWay("Bob", { ...peer, norelay: true }, { self: LAN, join, forbidden }), `Bob ${has}; ${passed}`);
  assertEquals(
    whyNoWay("Bob", peer, { self: LAN, forbidden }),
    `Bob ${has}; you have forbidden the way through the server (start without --no-relay to allow it)`,
  );
  assertEquals(
    whyNoWay("Bob", peer, { self: LAN, forbidden: "before" }),
    `Bob ${has}; the way through the server was forbidden when it was said`,
  );
  assertEquals(whyNoWay("Bob", { address: LAN }, { self: LAN }), "Bob can't be reached directly");
  const own = "you have joined by 127.0.0.1 and Bob has not", there = { address: LAN, relay: true };
  assertEquals(whyNoWay("Bob", { ...there, norelay: true }, { self: LOOPBACK }), `${own}; ${passed}`);
  assertEquals(
    whyNoWay("Bob", { ...there, norelay: true }, { self: LOOPBACK, join }),
    `${own}; ${passed}. To reach Bob, leave and join by 192.168.1.10 9090`,
  );
  assertEquals(
    whyNoWay("Bob", there, { self: LOOPBACK, join: "[fd00::10]:9090", forbidden: "command" }),
    `${own}; you have forbidden the way through the server (/direct first allows it). ` +
      "To reach Bob, leave and join by fd00::10 9090",
  );
});

Deno.test("way words: why what waits is given up, by the name, and which ways were tried", () => {
  const why = (says: { relay?: boolean; norelay?: boolean } | undefined, forbidden?: Forbidden) => {
    const way = new Way(forbidden !== undefined);
    way.begin(0);
    if (says) way.locate({ address: LAN, pass: "e04b7d19c5a2638f", ...says }, 0);
    return whyNoAnswer("Bob", way, forbidden);
  };
  const maybe = "it may have lost its network, or ignores you";
  const directly = "Bob has not answered directly: it may be gone, ignore you, or be reached through the server only";
  assertEquals(why(undefined), "the server does not say where it is");
  assertEquals(why({}), `Bob has not answered, directly or through the server: ${maybe}`);
  assertEquals(why({ relay: true }), `Bob has not answered, through the server: ${maybe}`);
  assertEquals(why({}, "command"), `${directly}, which you have forbidden (/direct first allows it)`);
  assertEquals(why({}, "flag"), `${directly}, which you have forbidden (start without --no-relay to allow it)`);
  assertEquals(why({}, "before"), `${directly}, which was forbidden when it was said`);
  const passed = "and this server passes no private messages on";
  for (const forbidden of [undefined, "flag"] as const) {
    assertEquals(why({ norelay: true }, forbidden), `${directly}, ${passed}`);
  }
});
