/** The addresses of this machine: which of them others can type, and nobody is asked for the permission. */
import { assert, assertEquals } from "@std/assert";
import { networkInterfaces, ownAddresses } from "../../runtime/own_addresses.ts";
import { interfaces, withInterfaces } from "../support/interfaces.ts";

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
