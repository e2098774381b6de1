/** The networks of this machine: read now and then, and none without the permission. */
import { assert, assertEquals } from "@std/assert";
import { addressBytes, isInNetwork } from "../../protocol/ip_network.ts";
import { LocalNetworks } from "../../server/local_networks.ts";

const includes = (networks: LocalNetworks, address: string, time: number) =>
  networks.read(time).some((network) => isInNetwork(addressBytes(address)!, network));

Deno.test("local networks: they follow when the machine changes its network, after 10 s at the latest", () => {
  let cidr = "203.0.113.7/24", calls = 0;
  const networks = new LocalNetworks(() => {
    calls++;
    return [{ cidr: "127.0.0.1/8" }, { cidr }];
  });
  for (let time = 0; time < 10_000; time += 10) assert(includes(networks, "203.0.113.200", time));
  assertEquals(calls, 1);
  cidr = "198.51.100.7/24";
  assertEquals(includes(networks, "203.0.113.200", 10_000), false);
  assertEquals(includes(networks, "198.51.100.200", 10_001), true);
  assertEquals(calls, 2);
});

Deno.test("local networks: a tunnel whose network is all addresses is none", () => {
  const networks = new LocalNetworks(() => [{ cidr: "203.0.113.7/0" }, { cidr: "2001:db8::1/0" }, { cidr: "?" }]);
  assertEquals(networks.read(0), []);
});

Deno.test({
  name: "local networks: without the permission there are none, and nobody is asked for it",
  permissions: { sys: false },
  fn: () => assertEquals(new LocalNetworks().read(0), []),
});

Deno.test("local networks: this machine's loopback network is among them", () => {
  assert(includes(new LocalNetworks(), "127.0.0.1", 0));
});

Deno.test("local networks: the machine's own addresses are known, also one in a network of all addresses", () => {
  const networks = new LocalNetworks(() => [{ cidr: "203.0.113.7/24" }, { cidr: "2001:db8::1/0" }]);
  assertEquals(networks.addresses(0), ["203.0.113.7", "2001:db8::1"].map((address) => addressBytes(address)!));
  assertEquals(new LocalNetworks(() => undefined).addresses(0), []);
  const own = new LocalNetworks().addresses(0).map(String);
  assert(own.includes(String(addressBytes("127.0.0.1")!)));
});
