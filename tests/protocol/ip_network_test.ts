/** IP networks: which texts are networks, and which addresses are in them. */
import { assertEquals } from "@std/assert";
import { addressBytes, formatNetwork, isInNetwork, parseNetwork } from "../../protocol/ip_network.ts";

function isIn(address: string, network: string): boolean {
  return isInNetwork(addressBytes(address)!, parseNetwork(network)!);
}

Deno.test("IP network: the first and the last address are in it, their neighbours are not", () => {
  const networks: [network: string, inside: string[], outside: string[]][] = [
    ["10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0", "::a00:1"]],
    ["172.16.0.0/12", ["172.16.0.0", "172.31.255.255"], ["172.15.255.255", "172.32.0.0"]],
    ["100.64.0.0/10", ["100.64.0.0", "100.127.255.255"], ["100.63.255.255", "100.128.0.0"]],
    ["192.168.1.7/24", ["192.168.1.0", "192.168.1.255"], ["192.168.0.255", "192.168.2.0"]],
    ["192.168.1.7/31", ["192.168.1.6", "192.168.1.7"], ["192.168.1.5", "192.168.1.8"]],
    ["192.168.1.7", ["192.168.1.7"], ["192.168.1.6", "192.168.1.8"]],
    ["0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::1", "2001:db8::1"]],
    ["fe80::/10", ["fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe80::1%eth0"], ["fe7f:ffff::", "fec0::"]],
    ["fc00::/7", ["fc00::", "fdff:ffff::1"], ["fbff::", "fe00::"]],
    ["2001:db8:1:2::/64", ["2001:db8:1:2::", "2001:db8:1:2:ffff:ffff:ffff:ffff"], ["2001:db8:1:1::", "2001:db8:1:3::"]],
    ["2001:db8::1/128", ["2001:db8::1", "2001:0DB8:0:0:0:0:0:1"], ["2001:db8::", "2001:db8::2"]],
    ["::/0", ["::", "2001:db8::1", "10.0.0.1"], []],
  ];
  for (const [network, inside, outside] of networks) {
    for (const address of inside) assertEquals(isIn(address, network), true, `${address} in ${network}`);
    for (const address of outside) assertEquals(isIn(address, network), false, `${address} in ${network}`);
  }
});

Deno.test("IP network: an IPv4-mapped address is the IPv4 address", () => {
  assertEquals(isIn("::ffff:10.1.2.3", "10.0.0.0/8"), true);
  assertEquals(isIn("::ffff:a01:203", "10.1.2.3"), true);
  assertEquals(isIn("10.1.2.3", "::ffff:10.0.0.0/104"), true);
  assertEquals(isIn("11.1.2.3", "::ffff:10.0.0.0/104"), false);
});

Deno.test("IP network: what is no network is undefined", () => {
  const texts = [
    ...["", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/8/8", "10.0.0.0 /8", "10.0.0/8"],
    ...["256.0.0.0/8", "fe80::/129", "fe80::%eth0/10", "fe80:::/10", "[fe80::]/10", "any", "localhost", "10.0.0.0/8.5"],
  ];
  for (const text of texts) assertEquals(parseNetwork(text), undefined, text);
  assertEquals(addressBytes("example.org"), undefined);
});

Deno.test("ip network: its shortest text has no bits behind the prefix, and is read as the same network", () => {
  for (
    const [text, shortest] of [
      ["10.0.0.7", "10.0.0.7"],
      ["10.0.0.7/32", "10.0.0.7"],
      ["10.1.2.255/25", "10.1.2.128/25"],
      ["10.255.0.1/9", "10.128.0.0/9"],
      ["0.0.0.0/0", "0.0.0.0/0"],
      ["::ffff:10.0.0.7", "10.0.0.7"],
      ["::ffff:10.0.0.7/120", "10.0.0.0/24"],
      ["2001:DB8:0:0::7", "2001:db8::7"],
      ["2001:db8:aaaa:bbbb:cccc::/63", "2001:db8:aaaa:bbba::/63"],
      ["::1", "::1"],
      ["::/0", "::/0"],
      ["fe80::1/10", "fe80::/10"],
    ]
  ) {
    assertEquals(formatNetwork(parseNetwork(text)!), shortest);
    assertEquals(formatNetwork(parseNetwork(shortest)!), shortest);
  }
});
