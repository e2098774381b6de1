/** The flags for the classic dialect, and the lines about who was refused. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { readCommandLine } from "../../runtime/command_line.ts";
import { UsageError } from "../../runtime/program.ts";
import { CLASSIC_FLAGS, parseClassic } from "../../server/classic_flags.ts";
import { refusalLog } from "../../server/refusal_log.ts";
import { ClassicPolicy } from "../../server/room/classic_policy.ts";
import { peerOf } from "../support/peer_of.ts";

const parse = (...args: string[]) =>
  parseClassic(readCommandLine(args, { string: CLASSIC_FLAGS, collect: ["classic"], positional: 0 }));

const isRefused = (args: string[], address: string) =>
  new ClassicPolicy(parse(...args)).classicRefusal(peerOf(address)) !== undefined;

Deno.test("classic flags: networks may be repeated and comma-separated; any and off stand for all and none", () => {
  const args = ["--classic", "203.0.113.0/24,2001:db8::/64", "--classic=198.51.100.7"];
  const addresses = ["203.0.113.9:1", "[2001:db8::9]:1", "198.51.100.7:1", "198.51.100.8:1", "10.0.0.1:1"];
  assertEquals(addresses.map((address) => isRefused(args, address)), [false, false, false, true, false]);
  assertEquals(isRefused([], "203.0.113.9:1"), true);
  assertEquals(isRefused(["--classic", "any"], "203.0.113.9:1"), false);
  assertEquals(isRefused(["--classic", "Any, 203.0.113.0/24"], "198.51.100.8:1"), false);
  assertEquals(isRefused(["--classic", "off"], "127.0.0.1:1"), true);
  assertEquals(isRefused(["--classic-members", "0"], "127.0.0.1:1"), true);
});

Deno.test("classic flags: what is no network, and off beside something, are refused in one line", () => {
  for (const value of ["x", "10.0.0.0/33", "10.0.0.0/8,", ",", "fe80::1%eth0", "all", "localhost", "[fe80::]/10"]) {
    const { message } = assertThrows(() => parse("--classic", value), UsageError);
    assert(message.startsWith("--classic takes a network like 192.0.2.0/24"), message);
  }
  assertThrows(() => parse("--classic", "off", "--classic", "10.0.0.0/8"), UsageError, "only one of the two");
  assertThrows(() => parse("--classic", ""), UsageError, "--classic takes a value");
  assertThrows(() => parse("--classic-members", "-1"), UsageError, "--classic-members takes a whole number from 0");
  assertThrows(() => parse("--classic-per-address", "0"), UsageError, "--classic-per-address takes a whole number");
});

Deno.test("refusal log: one line for each reason, with the flag that would let the first one in", () => {
  const lines: string[] = [];
  const { refused } = refusalLog((line) => lines.push(line));
  for (const port of [1, 2]) {
    for (const why of ["network", "address", "members", "off"] as const) refused!(peerOf(`[2001:db8::1]:${port}`), why);
  }
  const who = "Ignored a classic client at 2001:db8::1: ";
  assertEquals(lines, [
    `${who}it is in no network that is known as nearby; --classic 2001:db8::1 takes it, --classic any everyone`,
    `${who}too many classic members have this IP address; --classic-per-address sets how many may`,
    `${who}too many classic members are here; --classic-members sets how many may be`,
    `${who}the classic dialect is off; start without --classic off to take it`,
  ]);
});
