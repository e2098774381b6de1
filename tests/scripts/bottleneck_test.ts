import { assert, assertEquals, assertThrows } from "@std/assert";
import { readCommandLine } from "../../runtime/command_line.ts";
import { UsageError } from "../../runtime/program.ts";
import { type BottleneckResult, bottleneckTable, type Case } from "../../scripts/bench/bottleneck.ts";
import { compile } from "../../scripts/bench/competitors.ts";
import { BOTTLENECK_FLAGS, readBottleneckFlags } from "../../scripts/bench/flags.ts";
import { type Count, openNeck, SERVER } from "../../scripts/bench/neck.ts";
import { DEADLINE_MS, pause } from "../../scripts/support/waiting.ts";

function result(what: Partial<Case>, tcp: number, other: Partial<BottleneckResult> = {}): BottleneckResult {
  const place = { queue: 300, program: "udp-chat", load: 80, flows: 1, round: 1, ...what };
  const costs = { datagramsPerDelivery: 2, bytesPerDelivery: 500, dropped: 0.25, tcpDropped: 0.125 };
  const counts = { perSecond: 100, shown: 1000, expected: 2000, last: 1500 };
  return { ...place, ...costs, ...counts, median: 20, p99: 40, tcp, ...other };
}

/** The table's cells, without its head. */
function cellsOf(results: BottleneckResult[]): string[][] {
  return bottleneckTable(results).split("\n").slice(2).map((line) => line.split(/ *\| */).slice(1, -1));
}

Deno.test("bottleneck: what TCP gets is compared with what it gets alone and beside another, in the same queue", () => {
  const cells = cellsOf([
    result({}, 300_000),
    result({ queue: 24, load: 0, program: "", flows: 1 }, 500_000),
    result({ load: 0, program: "", flows: 2 }, 400_000),
    result({ load: 0, program: "", flows: 1 }, 800_000),
  ]);
  assertEquals(cells.map(([name]) => name), [
    ...["24 ms, no chat, 1 TCP", "300 ms, no chat, 1 TCP", "300 ms, no chat, 2 TCP", "300 ms, 80%, udp-chat, 1 TCP"],
  ]);
  const chat = ["100", "10.0", "2.00", "500", "25.0%", "20.0", "40.0", "1,000 of 2,000", "1.50"];
  assertEquals(cells[3].slice(1), [...chat, "300", "37.5%", "75.0%", "12.5%"]);
  assertEquals(cells[0].slice(1), [...chat.map(() => "–"), "500", "100.0%", "–", "12.5%"]);
});

Deno.test("bottleneck: a line has the medians of its rounds; what never arrives has no time", () => {
  const [cells] = cellsOf([
    result({ flows: 0 }, NaN, { perSecond: 100, p99: 1 }),
    result({ flows: 0 }, NaN, { perSecond: 300, p99: null }),
    result({ flows: 0 }, NaN, { perSecond: 200, p99: null }),
  ]);
  assertEquals(cells.slice(0, 2), ["300 ms, 80%, udp-chat", "200"]);
  assertEquals(cells.slice(6), ["20.0", "–", "3,000 of 6,000", "1.50", "–", "–", "–", "–"]);
});

Deno.test("bottleneck: flags choose queues and loads, and wrong ones are refused", () => {
  const read = (...args: string[]) =>
    readBottleneckFlags(readCommandLine(args, { string: BOTTLENECK_FLAGS, positional: 0 }));
  assertEquals(read(), {});
  const chosen = read("--queue", "100,50", "--load", "90", "--random-loss", "5", "--seconds", "3");
  assertEquals(chosen, { queues: [50, 100], loads: [90], loss: 5, measure: 3000 });
  for (const wrong of ["0", "1,", "x", "9999"]) assertThrows(() => read("--load", wrong), UsageError, "--load takes");
});

/** Sends datagrams of 1,000 bytes, their headers included, into a bottleneck, and returns what came to it. */
async function sendInto(loss: number, datagrams: number, folder: string): Promise<Count | string> {
  const forwarder = await compile("neck", folder);
  if (!forwarder) return "there is no C compiler 'cc'";
  const neck = await openNeck(forwarder, { bitsPerSecond: 100_000, queueBytes: 10_000, delay: 5, loss });
  if (typeof neck === "string") return neck;
  await using _neck = neck;
  const program = `const conn = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });
    const to = { transport: "udp", hostname: "${SERVER}", port: 9 };
    for (let i = 0; i < ${datagrams}; i++) await conn.send(new Uint8Array(972), to);`;
  const [word, ...args] = neck.inside("clients", [Deno.execPath(), "eval", "--unstable-net", program]);
  assert((await new Deno.Command(word, { args }).output()).success);
  for (const until = Date.now() + DEADLINE_MS; Date.now() < until; await pause(10)) {
    const { toServer: { udp } } = await neck.passed();
    if (udp.packets >= datagrams) return udp;
  }
  throw new Error("Not all datagrams came to the bottleneck");
}

Deno.test("bottleneck: a full queue drops what comes, and what is lost at random takes no place in it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const dropped = await sendInto(0, 100, folder);
    if (typeof dropped === "string") return console.log(`Skipped: ${dropped}`);
    // ten fit, and while the sender sends, the line takes one each 80 ms
    assertEquals({ ...dropped, dropped: 0 }, { packets: 100, bytes: 100_000, dropped: 0, lost: 0 });
    assert(dropped.dropped >= 50 && dropped.dropped <= 90, `${dropped.dropped} were dropped`);
    assertEquals(await sendInto(100, 100, folder), { packets: 100, bytes: 100_000, dropped: 0, lost: 100 });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
