/**
 * What a script has the client do with a file: it is sent to one member, or taken from one, and nobody types anything.
 *
 * It plays the user of a session, and has no clock.
 *
 * @module
 */
import type { Shown } from "./session/shown.ts";
import type { SessionState } from "./session/state.ts";
import type { TransferControl, TransferEnd } from "./session/transfers/transfer.ts";
import { endSentence } from "./terminal/progress.ts";
import { nameKey } from "../protocol/names.ts";

/** What is to be done. */
export type Task =
  /** Sends a file to a member, who may come within `wait` milliseconds. */
  | { send: { to: string; path: string; wait: number } }
  /** Takes files from a member: one, or, if `keep` is set, all that are offered until the user ends it. */
  | { receive: { from: string; keep: boolean } };

/** The part of a session that it needs. */
export interface ErrandSession {
  readonly state: SessionState;
  readonly transfers: TransferControl;
  /** Tells the user something. */
  readonly view: { notice(text: string): void };
}

/** How long a server may take to let a client in, in milliseconds: as in a pipe. */
const JOINING_MS = 10_000;
const NO_FILES = "This server knows only the classic dialect, in which no files are handed over";

/** One task of one session. */
export class Errand {
  readonly #task: Task;
  readonly #session: ErrandSession;
  readonly #isWatched: boolean;
  /** When the member is to be there, in milliseconds. */
  readonly #until: number;
  readonly #joinsUntil: number;
  #stage: "begun" | "under way" | "done" = "begun";
  #hasJoined = false;
  #failure: string | undefined;

  /**
   * @param now The time at which the client begins to join, in milliseconds.
   * @param isWatched Whether somebody sees at a terminal what happens, and is told of it before the end.
   */
  constructor(task: Task, session: ErrandSession, now: number, isWatched = false) {
    const wait = "send" in task ? task.send.wait : Infinity;
    this.#task = task;
    this.#session = session;
    this.#isWatched = isWatched;
    this.#until = now + wait;
    this.#joinsUntil = now + Math.max(wait, JOINING_MS);
  }

  /** Whether nothing more is to be done, and the client can leave. */
  get isDone(): boolean {
    return this.#stage === "done";
  }

  /**
   * Why it was not done, in a sentence; undefined if it was.
   *
   * @param ofSession Why the session has ended. It knows best why a client was not let in, or had to leave.
   */
  failure(ofSession?: string): string | undefined {
    return this.#hasJoined && this.isDone ? this.#failure : ofSession ?? this.#failure;
  }

  /** Whether whoever runs the script is told what the session shows: why nothing happens, and what has. */
  isTold(shown: Shown): boolean {
    if (shown.kind === "problem") return true;
    if (shown.kind === "notice") return this.#isWatched || this.#session.state === "joining";
    if (shown.kind !== "transferred") return false;
    if ("send" in this.#task) return shown.problem === undefined;
    const { from, keep } = this.#task.receive;
    // the last word of the program says why the only one has failed
    return (keep || shown.problem === undefined) && isFrom(shown, from);
  }

  /** When {@linkcode act} must be called next, if nothing else happens, in milliseconds; undefined for never. */
  get nextWake(): number | undefined {
    return this.#stage === "begun" && this.#joinsUntil < Infinity ? this.#joinsUntil : undefined;
  }

  /** Does what is to be done now: after whatever has happened to the session. */
  act(now: number): void {
    if (this.isDone) return;
    if (this.#session.state === "classic") return this.#end(NO_FILES);
    if (this.#stage === "begun" && this.#session.state === "joined") this.#begin(now);
    else if (this.#stage === "begun" && now >= this.#joinsUntil) this.#end("The server has not let this client in");
    if (this.#stage !== "under way") return;
    if ("receive" in this.#task) this.#answer(this.#task.receive, now);
    for (const end of this.#session.transfers.takeEnded()) this.#note(end);
  }

  /** Notes that the client leaves before it is done, as its user wants. */
  interrupt(): void {
    if (this.isDone) return;
    if ("send" in this.#task) return this.#end(`${this.#task.send.path} was not sent: interrupted`);
    const { from, keep } = this.#task.receive;
    const isBusy = this.#session.transfers.states.some(({ state }) => state === "running" || state === "finishing");
    if (isBusy) return this.#end(`What ${from} was sending is not all here: interrupted`);
    this.#end(keep ? undefined : `No file came from ${from}: interrupted`);
  }

  #begin(now: number): void {
    this.#stage = "under way";
    this.#hasJoined = true;
    if ("receive" in this.#task) {
      const { from, keep } = this.#task.receive;
      this.#session.view.notice(`Waiting for ${keep ? "files" : "a file"} from ${from}; Ctrl-C ends`);
      return this.#session.transfers.takeOnlyFrom(from);
    }
    const { to, path } = this.#task.send, { transfers } = this.#session;
    transfers.offer(to, path, now, Math.max(this.#until, now));
    const ended = transfers.takeEnded();
    for (const end of ended) this.#note(end);
    // the session has said why
    if (ended.length === 0 && transfers.states.length === 0) this.#end(`${path} was not offered to ${to}`);
  }

  /** Takes what is offered, one after the other if only one is wanted. */
  #answer({ keep }: { keep: boolean }, now: number): void {
    const { transfers } = this.#session;
    let isBusy = transfers.states.some(({ state }) => state !== "asked");
    for (const offer of transfers.states.filter(({ state }) => state === "asked")) {
      if (!keep && isBusy) break;
      transfers.accept(offer.number, now);
      isBusy = true;
    }
  }

  #note(end: TransferEnd): void {
    if (this.isDone) return;
    if ("send" in this.#task) return this.#end(end.problem === undefined ? undefined : endSentence(end));
    const { from, keep } = this.#task.receive;
    // others were declined, and what goes on has its own line
    if (keep || !isFrom(end, from)) return;
    this.#end(end.problem === undefined ? undefined : endSentence(end));
  }

  #end(failure: string | undefined): void {
    this.#stage = "done";
    this.#failure = failure;
  }
}

/** Whether a file comes from a member with this name. */
function isFrom({ direction, peer }: Pick<TransferEnd, "direction" | "peer">, name: string): boolean {
  return direction === "in" && nameKey(peer) === nameKey(name);
}
