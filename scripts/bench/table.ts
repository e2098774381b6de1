/**
 * Numbers of several rounds made into Markdown tables that people can compare.
 *
 * @module
 */

/** The middle one of some numbers, or the mean of the two in the middle; NaN of none. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The smallest of some numbers that a share of them, 0 to 1, does not exceed; NaN of none. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/** A number with as many digits as say something: 1,234,567, 12.3, 0.046; a dash for what was not measured. */
export function readable(number: number | undefined): string {
  if (number === undefined || !Number.isFinite(number)) return "–";
  const size = Math.abs(number);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return number.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A Markdown table, its columns as wide as their widest cell; the first column reads from the left. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(3, title.length, ...rows.map((row) => row[i].length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])).join(" | ")} |`;
  const rule = widths.map((width, i) => i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`);
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** What one program did in one round with a room of one size. */
export interface Measurement {
  /** The key of the program, like `c`. */
  program: string;
  members: number;
  round: number;
  /** Copies that arrived in a second at saturation. */
  perSecond: number;
  /** The server process's processor time for a copy, in microseconds, user and system together. */
  cpuPerDelivery: number;
  /** From the moment when a message was due to the arrival of one copy, in milliseconds, at half of that rate. */
  latencyMedian?: number;
  latencyP99?: number;
  /** The server's resident memory at the end, in bytes. */
  memory?: number;
  /** Copies that never arrived, of all that should have. */
  lost: number;
  /** The share of a processor core that the server, and the load, had at saturation. */
  serverBusy: number;
  loadBusy: number;
}

/** A ratio over several rounds. */
export interface Ratio {
  median: number;
  lowest: number;
  highest: number;
}

/** What all rounds of one program with rooms of one size come to. */
export interface Summary {
  program: string;
  members: number;
  rounds: number;
  perSecond: number;
  /** The rate divided by that of the C relay in the same round; undefined where that did not run. */
  ratio?: Ratio;
  /** The same of the copies for a second of processor time, which other work on the machine disturbs less. */
  cpuRatio?: Ratio;
  cpuPerDelivery: number;
  latencyMedian: number;
  latencyP99: number;
  memory: number;
  lost: number;
  serverBusy: number;
  loadBusy: number;
}

/** The key of the program that the others are compared with. */
export const YARDSTICK = "c";

/** Sums rounds up: the medians of each program at each size, in the order in which they were first measured. */
export function summarize(measurements: readonly Measurement[]): Summary[] {
  const groups = Map.groupBy(measurements, ({ members, program }) => `${members} ${program}`);
  const yardsticks = new Map(
    measurements.filter(({ program }) => program === YARDSTICK).map((one) => [`${one.members} ${one.round}`, one]),
  );
  const summaries = [...groups.values()].map((group): Summary => {
    const { program, members } = group[0];
    const ratioOf = (speed: (one: Measurement) => number): Ratio | undefined => {
      const ratios = group.flatMap((one) => {
        const yardstick = yardsticks.get(`${members} ${one.round}`);
        return yardstick ? [speed(one) / speed(yardstick)] : [];
      });
      if (ratios.length === 0) return undefined;
      return { median: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios) };
    };
    const middle = (key: keyof Measurement) =>
      median(group.map((one) => one[key]).filter((value) => typeof value === "number"));
    return {
      program,
      members,
      rounds: group.length,
      perSecond: middle("perSecond"),
      ratio: ratioOf(({ perSecond }) => perSecond),
      cpuRatio: ratioOf(({ cpuPerDelivery }) => 1 / cpuPerDelivery),
      cpuPerDelivery: middle("cpuPerDelivery"),
      latencyMedian: middle("latencyMedian"),
      latencyP99: middle("latencyP99"),
      memory: middle("memory"),
      lost: group.reduce((sum, { lost }) => sum + lost, 0),
      serverBusy: middle("serverBusy"),
      loadBusy: middle("loadBusy"),
    };
  });
  return summaries.sort((a, b) => a.members - b.members);
}

/** The table of all sizes and programs. */
export function fanoutTable(summaries: readonly Summary[], labels: Readonly<Record<string, string>>): string {
  return markdownTable(
    [
      "Members, program",
      "deliveries a second",
      "ratio to C: median (min to max)",
      "by CPU",
      "CPU µs a delivery",
      "latency median, ms",
      "p99, ms",
      "memory, MB",
      "lost",
    ],
    summaries.map((summary) => {
      const { program, members, ratio, cpuRatio } = summary;
      return [
        `${readable(members).replace(/\.0+$/, "")}, ${labels[program] ?? program}`,
        readable(summary.perSecond),
        ratio ? `${ratio.median.toFixed(2)} (${ratio.lowest.toFixed(2)} to ${ratio.highest.toFixed(2)})` : "–",
        cpuRatio ? cpuRatio.median.toFixed(2) : "–",
        readable(summary.cpuPerDelivery),
        readable(summary.latencyMedian),
        readable(summary.latencyP99),
        readable(summary.memory / 2 ** 20),
        summary.lost.toLocaleString("en-US"),
      ];
    }),
  );
}
