/** What an address tells: its family, whether it is a loopback address, and which others count as the same. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { addressKey, familyOf, hasKeyOf, isLoopback } from "../../protocol/address_key.ts";
import { addressBytes } from "../../protocol/ip_network.ts";

/** IPv6 addresses with many zeros, in every form of text. */
const ipv6 = fc.oneof(
  fc.ipV6(),
  fc.array(fc.constantFrom("0", "1", "fd00", "0db8"), { minLength: 8, maxLength: 8 }).map((groups) =>
    groups.join(":").replace(/(^|:)0(:0)*(:|$)/, "::")
  ),
).filter((hostname) => addressBytes(hostname) !== undefined);

Deno.test("address key: two IPv6 addresses have the same when their first 64 bits are the same", () => {
  const network = (hostname: string) => addressBytes(hostname)!.subarray(0, 8).join();
  fc.assert(fc.property(ipv6, ipv6, (one, other) => {
    const groups = addressKey(`[${one}]:1`).split(":").map(Number);
    assertEquals(groups.flatMap((group) => [group >> 8, group & 255]).join(), network(one));
    assertEquals(hasKeyOf(`[${one}]:1`)(`[${other}]:65535`), network(one) === network(other));
  }));
});

Deno.test("address key: the end of an address, a zone and the port do not count, the first 64 bits do", () => {
  const hasKey = hasKeyOf("[fe80::1]:1"), key = addressKey("[fe80::1]:1");
  const same = ["[fe80::2]:9", "[fe80::]:1", "[fe80::1%eth0]:1", "[FE80:0:0:0:1:2:3:4]:1", "[fe80::1.2.3.4]:1"];
  for (const other of same) assertEquals([addressKey(other), hasKey(other)], [key, true], other);
  const others = ["[fe80:0:0:1::1]:1", "[::fe80]:1", "[fe80:1::1.2.3.4]:1", "[fe80::1:2:3:1.2.3.4]:1", "10.0.0.1:1"];
  for (const other of others) assertEquals([addressKey(other) === key, hasKey(other)], [false, false], other);
});

Deno.test("address key: an IPv4 address is a key of its own, whatever the port", () => {
  const hasKey = hasKeyOf("10.0.0.1:1");
  assertEquals([addressKey("10.0.0.1:1"), addressKey("10.0.0.1:65535")], ["10.0.0.1", "10.0.0.1"]);
  assertEquals([hasKey("10.0.0.1:9"), hasKey("10.0.0.10:9"), hasKey("[fe80::1]:9")], [true, false, false]);
});

Deno.test("address key: loopback is 127.0.0.0/8 and ::1, and no address that begins alike", () => {
  for (const address of ["127.0.0.1:1", "127.255.0.9:1", "[::1]:1"]) assertEquals(isLoopback(address), true, address);
  const others = ["12.7.0.1:1", "128.0.0.1:1", "10.127.0.1:1", "[::10]:1", "[::1:1]:1", "[fe80::1]:1", "[127::1]:1"];
  for (const address of others) assertEquals(isLoopback(address), false, address);
});

Deno.test("address key: an address is of IPv4 or IPv6, with a zone too", () => {
  for (const address of ["10.0.0.7:1", "127.0.0.1:65535"]) assertEquals(familyOf(address), "IPv4");
  for (const address of ["[::1]:1", "[fe80::1%eth0]:9", "[::ffff:10.0.0.7]:1"]) assertEquals(familyOf(address), "IPv6");
});
