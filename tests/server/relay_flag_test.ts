/** The flag --relay-rate. */
import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../runtime/program.ts";
import { parseRelayRate } from "../../server/relay_flag.ts";

const parse = (value?: string, relay = true) => parseRelayRate({ _: [], relay, "relay-rate": value });

Deno.test("relay rate: bytes a second, thousands or millions of them, or no limit", () => {
  const cases: [string | undefined, number][] = [
    [undefined, 1_000_000],
    ["500000", 500_000],
    ["500k", 500_000],
    ["1K", 1000],
    ["2M", 2_000_000],
    ["1000m", 1_000_000_000],
    ["0", 0],
  ];
  for (const [value, rate] of cases) assertEquals(parse(value), rate);
  assertEquals(parse(undefined, false), 1_000_000);
});

Deno.test("relay rate: anything else gets one line that says what it takes", () => {
  for (const value of ["", "x", "-1", "999", "1.5M", "1001M", "1G", "500 k", "1e6", "9".repeat(400), "0x10", "k"]) {
    assertThrows(() => parse(value), UsageError, "--relay-rate takes bytes a second from 1k to 1000M");
  }
  assertThrows(() => parse("1M", false), UsageError, "--no-relay lets nothing pass");
});
