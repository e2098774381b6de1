/**
 * Does what follows from what the parts of a session have found out.
 *
 * @module
 */
import { pluralize, printable } from "../../protocol/text.ts";
import type { Answers } from "./answers.ts";
import type { Detection } from "./detection.ts";
import type { Fact } from "./facts.ts";
import type { History } from "./history.ts";
import { JoinHints } from "./join_hints.ts";
import type { Leaving } from "./leaving.ts";
import type { Peers } from "./peers.ts";
import { Rank } from "./rank.ts";
import { markRawLine } from "./raw_line.ts";
import type { Requests } from "./requests.ts";
import type { Tally } from "./tally.ts";
import type { Topic } from "./topic.ts";
import type { Transfers } from "./transfers/transfers.ts";
import type { Transactions } from "./transactions.ts";
import { TOLD_TO_GO } from "./v1_link.ts";
import type { View } from "./view.ts";

/** The parts that facts of others concern. */
export interface ConcernedParts {
  view: View;
  detection: Detection;
  transactions: Transactions;
  peers: Peers;
  transfers: Transfers;
  history: History;
  requests: Requests;
  answers: Answers;
  topic: Topic;
  tally: Tally;
  leaving: Leaving;
  /** Returns the Unix time in milliseconds; by default the `now` of the call is taken for it. */
  wallClock: (() => number) | undefined;
}

/** Acts on the facts of one session. */
export class FactHandler {
  readonly #parts: ConcernedParts;
  readonly #joinHints = new JoinHints();
  readonly #rank = new Rank();

  constructor(parts: ConcernedParts) {
    this.#parts = parts;
  }

  /** Does what follows from facts, in their order. */
  handle(facts: Fact[], now: number): void {
    for (const fact of facts) this.#handle(fact, now);
  }

  #handle(fact: Fact, now: number): void {
    const {
      view,
      wallClock,
      detection,
      transactions,
      peers,
      history,
      requests,
      answers,
      topic,
      tally,
      leaving,
      transfers,
    } = this.#parts;
    switch (fact.type) {
      case "joined":
        return leaving.noteProgress(now);
      case "welcome": {
        const { self } = detection.v1.membership;
        if (topic.take(fact)) view.announce(topic.sentence, wallClock?.() ?? now);
        return this.handle([...this.#rank.take(self, now), ...this.#joinHints.take(self)], now);
      }
      case "lost":
        return this.handle(requests.cancelAccountChanges(), now);
      case "challenged": {
        // what was typed behind a wish for a protected name may be the password
        const lines = pluralize(requests.unsaid, "line");
        if (requests.withdrawUnsaid() > 0) {
          view.problem(`Not sent, as it was typed before the question: ${lines}`);
        }
        return;
      }
      case "begun anew":
        peers.beginAnew(now);
        // it may be done, and must not be done again
        this.handle(transactions.giveUp(({ ask }) => ask === "order"), now);
        return this.handle(requests.cancelHistory(), now);
      case "feed":
        if ("event" in fact.item && "members" in fact.item.event) {
          peers.noteMembers(fact.item.event, now);
        }
        return view.showFeedItem(fact.item, detection.v1.membership.self.address);
      case "past":
        if (!history.isOpen) return fact.isAnswer ? undefined : detection.v1.noteDuplicate();
        return this.handle(history.take(fact.event, now), now);
      case "unshown":
        if (!history.isOpen) return detection.v1.noteDuplicate();
        return this.handle(history.markUnshown(fact.seq, now), now);
      case "gone":
        return this.handle(history.markGone(fact.range, now), now);
      case "answer":
        return this.handle(answers.take(fact.packet, now), now);
      case "punch":
        return peers.punched(fact.packet, now);
      case "relayed":
        if (leaving.state === "joined") this.handle(peers.receiveRelayed(fact.packet, now), now);
        return;
      case "unanswered":
        return this.handle(answers.handOver(fact.question, undefined, now), now);
      case "direct":
        return view.showDirect(fact.message, now, wallClock?.() ?? now);
      case "reached":
        return this.handle(transfers.wake(now), now);
      case "file packet":
        if (leaving.state === "joined") this.handle(transfers.receive(fact, now), now);
        return;
      case "history":
        if (fact.missing > 0) tally.add("unanswered");
        return view.showHistory(fact.messages, fact.missing, detection.v1.membership.self.address);
      case "shortfall":
        return tally.add(fact.what, fact.count);
      case "line":
        return view.show({ kind: "line", line: markRawLine(printable(fact.line)) });
      case "distrusted":
        return leaving.fail(fact.text, now);
      case "refused":
        return view.show({ kind: "refused", code: fact.code, name: fact.name, text: fact.text });
      case "expelled":
        return this.#giveUpAll(now);
      case "show":
        return view.show(fact.shown);
      case "notice":
        return view.notice(fact.text);
      case "problem":
        return view.problem(fact.text);
    }
  }

  /** Gives up what waits, as the server has told this client to go, and says what can be done about it. */
  #giveUpAll(now: number): void {
    const { view, transactions, peers, requests, transfers } = this.#parts;
    this.handle(transfers.leave(now), now);
    this.handle(peers.giveUpAll(TOLD_TO_GO), now);
    this.handle(requests.giveUp(TOLD_TO_GO), now);
    this.handle(transactions.giveUp(), now);
    view.show({ kind: "hint", text: "/join asks to come in again, /quit leaves" });
  }
}
