/**
 * An emulator for teaching: loses, repeats, delays and damages datagrams on purpose, in both directions.
 *
 * @module
 */
import { UsageError } from "../../runtime/program.ts";

/** How bad the emulated network is. */
export interface NetworkConditions {
  /** The share of datagrams that are lost, repeated, and damaged in one bit: 0 to 1 each. */
  drop: number;
  duplicate: number;
  corrupt: number;
  /** The shortest and longest delay in milliseconds. Each datagram gets its own delay, which reorders them. */
  delay: [shortest: number, longest: number];
}

/** The network without emulated faults. */
export const PERFECT: Readonly<NetworkConditions> = { drop: 0, duplicate: 0, corrupt: 0, delay: [0, 0] };

/** The most datagrams that are held back at once. Further datagrams are lost, as in a router. */
const MAX_HELD = 10_000;

/** What the emulator has done, in datagrams. */
export interface EmulatorStatistics {
  passed: number;
  dropped: number;
  duplicated: number;
  corrupted: number;
}

/** Treats datagrams like a network with the given {@linkcode NetworkConditions}. */
export class NetworkEmulator {
  conditions: NetworkConditions = { ...PERFECT };
  readonly statistics: EmulatorStatistics = { passed: 0, dropped: 0, duplicated: 0, corrupted: 0 };
  readonly #random: () => number;
  readonly #held = new Set<ReturnType<typeof setTimeout>>();

  /**
   * @param seed Starts the random numbers: with the same seed, the same sequence of datagrams meets the same faults.
   */
  constructor(seed: number = crypto.getRandomValues(new Uint32Array(1))[0]) {
    this.#random = seededRandom(seed);
  }

  /** Whether every datagram passes at once and unchanged. */
  get isPerfect(): boolean {
    const { drop, duplicate, corrupt, delay } = this.conditions;
    return drop === 0 && duplicate === 0 && corrupt === 0 && delay[1] === 0;
  }

  /**
   * Passes a datagram on: never, once or twice, now or later, whole or damaged.
   *
   * @param deliver Called for each copy. A delayed copy has its own bytes; an immediate one may share the caller's.
   */
  pass(datagram: Uint8Array, deliver: (datagram: Uint8Array) => void): void {
    if (this.isPerfect) {
      this.statistics.passed++;
      return deliver(datagram);
    }
    const { drop, duplicate } = this.conditions;
    if (this.#random() < drop) {
      this.statistics.dropped++;
      return;
    }
    this.#deliver(datagram, deliver);
    if (this.#random() < duplicate) {
      this.statistics.duplicated++;
      this.#deliver(datagram, deliver);
    }
  }

  /** Drops the datagrams that are held back. */
  close(): void {
    for (const timer of this.#held) clearTimeout(timer);
    this.#held.clear();
  }

  #deliver(datagram: Uint8Array, deliver: (datagram: Uint8Array) => void): void {
    const { corrupt, delay: [shortest, longest] } = this.conditions;
    if (this.#random() < corrupt && datagram.length > 0) {
      this.statistics.corrupted++;
      datagram = datagram.slice();
      datagram[Math.floor(this.#random() * datagram.length)] ^= 1 << Math.floor(this.#random() * 8);
    }
    const delay = shortest + this.#random() * (longest - shortest);
    if (longest === 0) {
      this.statistics.passed++;
      return deliver(datagram);
    }
    if (this.#held.size >= MAX_HELD) {
      this.statistics.dropped++;
      return;
    }
    const copy = datagram.slice();
    const timer = setTimeout(() => {
      this.#held.delete(timer);
      this.statistics.passed++;
      deliver(copy);
    }, delay);
    this.#held.add(timer);
  }
}

/**
 * Returns a generator of pseudo-random numbers from 0 (included) to 1 (excluded). The same seed gives the same sequence
 * (Mulberry32, Tommy Ettinger).
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The settings of the emulator: the names of the flags and of the commands on the server's terminal. */
export const EMULATOR_SETTINGS = ["drop", "duplicate", "corrupt", "delay"] as const;
/** One of {@linkcode EMULATOR_SETTINGS}. */
export type EmulatorSetting = typeof EMULATOR_SETTINGS[number];

/**
 * Returns the conditions with one setting changed. The value is a share like `20%`, or a delay in milliseconds like
 * `20..200` or `50`.
 *
 * @returns undefined if the value is not valid.
 */
export function parseSetting(
  conditions: NetworkConditions,
  setting: EmulatorSetting,
  value: string,
): NetworkConditions | undefined {
  if (setting === "delay") {
    const [, shortest, longest = shortest] = /^(\d{1,5})(?:\.\.(\d{1,5}))?(?: ?ms)?$/.exec(value) ?? [];
    if (shortest === undefined || Number(longest) < Number(shortest)) return undefined;
    return { ...conditions, delay: [Number(shortest), Number(longest)] };
  }
  // a number other than 0 needs the percent sign: without it, it could be a fraction or a percentage
  const [, digits] = /^(?:(\d{1,3}(?:\.\d{1,4})?) ?%|0)$/.exec(value) ?? [undefined, NaN];
  const share = Number(digits ?? 0) / 100;
  return share >= 0 && share <= 1 ? { ...conditions, [setting]: share } : undefined;
}

/**
 * Returns the conditions that the flags of a command line ask for. A setting without a flag stays perfect.
 *
 * @throws {UsageError} if a value is not valid.
 */
export function parseConditions(flags: Readonly<Record<string, unknown>>): NetworkConditions {
  let conditions: NetworkConditions = PERFECT;
  for (const setting of EMULATOR_SETTINGS) {
    if (flags[setting] === undefined) continue;
    const next = parseSetting(conditions, setting, String(flags[setting]));
    if (!next) throw new UsageError(`--${settingUsage(setting)}`);
    conditions = next;
  }
  return conditions;
}

/** Returns the error message for an invalid value of a setting. */
export function settingUsage(setting: EmulatorSetting): string {
  return `${setting} takes ${
    setting === "delay" ? "milliseconds, like 50 or 20..200" : "a share with its percent sign, like 20%"
  }`;
}

/** Formats the conditions as one line of text. */
export function formatConditions({ drop, duplicate, corrupt, delay }: NetworkConditions): string {
  const percent = (share: number) => `${Number((100 * share).toFixed(4))}%`;
  return `drop ${percent(drop)}, duplicate ${percent(duplicate)}, corrupt ${percent(corrupt)}, ` +
    `delay ${delay[0]}..${delay[1]} ms, each way`;
}
