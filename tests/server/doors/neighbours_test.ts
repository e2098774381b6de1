/** The neighbours: at which addresses nearby a machine is, as the system's table and the networks of this machine say. */
import { assertEquals } from "@std/assert";
import { parseNetwork } from "../../../protocol/ip_network.ts";
import { Neighbours, type NeighbourTable } from "../../../server/doors/neighbours.ts";

/** Neighbours of a machine that is 10.0.0.1 and fd00::1, and whose tunnel is 10.8.0.1. */
function openNeighbours(table: NeighbourTable | undefined) {
  const networks = ["127.0.0.1/8", "10.0.0.1/24", "10.8.0.1/24", "fd00::1/64"].map((text) => parseNetwork(text)!);
  const system = { table, looks: 0 };
  const read = () => {
    system.looks++;
    return system.table;
  };
  const neighbours = new Neighbours({ read, localNetworks: () => networks });
  neighbours.look(0);
  return { neighbours, system };
}

const TABLE = new Map([["10.0.0.7", true], ["10.0.0.8", false], ["fd00::7", true], ["fd00::8", false]]);

Deno.test("neighbours: present and absent is who the system says it is", () => {
  const { neighbours } = openNeighbours(TABLE);
  for (const address of ["10.0.0.7", "fd00::7"]) {
    assertEquals([neighbours.isPresent(address), neighbours.isAbsent(address)], [true, false], address);
  }
  for (const address of ["10.0.0.8", "fd00::8", "fd00::8"]) {
    assertEquals([neighbours.isPresent(address), neighbours.isAbsent(address)], [false, true], address);
  }
});

Deno.test("neighbours: an address nearby that the system does not know is neither", () => {
  const { neighbours } = openNeighbours(TABLE);
  for (const address of ["10.0.0.9", "fd00::9"]) {
    assertEquals([neighbours.isPresent(address), neighbours.isAbsent(address)], [false, false], address);
  }
});

Deno.test("neighbours: this machine, what is behind a router, and what is in a tunnel counts as present", () => {
  const { neighbours } = openNeighbours(TABLE);
  for (const address of ["10.0.0.1", "127.0.0.1", "127.0.0.9", "::1", "192.0.2.1", "10.8.0.9"]) {
    assertEquals([neighbours.isPresent(address), neighbours.isAbsent(address)], [true, false], address);
  }
});

Deno.test("neighbours: the system is asked ten times a second at most, and may not know", () => {
  const { neighbours, system } = openNeighbours(TABLE);
  neighbours.look(99);
  assertEquals([system.looks, neighbours.lookedAt], [1, 0]);
  system.table = undefined;
  neighbours.look(100);
  assertEquals([system.looks, neighbours.lookedAt], [2, 100]);
  assertEquals([neighbours.isPresent("10.0.0.8"), neighbours.isAbsent("10.0.0.8")], [true, false]);
});

Deno.test("neighbours: of 10,000 addresses it is remembered that somebody was there, of those that were seen last", () => {
  const { neighbours, system } = openNeighbours(new Map([["10.0.0.7", true], ["10.0.0.8", true]]));
  const others = (n: number) =>
    Array.from({ length: n }, (_, i): [string, boolean] => [`10.1.${i >> 8}.${i & 255}`, true]);
  system.table = new Map([["10.0.0.7", true], ...others(9999)]);
  neighbours.look(100);
  assertEquals(["10.0.0.7", "10.0.0.8", "10.0.0.9"].map((host) => neighbours.wasPresent(host)), [true, false, false]);
});
