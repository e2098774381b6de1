/** The network emulator: its settings, their effect on datagrams, and the same effect for the same seed. */
import {
  assert,
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { UsageError } from "../../../runtime/program.ts";
import {
  EMULATOR_SETTINGS,
  formatConditions,
  type NetworkConditions,
  NetworkEmulator,
  parseConditions,
  parseSetting,
  PERFECT,
  seededRandom,
  settingUsage,
} from "../../../server/doors/network_emulator.ts";
import { withFakeTime } from "../../support/fake_time.ts";

/** An emulator with some conditions. */
function emulatorWith(conditions: Partial<NetworkConditions>, seed = 1): NetworkEmulator & Disposable {
  const emulator = new NetworkEmulator(seed);
  emulator.conditions = { ...PERFECT, ...conditions };
  return Object.assign(emulator, { [Symbol.dispose]: () => emulator.close() });
}

/** A datagram that carries its number. */
function datagram(i: number): Uint8Array {
  return Uint8Array.of(i >>> 16, i >>> 8, i, ...new Uint8Array(60));
}

/** Passes `count` datagrams through an emulator without delay, and returns the copies that come out of each. */
function passAll(emulator: NetworkEmulator, count: number): Uint8Array[][] {
  return Array.from({ length: count }, (_, i) => {
    const copies: Uint8Array[] = [];
    emulator.pass(datagram(i), (copy) => copies.push(copy));
    return copies;
  });
}

function assertNear(actual: number, expected: number, tolerance: number): void {
  assertLess(Math.abs(actual - expected), tolerance, `${actual} is not near ${expected}`);
}

/** How many bits differ. */
function distance(a: Uint8Array, b: Uint8Array): number {
  let bits = 0;
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    for (let rest = a[i] ^ b[i]; rest > 0; rest >>>= 1) bits += rest & 1;
  }
  return bits;
}

Deno.test("emulator: shares are read as people write them", () => {
  const shares: [string, number][] = [
    ["20%", 0.2],
    ["20 %", 0.2],
    ["0%", 0],
    ["0", 0],
    ["1%", 0.01],
    ["100%", 1],
    ["12.5%", 0.125],
    ["0.01%", 0.0001],
  ];
  for (const [text, share] of shares) {
    for (const setting of ["drop", "duplicate", "corrupt"] as const) {
      assertEquals(parseSetting(PERFECT, setting, text), { ...PERFECT, [setting]: share }, `${setting} ${text}`);
    }
  }
  for (
    const text of [
      "",
      " ",
      "20",
      "1",
      "0.2",
      "00",
      "0 ",
      "1.1",
      "101%",
      "-1%",
      "20%%",
      "%",
      "1e-1",
      "a",
      "20% 30%",
      "0,2",
      "NaN",
      "٢٠%",
    ]
  ) {
    assertEquals(parseSetting(PERFECT, "drop", text), undefined, text);
  }
});

Deno.test("emulator: the usage line of a setting has examples that the setting accepts", () => {
  for (const setting of EMULATOR_SETTINGS) {
    const line = settingUsage(setting);
    assert(line.startsWith(`${setting} takes `), line);
    const examples = line.match(/\d[\d.%]*/g)!;
    for (const example of examples) assert(parseSetting(PERFECT, setting, example), example);
  }
});

Deno.test("emulator: delays are read as people write them", () => {
  const delays: [string, [number, number]][] = [
    ["20..200", [20, 200]],
    ["50", [50, 50]],
    ["0", [0, 0]],
    ["0..0", [0, 0]],
    ["50ms", [50, 50]],
    ["20..200 ms", [20, 200]],
    ["99999", [99_999, 99_999]],
  ];
  for (const [text, delay] of delays) assertEquals(parseSetting(PERFECT, "delay", text), { ...PERFECT, delay }, text);
  for (const text of ["", "200..20", "20-200", "20..", "..20", "-5", "1.5", "20..200..2000", "20%", "100000", "a..b"]) {
    assertEquals(parseSetting(PERFECT, "delay", text), undefined, text);
  }
});

Deno.test("emulator: flags set the conditions, and one that is not valid is told with what it takes", () => {
  assertEquals(parseConditions({}), PERFECT);
  assertEquals(parseConditions({ delay: "20..200", drop: "5%" }), { ...PERFECT, drop: 0.05, delay: [20, 200] });
  assertThrows(() => parseConditions({ drop: "5%", corrupt: "20" }), UsageError, "--corrupt takes a share");
});

Deno.test("emulator: one setting is changed and the others stay", () => {
  let conditions: NetworkConditions = PERFECT;
  for (const setting of EMULATOR_SETTINGS) {
    conditions = parseSetting(conditions, setting, setting === "delay" ? "20..200" : "20%")!;
  }
  assertEquals(conditions, { drop: 0.2, duplicate: 0.2, corrupt: 0.2, delay: [20, 200] });
  assertEquals(parseSetting(conditions, "drop", "0"), { ...conditions, drop: 0 });
  assertEquals(PERFECT, { drop: 0, duplicate: 0, corrupt: 0, delay: [0, 0] });
  assertEquals(
    formatConditions({ ...conditions, drop: 0.125 }),
    "drop 12.5%, duplicate 20%, corrupt 20%, delay 20..200 ms, each way",
  );
});

