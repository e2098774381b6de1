import { assert, assertEquals, assertThrows } from "@std/assert";
import { readCommandLine } from "../../runtime/command_line.ts";
import { UsageError } from "../../runtime/program.ts";
import {
  formatLatency,
  type LatencyResult,
  latencyTable,
  type Transport,
  TRANSPORTS,
} from "../../scripts/bench/latency.ts";
import type { ClientsResult, ClientsSetup, Way } from "../../scripts/bench/latency_clients.ts";
import { LATENCY_FLAGS, readLatencyFlags } from "../../scripts/bench/flags.ts";
import { latencyPlot } from "../../scripts/bench/latency_plot.ts";
import { ROOT } from "../../scripts/programs.ts";
import { start, startServer } from "../../scripts/support/processes.ts";

function result(transport: Transport, drop: number, delays: number[], expected = delays.length): LatencyResult {
  return {
    transport,
    label: transport,
    drop,
    rooms: 1,
    members: 2,
    patience: 30_000,
    delays,
    expected,
    packets: 3 * expected,
  };
}

/** From 1 to `count` milliseconds. */
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

Deno.test("the table of latencies counts what has not arrived as slower than all", () => {
  const results = [result("ours", 0, upTo(100)), result("classic", 30, upTo(50), 100)];
  const cells = latencyTable(results).split("\n").slice(2).map((line) => line.split(/ *\| */).slice(1, -1));
  assertEquals(cells, [
    ["0%, ours", "50.0", "90.0", "99.0", "100 of 100", "3.00"],
    ["30%, classic", "50.0", "–", "–", "50 of 100", "6.00"],
  ]);
  assert(formatLatency(results).includes("One room of 2 members"));
});

Deno.test("the plot has a panel for the lowest, a middle and the highest loss, and a line for each transport", () => {
  const results = [0, 5, 10, 20, 30].flatMap((drop) =>
    TRANSPORTS.map((transport) => result(transport, drop, Array.from({ length: 2000 }, (_, i) => 1.01 ** (i / 2))))
  );
  const svg = latencyPlot(results);
  assertEquals([...svg.matchAll(/(\d+)% lost/g)].map(([, drop]) => drop), ["0", "10", "30"]);
  assertEquals(svg.match(/fill="none"/g)?.length, TRANSPORTS.length * 4, "three panels and the legend");
  assert(svg.length < 40_000, `it has ${svg.length} bytes`);
});

Deno.test("a line of the plot rises at the times of arrival, and ends below the top when something is missing", () => {
  // the one panel is 740 pixels wide and 208 high, and 1,000 ms are at 67% of 30 s on the logarithmic axis
  const svg = latencyPlot([{ ...result("ours", 30, [1, 1000, 40_000], 4), label: "<ours>" }]);
  assert(svg.includes('d="M50 296h0v-52h496v-52H790"'), svg);
  assert(svg.includes("&lt;ours&gt;") && !svg.includes("<ours>"));
});

Deno.test("the flags of latency are read, and wrong ones get a line", () => {
  const read = (...args: string[]) =>
    readLatencyFlags(readCommandLine(args, { string: ["members", ...LATENCY_FLAGS], positional: 0 }), true);
  assertEquals(read(), {});
  assertEquals(
    read(
      "--loss",
      "30,0,30",
      "--members",
      "30",
      "--rooms",
      "3",
      "--messages",
      "8",
      "--svg",
      "x.svg",
    ),
    {
      drops: [0, 30],
      members: 30,
      rooms: 3,
      messages: 8,
      svg: "x.svg",
    },
  );
  for (
    const flag of [
      "--loss=91",
      "--loss=1,",
      "--loss=x",
      "--members=1",
      "--rooms=21",
      "--messages=0",
    ]
  ) {
    assertThrows(() => read(flag), UsageError, flag.split("=")[0]);
  }
});

async function measureClients(way: Way, port: number): Promise<ClientsResult> {
  const rest = { hostname: "127.0.0.1", checkout: ROOT, certificate: "", members: 3, messages: 6, interval: 10 };
  const setup: ClientsSetup = { way, port, ...rest, offset: 0, patience: 10_000 };
  const program = ["--no-check", "scripts/bench/latency_clients.ts", JSON.stringify(setup)];
  await using clients = start([Deno.execPath(), "run", "-A", ...program]);
  await clients.stdout.until("ready\n");
  await clients.type("\n");
  const [line] = await clients.stdout.until(/^\{.*\}$/m);
  assertEquals(await clients.exitCode(), 0);
  return JSON.parse(line);
}

Deno.test("the clients of latency hear each other over each transport, and measure what the others say", async () => {
  await using server = await startServer("0");
  await using relay = start([Deno.execPath(), "run", "-A", "--no-check", "scripts/bench/latency_relay.ts", "tcp", "0"]);
  const [, relayPort] = await relay.stdout.until(/^Listening on .*:(\d+)\n/);
  const ways: [Way, number][] = [["session", server.port], ["classic", server.port], ["tcp", server.port]];
  for (const [way, port] of [...ways, ["tcp", Number(relayPort)] as const]) {
    const { delays, expected } = await measureClients(way, port);
    assertEquals([delays.length, expected], [12, 12], `${way}, port ${port}`);
    assert(delays.every((delay) => delay > 0 && delay < 10_000), String(delays));
  }
});
