/** Whether the server sees a client where it is. */
import { assertEquals, assertMatch } from "@std/assert";
import { whyPassedOn } from "../../../client/session/whereabouts.ts";

const INTERFACES = [
  "127.0.0.1/8",
  "::1/128",
  "192.168.1.21/24",
  "fe80::21/64",
  "172.17.0.1/16",
  "10.8.0.2/32",
  "0.0.0.0/0",
];

/** Whether a server at an address may see this client, on port 52207, at another. */
function isAllowed(server: string, seen: string, ...others: string[]): boolean {
  return whyPassedOn(seen, { servers: [server, ...others], port: 52207, interfaces: INTERFACES }) === undefined;
}

Deno.test("whereabouts: in its own network, and on its own machine, a client is seen at its own address", () => {
  const cases: [server: string, seen: string, isAllowed: boolean][] = [
    ["192.168.1.10:9090", "192.168.1.21:52207", true],
    ["192.168.1.10:9090", "192.168.1.21:52208", false],
    ["192.168.1.10:9090", "192.168.1.66:52207", false],
    ["192.168.1.10:9090", "203.0.113.5:52207", false],
    // many machines have these, so a server that passes a login on may be seen at them too
    ["192.168.1.10:9090", "127.0.0.1:52207", false],
    ["192.168.1.10:9090", "172.17.0.1:52207", false],
    ["127.0.0.1:9090", "127.0.0.1:52207", true],
    ["127.0.0.1:9090", "127.0.0.1:52208", false],
    ["127.0.0.5:9090", "127.0.0.5:52207", true],
    ["[::1]:9090", "[::1]:52207", true],
    ["[::1]:9090", "[::1]:1", false],
    ["192.168.1.21:9090", "192.168.1.21:52207", true],
    ["192.168.1.21:9090", "192.168.1.21:40000", false],
    // each machine names its zones in its own way
    ["[fe80::10%eth0]:9090", "[fe80::21%wlan3]:52207", true],
    ["[fe80::10%eth0]:9090", "[fe80::66%wlan3]:52207", false],
  ];
  for (const [server, seen, expected] of cases) assertEquals(isAllowed(server, seen), expected, `${server} ${seen}`);
});

Deno.test("whereabouts: behind a router anything may be true", () => {
  for (const server of ["203.0.113.1:9090", "10.0.0.1:9090", "[2001:db8::1]:9090", "10.8.0.1:9090"]) {
    assertEquals(isAllowed(server, "198.51.100.7:1"), true);
  }
  assertEquals(whyPassedOn("192.168.1.66:1", undefined), undefined);
  assertEquals(whyPassedOn("192.168.1.66:1", { servers: ["192.168.1.10:1"], port: 1, interfaces: [] }), undefined);
});

Deno.test("whereabouts: a server of the own network that answers from elsewhere is no exception", () => {
  assertEquals(isAllowed("192.168.1.10:9090", "192.168.1.66:52207", "203.0.113.1:9090"), false);
  assertEquals(isAllowed("192.168.1.10:9090", "192.168.1.21:52207", "203.0.113.1:9090"), true);
});

Deno.test("whereabouts: the user reads both addresses", () => {
  const interfaces = ["192.168.1.21/24"], servers = ["192.168.1.10:9090"];
  assertMatch(
    whyPassedOn("192.168.1.66:40112", { servers, interfaces, port: 52207 })!,
    /^The server sees you at 192\.168\.1\.66:40112, but you are at 192\.168\.1\.21:52207: .* pass your login on.*--nat$/,
  );
});