Deno.test("emulator: a perfect network leaves every datagram as it is", () => {
  const emulator = new NetworkEmulator();
  assert(emulator.isPerfect);
  const bytes = datagram(1);
  let passed: Uint8Array | undefined;
  emulator.pass(bytes, (copy) => passed = copy);
  assert(passed === bytes);
});

Deno.test("emulator: the same seed means the same fate for each datagram, another seed a different one", () => {
  const bad = { drop: 0.3, duplicate: 0.2, corrupt: 0.2 };
  using one = emulatorWith(bad, 7), same = emulatorWith(bad, 7), other = emulatorWith(bad, 8);
  const fates = passAll(one, 1000);
  assertEquals(passAll(same, 1000), fates);
  assertEquals(same.statistics, one.statistics);
  assertNotEquals(passAll(other, 1000), fates);
  // without a seed, no two are the same
  const [first, second] = [1, 2].map(() => {
    const emulator = new NetworkEmulator();
    emulator.conditions = { ...PERFECT, ...bad };
    return passAll(emulator, 1000);
  });
  assertNotEquals(first, second);
});

Deno.test("emulator: datagrams are lost, doubled and damaged in the shares that are set", () => {
  const count = 40_000;
  using emulator = emulatorWith({ drop: 0.3, duplicate: 0.05, corrupt: 0.1 });
  const fates = passAll(emulator, count);
  const { passed, dropped, duplicated, corrupted } = emulator.statistics;
  // five standard deviations of the binomial distribution are below 0.0125 here
  assertNear(dropped / count, 0.3, 0.0125);
  assertNear(duplicated / (count - dropped), 0.05, 0.0125);
  assertNear(corrupted / passed, 0.1, 0.0125);
  assertEquals(fates.filter((copies) => copies.length === 0).length, dropped);
  assertEquals(fates.filter((copies) => copies.length === 2).length, duplicated);
  assertEquals(fates.flat().length, passed);
  const damaged = fates.flatMap((copies, i) => copies.filter((copy) => distance(copy, datagram(i)) > 0));
  assertEquals(damaged.length, corrupted);
  // losses do not come in a pattern: the share of losses after a loss is the same
  const behindLoss = fates.filter((_, i) => i > 0 && fates[i - 1].length === 0);
  assertNear(behindLoss.filter((copies) => copies.length === 0).length / behindLoss.length, 0.3, 0.025);
});

Deno.test("emulator: a share of 100% applies to every datagram", () => {
  using none = emulatorWith({ drop: 1 }), twice = emulatorWith({ duplicate: 1 });
  assertEquals(passAll(none, 1000).flat().length, 0);
  assertEquals(passAll(twice, 1000).filter((copies) => copies.length === 2).length, 1000);
});

Deno.test("emulator: damage is exactly one bit, anywhere, and not in the sender's own bytes", () => {
  using emulator = emulatorWith({ corrupt: 1 });
  const places = new Set<number>();
  for (let i = 0; i < 5000; i++) {
    const original = new Uint8Array(20).fill(i), before = original.slice();
    emulator.pass(original, (copy) => {
      assertEquals(distance(copy, original), 1);
      const at = copy.findIndex((byte, k) => byte !== original[k]);
      places.add(8 * at + Math.log2(copy[at] ^ original[at]));
    });
    assertEquals(original, before);
  }
  assertEquals(places.size, 160);
  // a datagram of no bytes has no bit to flip
  emulator.pass(new Uint8Array(), (copy) => assertEquals(copy.length, 0));
});

Deno.test("emulator: a delay reorders, keeps each datagram's own bytes, and stays within its bounds", () =>
  withFakeTime(async ({ advance }) => {
    using emulator = emulatorWith({ delay: [10, 60] });
    const buffer = new Uint8Array(1), order: number[] = [], delays: number[] = [];
    const sentAt = performance.now();
    for (let i = 0; i < 100; i++) {
      buffer[0] = i;
      emulator.pass(buffer, (copy) => {
        order.push(copy[0]);
        delays.push(performance.now() - sentAt);
      });
    }
    assertEquals(order, [], "none comes at once");
    await advance(60);
    assertEquals(order.toSorted((a, b) => a - b), Array.from({ length: 100 }, (_, i) => i));
    assertNotEquals(order, order.toSorted((a, b) => a - b));
    assertGreaterOrEqual(Math.min(...delays), 10);
    assertLess(Math.min(...delays), 20);
    assertGreater(Math.max(...delays), 50);
    assertLessOrEqual(Math.max(...delays), 60);
  }));

Deno.test("emulator: at most 10,000 datagrams are held back, and closing forgets them", () => {
  using emulator = emulatorWith({ delay: [60_000, 60_000] });
  let delivered = 0;
  for (let i = 0; i < 12_000; i++) emulator.pass(datagram(i), () => delivered++);
  assertEquals(emulator.statistics.dropped, 2000);
  emulator.close();
  // the test runner fails when a timer is left
  emulator.pass(datagram(0), () => delivered++);
  assertEquals([delivered, emulator.statistics.dropped], [0, 2000]);
});

Deno.test("emulator: the random numbers are uniform, in their range, and the same on every machine", () => {
  // three numbers computed by a C program of the same algorithm for the seed 1
  const random = seededRandom(1);
  assertEquals([random(), random(), random()].map((number) => number * 2 ** 32), [2693262067, 11749833, 2265367787]);
  const tenths = new Array(10).fill(0);
  for (let i = 0; i < 100_000; i++) tenths[Math.floor(10 * random())]++;
  for (const count of tenths) assertNear(count, 10_000, 500);
});
