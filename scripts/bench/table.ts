/**
 * Summarizes the measurements of several rounds and formats them as Markdown tables.
 *
 * @module
 */

/** The middle number when sorted, or the mean of the two in the middle; NaN when there are no numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The smallest number that a share of the numbers, 0 to 1, does not exceed; NaN when there are no numbers. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/** Formats a number with as many digits as are useful: 1,234,567, 12.3, 0.046; a dash when nothing was measured. */
export function readable(number: number | undefined): string {
  if (number === undefined || !Number.isFinite(number)) return "–";
  const size = Math.abs(number);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return number.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Formats a Markdown table. A column is as wide as its widest cell; the first is aligned left, the others right. */
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
  /** The time from when a message was due to the arrival of one copy, in milliseconds, at half of `perSecond`. */
  latencyMedian?: number;
  latencyP99?: number;
  /** The server's resident memory at the end, in bytes. */
  memory?: number;
  /** The number of copies that never arrived. */
  lost: number;
  /** The share of a processor core that the server used at saturation, and the load's share. */
  serverBusy: number;
  loadBusy: number;
}

/** A ratio over several rounds. */
export interface Ratio {
  median: number;
  lowest: number;
  highest: number;
}

/** The summary of all rounds of one program with rooms of one size. */
export interface Summary {
  program: string;
  members: number;
  rounds: number;
  perSecond: number;
  /** The rate divided by that of the C relay in the same round; undefined where that did not run. */
  ratio?: Ratio;
  /** The same ratio of the copies in a second of processor time, which other work on the machine disturbs less. */
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
const YARDSTICK = "c";

/** Summarizes the rounds of each program at each size: medians, and the sum of `lost`; smallest rooms first. */
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
