/**
 * The user's requests to the server: who is here, what was said before, and a message to one member alone.
 *
 * @module
 */
import type { DirectMessages } from "./direct.ts";
import type { Directory } from "./directory.ts";
import type { History } from "./history.ts";
import type { Membership } from "./membership.ts";
import type { Shutdown } from "./shutdown.ts";
import type { View } from "./view.ts";
import { MAX_TEXT_BYTES, SEND_WINDOW } from "../../protocol.ts";
import { parseAddress } from "../../protocol/fields.ts";
import { NAME_RULE, normalizeName } from "../../protocol/names.ts";
import type { EventFeed } from "../../protocol/reliable/event_feed.ts";
import { SEND_STREAM_SIZE } from "../../protocol/reliable/send_stream.ts";
import { splitText } from "../../protocol/text.ts";

/** What requests need from the session. */
export interface RequestsOptions {
  membership: Membership;
  view: View;
  feed: EventFeed;
  direct: DirectMessages;
  directory: Directory;
  history: History;
  /** Counts the requests that fail. */
  shutdown: Shutdown;
}

/** An action that needs a server that answers. */
interface Request {
  run: (now: number) => void;
  /** Called when the request can't be made. */
  refused: () => void;
}

/** The requests of one session. They are made in order, a few at a time, while this client is a member. */
export class Requests {
  readonly #options: RequestsOptions;
  readonly #waiting: Request[] = [];

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /** How many requests wait for their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** How many requests have no answer yet. */
  get size(): number {
    const { directory, history } = this.#options;
    return this.#waiting.length + directory.openCount + (history.isOpen ? 1 : 0);
  }

  /** Sends a text to the member with the name `who` alone; the text does not pass through the server. */
  sayTo(who: string, text: string, now: number): void {
    const { direct, view, shutdown } = this.#options;
    const drafts = splitText(text, MAX_TEXT_BYTES).map((text) => ({ text }));
    const refused = () => void (shutdown.undelivered += drafts.length);
    const name = normalizeName(who);
    if (name === undefined) {
      view.problem(NAME_RULE);
      return refused();
    }
    this.#enqueue({ run: (now) => direct.say(name, drafts, now), refused }, now);
  }

  /** Sends a text to the member that sent the last direct message to this client. */
  reply(text: string, now: number): void {
    const { view, shutdown } = this.#options;
    if (view.lastWriter?.name !== undefined) return this.sayTo(view.lastWriter.name, text, now);
    view.problem(
      view.lastWriter
        ? "The last who wrote to you alone has no name: it can't be answered"
        : "Nobody has written to you alone yet",
    );
    shutdown.undelivered++;
  }

  /** Shows who is here. */
  list(now: number): void {
    this.#ask((now) => this.#options.directory.list(now), now);
  }

  /** Shows who has a name, or an address. */
  whois(who: string, now: number): void {
    const { directory, view, shutdown } = this.#options;
    const name = normalizeName(who);
    if (name === undefined && !parseAddress(who)) {
      view.problem(NAME_RULE);
      shutdown.misunderstood++;
      return;
    }
    this.#ask((now) => directory.whois(name === undefined ? { address: who } : { name }, now), now);
  }

  /** Shows the last `length` messages, including those that are already on the screen. */
  history(length: number, now: number): void {
    const { feed, history, view } = this.#options;
    this.#ask((now) => {
      const to = feed.next - 1;
      if (to < 1) view.notice("Nothing was said here yet");
      else history.ask(length, to, now);
    }, now);
  }

  /** Cancels a request for past messages: the server has lost its memory, so they are gone. */
  cancelHistory(): void {
    const { history, view, shutdown } = this.#options;
    if (!history.isOpen) return;
    history.cancel();
    view.problem("The server has begun anew, with another past: ask again");
    shutdown.unanswered++;
  }

  /** Makes the requests whose turn it is. */
  flush(now: number): void {
    const { membership, directory, history } = this.#options;
    if (membership.state === "classic") {
      for (const request of this.#waiting.splice(0)) this.#refuse(request);
    }
    // piped input may ask a thousand things at once, but the server answers only so many
    while (membership.state === "joined" && directory.openCount < SEND_WINDOW && !history.isOpen) {
      const request = this.#waiting.shift();
      if (!request) return;
      request.run(now);
    }
  }

  #ask(run: (now: number) => void, now: number): void {
    this.#enqueue({ run, refused: () => void this.#options.shutdown.unanswered++ }, now);
  }

  #enqueue(request: Request, now: number): void {
    const { state, everJoined } = this.#options.membership;
    const isAway = state === "joining" && everJoined;
    if (isAway || this.#waiting.length >= SEND_STREAM_SIZE) return this.#refuse(request);
    this.#waiting.push(request);
    this.flush(now);
  }

  #refuse({ refused }: Request): void {
    this.#options.view.problem(
      this.#options.membership.state === "classic"
        ? "This server speaks the classic dialect: it has no names, no direct messages and no history"
        : "The server does not answer at the moment; try again when it does",
    );
    refused();
  }
}
