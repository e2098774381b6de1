/** The addresses of this machine: which of them others can type, and nobody is asked for the permission. */
import { assert, assertEquals } from "@std/assert";
import { networkInterfaces, ownAddresses } from "../../runtime/own_addresses.ts";

const interfaces = (...addresses: string[]): Deno.NetworkInterfaceInfo[] =>
  addresses.map((address) => ({
    name: "eth0",
    family: address.includes(":") ? "IPv6" : "IPv4",
    address,
    netmask: "",
    scopeid: null,
    cidr: `${address}/24`,
    mac: "",
  }));

/** Runs `body` while the system lists other interfaces; returns how often it was asked. */
function withInterfaces(list: () => Deno.NetworkInterfaceInfo[], body: () => void): number {
  const { networkInterfaces } = Deno;
  let calls = 0;
  Deno.networkInterfaces = () => {
    calls++;
    return list();
  };
  try {
    body();
  } finally {
    Deno.networkInterfaces = networkInterfaces;
  }
  return calls;
}

Deno.test("own addresses: each that another machine can reach, once, of IPv6 only behind an IPv6 wildcard", () => {
  const all = interfaces("127.0.0.1", "192.0.2.7", "192.0.2.7", "::1", "fe80::1", "2001:db8::7");
  withInterfaces(() => all, () => {
    assertEquals(ownAddresses("0.0.0.0"), ["192.0.2.7"]);
    assertEquals(ownAddresses("::"), ["192.0.2.7", "2001:db8::7"]);
  });
});

Deno.test({
  name: "own addresses: without the permission there are none, and the system is not even asked",
  permissions: { sys: false },
  fn() {
    const calls = withInterfaces(() => [], () =>
      assertEquals([networkInterfaces(), ownAddresses("::")], [
        undefined,
        undefined,
      ]));
    assertEquals(calls, 0);
  },
});

Deno.test("own addresses: a system that can't list its interfaces has none", () => {
  const fail = () => {
    throw new Error("no netlink");
  };
  assert(withInterfaces(fail, () => assertEquals(ownAddresses("::"), undefined)) > 0);
});
