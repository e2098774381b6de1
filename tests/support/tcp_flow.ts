/**
 * A TCP flow that always has something to send, as far as its congestion control goes: CUBIC (RFC 9438) with selective
 * acknowledgements, and HyStart's delay rule (RFC 9406) to end slow start.
 *
 * @module
 */
import type { Clock, Path } from "./path.ts";

const C = 0.4, BETA = 0.7, PACKET_BYTES = 1130, MIN_TIMEOUT_MS = 200;

/** It begins at once. All packets have 1130 octets. */
export class TcpFlow {
  /** How many octets have arrived and were acknowledged. */
  delivered = 0;
  readonly #clock: Clock;
  readonly #there: Path;
  readonly #back: Path;
  #window = 10;
  #threshold = Infinity;
  #next = 1;
  readonly #open = new Map<number, number>();
  #greatest = 0;
  /** Losses of packets before it belong to a loss that was answered. */
  #recoverUntil = 0;
  #most = 0;
  #epochAt: number | undefined;
  #shortest = Infinity;
  #smoothed = 200;
  #heardAt = 0;
  #backOff = 1;

  constructor(clock: Clock, there: Path, back: Path) {
    this.#clock = clock;
    this.#there = there;
    this.#back = back;
    this.#send();
    this.#watch();
  }

  #send(): void {
    while (this.#open.size < Math.floor(this.#window)) {
      const id = this.#next++;
      this.#open.set(id, this.#clock.now);
      this.#there.send(PACKET_BYTES, () => this.#back.send(60, () => this.#acknowledge(id)));
    }
  }

  #acknowledge(id: number): void {
    const sentAt = this.#open.get(id), { now } = this.#clock;
    this.#heardAt = now;
    if (sentAt === undefined) return;
    this.#open.delete(id);
    this.#backOff = 1;
    this.delivered += PACKET_BYTES;
    this.#greatest = Math.max(this.#greatest, id);
    const roundTrip = now - sentAt;
    this.#smoothed += (roundTrip - this.#smoothed) / 8;
    this.#shortest = Math.min(this.#shortest, roundTrip);
    for (const lost of this.#open.keys()) {
      if (lost > this.#greatest - 3) break;
      this.#open.delete(lost);
      if (lost > this.#recoverUntil) this.#reduce();
    }
    if (this.#window < this.#threshold) {
      this.#window++;
      const eta = Math.min(16, Math.max(4, this.#shortest / 8));
      if (this.#window > 16 && this.#smoothed > this.#shortest + eta) this.#threshold = this.#window;
    } else this.#grow(now);
    this.#send();
  }

  #reduce(): void {
    this.#recoverUntil = this.#next - 1;
    this.#most = this.#window < this.#most ? this.#window * (1 + BETA) / 2 : this.#window;
    this.#window = this.#threshold = Math.max(2, this.#window * BETA);
    this.#epochAt = undefined;
  }

  #grow(now: number): void {
    if (this.#epochAt === undefined) {
      this.#epochAt = now;
      this.#most = Math.max(this.#most, this.#window);
    }
    const k = Math.cbrt(this.#most * (1 - BETA) / C), t = (now - this.#epochAt) / 1000;
    const target = C * (t + this.#smoothed / 1000 - k) ** 3 + this.#most;
    const reno = this.#most * BETA + 3 * (1 - BETA) / (1 + BETA) * (1000 * t / this.#smoothed);
    const goal = Math.min(1.5 * this.#window, Math.max(target, reno));
    this.#window += Math.max(0.01, goal - this.#window) / this.#window;
  }

  /** The retransmission timeout. */
  #watch(): void {
    const wait = Math.max(MIN_TIMEOUT_MS, 2 * this.#smoothed) * this.#backOff, { now } = this.#clock;
    if (this.#open.size > 0 && now - this.#heardAt >= wait) {
      this.#reduce();
      this.#window = 1;
      this.#open.clear();
      this.#backOff = Math.min(16, 2 * this.#backOff);
      this.#heardAt = now;
      this.#send();
    }
    this.#clock.at(now + 20, () => this.#watch());
  }
}
