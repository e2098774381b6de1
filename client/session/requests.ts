/**
 * The user's requests to the server: who is here, what was said before, and a message to one member alone.
 *
 * @module
 */
import { SEND_WINDOW } from "../../protocol.ts";
import { type Draft, SEND_STREAM_SIZE } from "../../protocol/reliable/send_stream.ts";
import type { Account, AccountChange } from "./account.ts";
import type { Identity } from "./conversations.ts";
import type { Detection } from "./detection.ts";
import type { Directory } from "./directory.ts";
import type { Fact } from "./facts.ts";
import type { History } from "./history.ts";
import type { Orders } from "./orders.ts";
import type { Peers } from "./peers.ts";
import type { LinkTarget } from "./peer_link.ts";
import { undelivered } from "./refusals.ts";
import type { Transfers } from "./transfers/transfers.ts";
import { nameOf, type Who } from "./who.ts";

/** Something that needs a server that answers. */
export type Request =
  /**
   * Sends texts to one member alone; past the server where that can be. They were said at a time in milliseconds. With
   * an identity they are for nobody else, whoever has the name or the address by then.
   */
  | { want: "direct message"; to: Who; identity?: Identity; drafts: Draft[]; saidAt: number }
  /** Offers a file to a member. */
  | { want: "file"; target: LinkTarget; path: string }
  /** Shows who is here. */
  | { want: "list" }
  /** Shows who has a name, or an address. */
  | { want: "whois"; who: Who }
  /** Shows the last messages, so many, including those that are already on the screen. */
  | { want: "history"; length: number }
  /** Has something done to keep order. */
  | { want: "order"; text: string }
  /** Gives this client another name. */
  | { want: "name"; name: string }
  /** Says something to everyone that was typed behind a new name, and is to be said under that. */
  | { want: "say"; drafts: Draft[] }
  /** Registers the user's name, changes its password, or gives it up. */
  | { want: "account"; change: AccountChange };

/** The parts that carry requests out. */
export interface RequestParts {
  detection: Detection;
  peers: Peers;
  directory: Directory;
  history: History;
  orders: Orders;
  account: Account;
  transfers: Transfers;
}

/** The requests of one session. They are made in order, a few at a time, while this client is a member. */
export class Requests {
  readonly #parts: RequestParts;
  readonly #waiting: Request[] = [];

  constructor(parts: RequestParts) {
    this.#parts = parts;
  }

  /** How many requests wait for their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** How many messages to everyone wait for their turn. */
  get unsaid(): number {
    return this.#waiting.reduce((sum, request) => sum + (request.want === "say" ? request.drafts.length : 0), 0);
  }

  /** Whether what is typed now is to be said behind a new name. */
  get waitsForName(): boolean {
    const { everJoined, isRenaming } = this.#parts.detection.v1.membership;
    return everJoined && isRenaming || this.#waiting.some(({ want }) => want === "name" || want === "say");
  }

  /** Whether a change of the account waits for its turn: the user will be asked for passwords. */
  get waitsForAccount(): boolean {
    return this.#waiting.some(({ want }) => want === "account");
  }

  /** Takes back what was to be said to everyone; returns how many messages. */
  withdrawUnsaid(): number {
    const { unsaid } = this;
    this.#waiting.splice(0, Infinity, ...this.#waiting.filter(({ want }) => want !== "say"));
    return unsaid;
  }

  /** Takes back the wishes for another name, as one is chosen now. */
  withdrawNames(): void {
    this.#waiting.splice(0, Infinity, ...this.#waiting.filter(({ want }) => want !== "name"));
  }

  /** How many requests have no answer yet. */
  get size(): number {
    const { detection, directory, history, orders, account } = this.#parts;
    const open = [history.isOpen, orders.isOpen, detection.v1.membership.isRenaming].filter(Boolean).length;
    return this.#waiting.length + directory.openCount + account.openCount + open;
  }

