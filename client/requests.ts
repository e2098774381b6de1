/**
 * What the user wants of the server: who is here, what was said before, a word to one member alone.
 *
 * @module
 */
import { MAX_TEXT_BYTES } from "../protocol.ts";
import { splitText } from "../protocol/text.ts";
import type { DirectMessages } from "./direct.ts";
import type { Directory } from "./directory.ts";
import type { History } from "./history.ts";
import type { Inbox } from "./inbox.ts";
import type { Membership } from "./membership.ts";
import { OUTBOX_SIZE } from "./outbox.ts";
import type { View } from "./view.ts";

/** What requests need of the session. */
export interface RequestsOptions {
  membership: Membership;
  view: View;
  inbox: Inbox;
  direct: DirectMessages;
  directory: Directory;
  history: History;
  /** So many messages will not be sent. */
  undelivered: (count: number) => void;
}

/** Something that takes a server that answers. */
interface Request {
  run: (now: number) => void;
  /** The server can't do it. */
  refused?: () => void;
}

/** The requests of one session; what is typed before the server has ever answered waits until it does. */
export class Requests {
  readonly #options: RequestsOptions;
  readonly #waiting: Request[] = [];

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /** How many requests wait for the server's first answer. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Says something to the member with a name alone; the text does not pass through the server. */
  sayTo(name: string, text: string, now: number): void {
    const { direct, undelivered } = this.#options;
    const drafts = splitText(text, MAX_TEXT_BYTES).map((text) => ({ text }));
    this.#make({
      run: (now) => direct.say(name, drafts, now),
      refused: () => undelivered(drafts.length),
    }, now);
  }

  /** Answers whoever wrote last to this client alone. */
  reply(text: string, now: number): void {
    const { view } = this.#options;
    if (view.lastWriter === undefined) view.problem("Nobody who has a name has written to you alone yet");
    else this.sayTo(view.lastWriter, text, now);
  }

  /** Shows who is here. */
  list(now: number): void {
    this.#make({ run: (now) => this.#options.directory.list(now) }, now);
  }

  /** Shows who has a name. */
  whois(name: string, now: number): void {
    this.#make({ run: (now) => this.#options.directory.whois(name, now) }, now);
  }

  /** Shows the last messages, those that are on the screen already too. */
  history(length: number, now: number): void {
    if (!this.#canAsk()) return;
    const { inbox, history, view } = this.#options;
    const to = inbox.next - 1;
    if (to < 1) return view.notice("Nothing was said here yet");
    history.ask(length, to, now);
  }

  /** Makes the requests that have waited for it to be clear what the server is. */
  flush(now: number): void {
    for (const request of this.#waiting.splice(0)) this.#make(request, now);
  }

  #make(request: Request, now: number): void {
    const { state, everJoined } = this.#options.membership;
    const isEarly = state === "joining" && !everJoined || state === "refused";
    if (isEarly && this.#waiting.length < OUTBOX_SIZE) this.#waiting.push(request);
    else if (this.#canAsk()) request.run(now);
    else request.refused?.();
  }

  #canAsk(): boolean {
    const { membership, view } = this.#options;
    if (membership.state === "joined") return true;
    view.problem(
      membership.state === "classic"
        ? "This server speaks the classic dialect: it has no names and no direct messages"
        : "The server does not answer at the moment; try again when it does",
    );
    return false;
  }
}
