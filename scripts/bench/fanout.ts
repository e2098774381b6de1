/**
 * Compares the fan-out of all programs, over several rounds and sizes of the room.
 *
 * @module
 */
import type { Competitor, Toolchains } from "./competitors.ts";
import { type Cores, type Durations, measure } from "./measure.ts";
import { type Measurement, readable } from "./table.ts";

/** A server at saturation counts as undisturbed when it has at least this share of its core. */
export const UNDISTURBED = 0.9;

/** What is compared, and how long that may take. */
export interface FanoutOptions {
  sizes: readonly number[];
  rounds: number;
  durations: Durations;
  /** The most attempts at one measurement, which is repeated when other work has used the server's core. */
  attempts: number;
  /** Milliseconds after which no further measurement begins. */
  budget: number;
  cores: Cores;
  /** Called with each line about the progress. */
  progress: (line: string) => void;
}

/**
 * Measures every program at every size in every round.
 *
 * The programs take turns within a round, so that other work on the machine disturbs all of them alike, and each ratio
 * compares measurements that are close in time.
 */
export async function compare(toolchains: Toolchains, options: FanoutOptions): Promise<Measurement[]> {
  const { sizes, rounds, budget, progress } = options;
  const measurements: Measurement[] = [];
  const began = performance.now();
  for (let round = 1; round <= rounds; round++) {
    for (const members of sizes) {
      for (const competitor of toolchains.competitors) {
        if (performance.now() - began > budget) {
          progress(`The time is up: what is left of round ${round} and after is not measured`);
          return measurements;
        }
        const where = `round ${round} of ${rounds}, ${members} members, ${competitor.label}`;
        try {
          const measured = { ...await measureUndisturbed(competitor, members, toolchains.load, options), round };
          measurements.push(measured);
          progress(`${where}: ${formatMeasurement(measured)}`);
        } catch (error) {
          progress(`${where}: not measured: ${error instanceof Error ? error.message : error}`);
        }
      }
    }
  }
  return measurements;
}

/** Measures until the server has its core to itself, at most `attempts` times. Returns the least disturbed result. */
async function measureUndisturbed(
  competitor: Competitor,
  members: number,
  load: string[],
  { durations, attempts, cores }: FanoutOptions,
): Promise<Omit<Measurement, "round">> {
  let best: Omit<Measurement, "round"> | undefined;
  for (let attempt = 0; attempt < attempts && (best?.serverBusy ?? 0) < UNDISTURBED; attempt++) {
    const measured = await measure(competitor, members, durations, load, cores);
    if (measured.serverBusy >= (best?.serverBusy ?? 0)) best = measured;
  }
  return best!;
}

function formatMeasurement(
  { perSecond, cpuPerDelivery, latencyMedian, latencyP99, serverBusy, loadBusy }: Measurement,
): string {
  return `${readable(perSecond)} a second, ${readable(cpuPerDelivery)} µs of CPU each, latency ` +
    `${readable(latencyMedian)} ms, p99 ${readable(latencyP99)} ms; ` +
    `cores: server ${Math.round(100 * serverBusy)}%, load ${Math.round(100 * loadBusy)}%`;
}