  /** Takes a request, which is made when its turn comes. */
  add(request: Request, now: number): Fact[] {
    const { state, v1 } = this.#parts.detection;
    if (state === "joining" && v1.membership.everJoined && request.want !== "say") {
      return refuse(request, "The server does not answer at the moment; try again when it does");
    }
    if (state === "expelled") return refuse(request, whyNotSent(v1.membership.refusal));
    if (this.#waiting.length >= SEND_STREAM_SIZE) {
      return refuse(request, "Too many requests wait for their turn; try again in a moment");
    }
    this.#waiting.push(request);
    if (v1.membership.isKeptWaiting && request.want !== "say") {
      return [{ type: "notice", text: "You are not in the room yet: that waits until you are" }];
    }
    const facts = this.flush(now), isWaiting = this.#waiting.includes(request);
    const shown = { kind: "hint", text: "It is offered as soon as the server lets you in" } as const;
    return request.want === "file" && isWaiting ? [...facts, { type: "show", shown }] : facts;
  }

  /** Gives up what waits for its turn, and the request for past messages. */
  giveUp(reason: string): Fact[] {
    const text = `Not asked: ${reason}`;
    return [
      ...this.cancelHistory(text),
      ...this.#waiting.splice(0).flatMap((request) => refuse(request, text, reason)),
    ];
  }

  /** Gives up the changes of the account that wait for their turn, as this client is in the room no more. */
  cancelAccountChanges(): Fact[] {
    const those = this.#waiting.filter(({ want }) => want === "account");
    this.#waiting.splice(0, Infinity, ...this.#waiting.filter(({ want }) => want !== "account"));
    return those.flatMap((request) => refuse(request, "Not asked: you are not in the room at the moment"));
  }

  /** Gives up the request for past messages; by default because the server has lost its memory, so they are gone. */
  cancelHistory(text = "The server has begun anew, with another past: ask again"): Fact[] {
    const { history } = this.#parts;
    if (!history.isOpen) return [];
    history.cancel();
    return [{ type: "problem", text }, { type: "shortfall", what: "unanswered", count: 1 }];
  }

  /** Makes the requests whose turn it is. */
  flush(now: number): Fact[] {
    const { detection, directory, history, orders } = this.#parts;
    if (detection.state === "classic") {
      const text = "This server speaks the classic dialect: it has no names, no direct messages and no history";
      return this.#waiting.splice(0).flatMap((request) => {
        return request.want === "say" ? this.#make(request, now) : refuse(request, text);
      });
    }
    const facts: Fact[] = [];
    // piped input may ask a thousand things at once, but the server answers only so many
    while (detection.state === "joined" && directory.openCount < SEND_WINDOW && !history.isOpen) {
      // what is asked for next is meant to come after it
      if (orders.isOpen || detection.v1.membership.isRenaming) break;
      const request = this.#waiting.shift();
      if (!request) break;
      facts.push(...this.#make(request, now));
    }
    return facts;
  }

  #rename(name: string, now: number): Fact[] {
    const { v1 } = this.#parts.detection;
    if (name === v1.membership.self.name) return [{ type: "notice", text: `You are ${name} already` }];
    v1.membership.rename(name, now);
    return [];
  }

  #make(request: Request, now: number): Fact[] {
    const { detection, peers, directory, history, orders, account, transfers } = this.#parts;
    switch (request.want) {
      case "direct message":
        return peers.say(request.to, request.drafts, now, request.saidAt, request.identity);
      case "say":
        for (const draft of request.drafts) detection.say(draft, now);
        return [];
      case "file":
        return transfers.offer(request.target, request.path, now);
      case "list":
        directory.list(now);
        return [];
      case "whois":
        directory.whois(request.who, now);
        return [];
      case "history": {
        const to = detection.v1.nextSeq - 1;
        if (to < 1) return [{ type: "notice", text: "Nothing was said here yet" }];
        history.ask(request.length, to, now);
        return [];
      }
      case "order":
        orders.give(request.text, now);
        return [];
      case "name":
        return this.#rename(request.name, now);
      case "account":
        return account.begin(request.change, now);
    }
  }
}

/** Why what is typed is not sent while this client is out, as the server has told it to go. */
export function whyNotSent(refusal: string): string {
  return `Not sent: ${refusal}. /join asks to come in again`;
}

/** Tells that a request is not made; `why` is the reason alone, for a message. */
function refuse(request: Request, text: string, why = text): Fact[] {
  if (request.want === "direct message") return undelivered(request.drafts, why, nameOf(request.to));
  if (request.want === "say") return undelivered(request.drafts, why);
  return [{ type: "problem", text }, { type: "shortfall", what: "unanswered", count: 1 }];
}
