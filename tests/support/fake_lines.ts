/**
 * A session of the client over TCP in memory: what it writes and shows can be read, and the time is the test's.
 *
 * @module
 */
import { LineSession, type LineSessionOptions, type Loss } from "../../client/lines/session.ts";
import { formatShown } from "../../client/terminal/rendering.ts";

/** A session whose wire takes everything at once, unless it is `stuck`. */
export class FakeLines {
  readonly session: LineSession;
  /** What was done with the wire, in order: `connect`, `end`, `hang up`, or the text that was written. */
  readonly done: string[] = [];
  /** What was shown, as a pipe prints it. */
  readonly shown: string[] = [];
  now = 0;
  /** Whether the system takes nothing more. */
  stuck = false;

  constructor(options: Partial<LineSessionOptions> = {}) {
    this.session = new LineSession({
      server: "S",
      interactive: true,
      wire: {
        connect: () => this.done.push("connect"),
        write: (bytes) => {
          this.done.push(new TextDecoder().decode(bytes));
          if (!this.stuck) queueMicrotask(() => this.session.written(this.now));
        },
        endWriting: () => this.done.push("end"),
        hangUp: () => this.done.push("hang up"),
      },
      show: (shown) => this.shown.push(formatShown(shown, { colour: false, times: false })),
      ...options,
    });
    this.session.start(0);
  }

  /** A session that is connected. */
  static connected(options: Partial<LineSessionOptions> = {}): FakeLines {
    const fake = new FakeLines(options);
    fake.session.connected(0);
    return fake;
  }

  /** Lets time pass, and wakes the session when it wants to be woken. */
  async advance(ms: number): Promise<void> {
    const end = this.now + ms;
    await Promise.resolve();
    for (let wakes = 0; this.session.nextWake! <= end; wakes++) {
      if (wakes > 20_000) throw new Error(`It wants to be woken at ${this.session.nextWake} again and again`);
      this.now = Math.max(this.now, this.session.nextWake!);
      this.session.wake(this.now);
      await Promise.resolve();
    }
    this.now = end;
  }

  receive(data: string | number[]): void {
    this.session.receive(typeof data === "string" ? new TextEncoder().encode(data) : Uint8Array.from(data), this.now);
  }

  say(...lines: string[]): void {
    for (const line of lines) this.session.say(line, this.now);
  }

  lose(loss: Partial<Loss> = {}): void {
    this.session.lost({ isBroken: false, isWritten: !this.stuck, ...loss }, this.now);
  }

  /** The lines that were written, without their ends. */
  get written(): string[] {
    return this.done.filter((text) => text.endsWith("\n")).map((text) => text.slice(0, -1));
  }
}
