/** What the user is told of the way to a peer. */
import { assertEquals } from "@std/assert";
import { relayNotice, whyNotDirectly, whyNoWay } from "../../../client/session/way_words.ts";

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
    [LOOPBACK, LAN, "Bob joined by 127.0.0.1, you did not"],
    [LAN, LOOPBACK, "you joined by 127.0.0.1, Bob did not"],
    [IPV6, IPV6_LOOPBACK, "you joined by ::1, Bob did not"],
    [LOOPBACK, "127.0.0.1:1", "Bob can't be reached directly"],
  ];
  for (const [address, self, why] of cases) assertEquals(whyNotDirectly("Bob", { address, relay: true }, self), why);
  // what only this client has found out has no reason that it knows
  assertEquals(whyNotDirectly("Bob", { address: LOOPBACK }, LAN), "Bob can't be reached directly");
  const over = (transport: string) => whyNotDirectly("Bob", { address: IPV6, relay: true, transport }, LAN);
  assertEquals([over("tcp"), over("web")], ["Bob has a TCP connection", "Bob can't be reached directly"]);
});

Deno.test("way words: where there is no way at all, why none of both", () => {
  const peer = { address: LOOPBACK, relay: true };
  assertEquals(
    whyNoWay("Bob", { ...peer, norelay: true }, { self: LAN, forbidden: "it is forbidden" }),
    "Bob joined by 127.0.0.1, you did not, and this server passes no private messages on",
  );
  assertEquals(
    whyNoWay("Bob", peer, { self: LAN, forbidden: "it is forbidden" }),
    "Bob joined by 127.0.0.1, you did not, and it is forbidden",
  );
  assertEquals(whyNoWay("Bob", { address: LAN }, { self: LAN }), "Bob can't be reached directly");
});
