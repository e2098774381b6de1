/**
 * Shows what arrives to the user: makes each text safe to print, leaves out ignored people and remembers names.
 *
 * @module
 */
import type { Identity } from "./conversations.ts";
import type { DirectMessage } from "./facts.ts";
import { People } from "./people.ts";
import type { Shown } from "./shown.ts";
import type { Who } from "./who.ts";
import type { EventPacket } from "../../protocol.ts";
import { nameKey } from "../../protocol/names.ts";
import { messageLine, noticeLine, presenceLines, renamedLines } from "../../protocol/lines.ts";
import type { FeedItem } from "../../protocol/reliable/feed_items.ts";
import { pluralize, printable } from "../../protocol/text.ts";

type RenamedEvent = EventPacket & { type: "RENAMED" };

/** Everything that is shown goes through here. */
export class View {
  /** Shows one thing. */
  readonly show: (shown: Shown) => void;
  readonly people: People = new People();
  /**
   * The sender of the last direct message: by the name that the server has said, or without one by the address; and by
   * what it is known to be the same.
   */
  lastWriter: { who: Who; identity: Identity } | undefined;
  #hasToldForging = false;

  constructor(show: (shown: Shown) => void) {
    this.show = show;
  }

  /** Shows an event of the room, or that some events are lost; `self` is this client's own address. */
  showFeedItem(arrived: FeedItem, self: string | undefined): void {
    if ("event" in arrived) return this.#showEvent(arrived.event, self);
    if ("forged" in arrived) return this.#tellForged(arrived.forged, self);
    if ("unchecked" in arrived) return this.#tellUnchecked(arrived.unchecked, self);
    this.notice(`${pluralize(arrived.missed, "message")} missed for good: the server does not have them any more`);
  }

  /** Shows past messages; `missing` is the number of events that did not arrive in time. */
  showHistory(messages: EventPacket[], missing: number, self: string | undefined): void {
    if (messages.length === 0) {
      if (missing > 0) return this.problem("The server has not answered in time; try again");
      return this.notice("The server has no earlier messages");
    }
    this.notice(`The last ${pluralize(messages.length, "message")}:`);
    for (const event of messages) this.#showEvent(event, self);
    this.notice(missing > 0 ? "Some may be missing: not all of the answer arrived" : "That was the past");
  }

  /**
   * Shows a message that was sent to this client alone.
   *
   * @param now The time in milliseconds.
   * @param wallNow The same in Unix milliseconds.
   */
  showDirect({ address, name, pass, text, action, age, relayed }: DirectMessage, now: number, wallNow: number): void {
    this.people.remember(name);
    this.lastWriter = { who: name === undefined ? { address } : { name }, identity: { pass, at: now } };
    const how = { ...(relayed && { relayed }), at: wallNow - age };
    this.show({ kind: "direct", from: address, name, action, ...how, text: printable(text) });
  }

  /** Shows a notice about the state of the session. */
  notice(text: string): void {
    this.show({ kind: "notice", text: printable(text) });
  }

  /** Shows what the server says to all; `at` in Unix milliseconds. */
  announce(text: string, at: number): void {
    this.show({ kind: "announcement", text: printable(text), at });
  }

  /** Shows what went wrong. */
  problem(text: string): void {
    this.show({ kind: "problem", text: printable(text) });
  }

  /** Says that somebody sends packets in the server's name, and which of the lines above the server has never said. */
  #tellForged(events: EventPacket[], self: string | undefined): void {
    for (const event of [...events].reverse()) {
      if (event.type === "INCOMING" || event.type === "NOTICE") continue;
      this.people.takeBack(event);
      if (event.type !== "RENAMED") continue;
      const before = event.members.flatMap(({ address, name, before }) =>
        before ? [{ address, name: before, before: name }] : []
      );
      this.#followLastWriter(before);
    }
    const [first, ...more] = events.map((event) => this.#quote(event, self)).filter((quote) => quote !== undefined);
    if (first === undefined && this.#hasToldForging) return;
    this.#hasToldForging = true;
    if (first === undefined) {
      return this.problem("Somebody sends forged packets in the server's name; they were not believed");
    }
    const others = more.length > 0 ? `, and ${more.length} more of the lines above` : "";
    this.problem(`Not true, somebody has forged it in the server's name: "${first}"${others}`);
  }

  /** Says that the server is not there any more to say whether the lines above are true. */
  #tellUnchecked(events: EventPacket[], self: string | undefined): void {
    const { length } = events.filter((event) => this.#quote(event, self) !== undefined);
    if (length === 0) return;
    const what = length === 1 ? "the last line was" : `the last ${length} lines were`;
    this.notice(`The server began anew before it could be checked that ${what} really said`);
  }

  /** A line that shows an event again; undefined if it was not shown. */
  #quote(event: EventPacket, self: string | undefined): string | undefined {
    if (event.type === "INCOMING") {
      return this.people.isIgnored({ address: event.from, name: event.name }) ? undefined : messageLine(event);
    }
    if (event.type === "NOTICE") return noticeLine(event.text);
    if (event.type === "RENAMED") return renamedLines(event.members).at(0);
    const member = event.members.find(({ address }) => address !== self);
    return member && presenceLines([member], event.type === "ONLINE")[0];
  }

  #showEvent(event: EventPacket, self: string | undefined): void {
    if (event.type === "INCOMING") {
      const { from, name, at, action, text } = event;
      if (this.people.isIgnored({ address: from, name })) return;
      this.people.remember(name);
      this.show({ kind: "message", from, name, at, action, text: printable(text) });
      return;
    }
    if (event.type === "NOTICE") return this.announce(markSelf(event.text, self), event.at);
    if (event.type === "RENAMED") return this.#showRenamed(event);
    const online = event.type === "ONLINE";
    this.people.take(event);
    const members = event.members.filter(({ address }) => address !== self);
    if (members.length > 0) this.show({ kind: "presence", online, members, at: event.at });
  }

  #showRenamed(event: RenamedEvent): void {
    const { members, at } = event;
    if (members.length > 0) this.show({ kind: "renamed", members, at });
    for (const { before, name } of this.people.take(event)) {
      this.notice(`You ignore ${before}, so you hear no more from ${name} either; /unignore ${name} undoes it`);
    }
    this.#followLastWriter(members);
  }

  /** Lets an answer go to whoever has written last, by the name that it has now. */
  #followLastWriter(members: RenamedEvent["members"]): void {
    const { who } = this.lastWriter ?? {};
    if (!who || !("name" in who)) return;
    const renamed = members.find(({ before }) => before !== undefined && nameKey(before) === nameKey(who.name));
    if (renamed) this.lastWriter!.who = { name: renamed.name };
  }
}

/** Says whose address stands in a text where it is this client's own: one without a name is called by it. */
function markSelf(text: string, self: string | undefined): string {
  if (self === undefined) return text;
  // not as the end or the beginning of another address
  return text.split(" ").map((word) =>
    word.replace(/[.,:;]$/, "") === self ? word.replace(self, `${self} (you)`) : word
  )
    .join(" ");
}
