/** At which address of this server a client at a loopback address should join: as printed, and none where there is none. */
import { assertEquals } from "@std/assert";
import { JoinAddresses } from "../../server/join_addresses.ts";
import { interfaces, withInterfaces } from "../support/interfaces.ts";

const bound = (hostname: string): Deno.NetAddr => ({ transport: "udp", hostname, port: 9090 });
/** The first addresses of both families. */
const firstOf = (addresses: JoinAddresses, time = 0) =>
  (["IPv4", "IPv6"] as const).map((family) => addresses.choose(family, undefined, time));

Deno.test("join addresses: the first that the server prints of a family, with the port", () => {
  const all = interfaces("127.0.0.1", "192.0.2.7", "192.0.2.8", "::1", "fe80::1", "2001:db8::7");
  withInterfaces(() => all, () => {
    assertEquals(firstOf(new JoinAddresses(bound("::"))), ["192.0.2.7:9090", "[2001:db8::7]:9090"]);
    assertEquals(firstOf(new JoinAddresses(bound("0.0.0.0"))), ["192.0.2.7:9090", undefined]);
    assertEquals(firstOf(new JoinAddresses(bound("192.0.2.8"))), ["192.0.2.8:9090", undefined]);
  });
});

Deno.test("join addresses: the one that others have asked before the first, which may be in a network of this machine alone", () => {
  const all = interfaces("172.17.0.1", "192.168.1.10", "10.0.0.7", "2001:db8::7", "2001:db8:1::7", "::1");
  withInterfaces(() => all, () => {
    const addresses = new JoinAddresses(bound("::"));
    for (const via of ["172.17.0.1", "192.168.1.10", "10.0.0.7"]) {
      assertEquals(addresses.choose("IPv4", via), `${via}:9090`);
    }
    assertEquals(addresses.choose("IPv6", "2001:db8:1::7"), "[2001:db8:1::7]:9090");
    for (const via of ["192.168.1.1", "2001:db8::7", "127.0.0.1", undefined]) {
      assertEquals(addresses.choose("IPv4", via), "172.17.0.1:9090");
    }
    assertEquals(addresses.choose("IPv6", "::1"), "[2001:db8::7]:9090");
  });
});

Deno.test("join addresses: none where the server listens on loopback only, or the machine has no other address", () => {
  withInterfaces(() => interfaces("127.0.0.1", "::1", "192.0.2.7"), () => {
    for (const host of ["127.0.0.1", "::1"]) {
      assertEquals(firstOf(new JoinAddresses(bound(host))), [undefined, undefined]);
    }
  });
  withInterfaces(() => interfaces("127.0.0.1", "::1"), () => {
    assertEquals(firstOf(new JoinAddresses(bound("::"))), [undefined, undefined]);
  });
});

Deno.test("join addresses: they follow when the machine changes its network, after 10 s at the latest", () => {
  let address = "192.0.2.7";
  const addresses = new JoinAddresses(bound("0.0.0.0"));
  const calls = withInterfaces(() => interfaces(address), () => {
    for (let time = 0; time < 10_000; time += 10) {
      assertEquals(addresses.choose("IPv4", undefined, time), "192.0.2.7:9090");
      address = "198.51.100.7";
    }
    assertEquals(addresses.choose("IPv4", undefined, 10_000), "198.51.100.7:9090");
  });
  assertEquals(calls, 2);
});

Deno.test({
  name: "join addresses: without the permission there are none, and nobody is asked for it",
  permissions: { sys: false },
  fn: () => assertEquals(firstOf(new JoinAddresses(bound("::"))), [undefined, undefined]),
});
