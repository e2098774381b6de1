/**
 * Sends what is due to one member alone, directly or through the server, and tells the user of the server's way first.
 *
 * @module
 */
import { ageOf, type RelayedPacket } from "../../protocol.ts";
import { messageLine } from "../../protocol/lines.ts";
import type { Draft } from "../../protocol/reliable/send_stream.ts";
import type { Conversation } from "./conversations.ts";
import type { Fact } from "./facts.ts";
import { relay } from "./relay.ts";
import type { Self, Send } from "./self.ts";
import type { Found } from "./way.ts";
import { isOwnLoopback, relayNotice, sentNotice, whyNotDirectly } from "./way_words.ts";

/** Of how many passes it is remembered that the user was told of the server's way. */
const MAX_TOLD = 1000;

/** The sending end of all conversations of a session. */
export class DirectSender {
  readonly #send: Send;
  readonly #self: Self;
  /** The passes of the peers of which the user was told that the texts to them go through the server. */
  readonly #told = new Set<string>();

  /** @param self This member, as the server knows it. */
  constructor(send: Send, self: Self) {
    this.#send = send;
    this.#self = self;
  }

  /** Sends what waits to a classic peer directly, once, as nothing would acknowledge it. */
  sendStraight(conversation: Conversation, { address }: Found): Fact[] {
    const { address: from, name } = this.#self, isRelayed = conversation.relayed.size > 0;
    conversation.relayed.clear();
    return conversation.sendStream.clear().map((draft) => {
      this.#send({ dialect: "classic", type: "INCOMING", line: messageLine({ from: from!, name, ...draft }) }, address);
      return delivered(conversation, draft, isRelayed);
    });
  }

  /** Tells the user that the texts to a peer go through the server; or sends what is due, if the user knows. */
  tellOrTransmit(conversation: Conversation, now: number): Fact[] {
    const { name, way: { isRelayed, place } } = conversation;
    // what lies on this side is told once, not of each peer
    const about = place && isOwnLoopback(place, this.#self.address) ? "" : place?.pass;
    if (!isRelayed || !place || this.#told.has(about!)) {
      this.transmit(conversation, now);
      return [];
    }
    this.#told.add(about!);
    if (this.#told.size > MAX_TOLD) this.#told.delete(this.#told.keys().next().value!);
    // what is due is sent at the next wake, when the user has read this
    return [{ type: "notice", text: relayNotice(whyNotDirectly(name, place, this.#self.address)) }];
  }

  /** Sends what is due. */
  transmit(conversation: Conversation, now: number): void {
    const { sendStream, way } = conversation;
    for (const { saidAt, ...message } of sendStream.wake(now)) {
      const { address, pass } = way.place!;
      const packet: RelayedPacket = { dialect: "v1", type: "MESSAGE", pass, ...ageOf(saidAt, now), ...message };
      if (way.isRelayed) {
        conversation.relayed.add(message.id);
        this.#send(relay(packet, this.#self, address));
      } else {
        way.sent(now);
        this.#send(packet, way.address);
      }
    }
  }
}

/** Tells that a text has arrived, or was sent to a member that acknowledges nothing. */
export function delivered({ name, isClassic }: Conversation, { text }: Draft, isRelayed: boolean): Fact {
  return { type: "notice", text: sentNotice(name, text, { isClassic, isRelayed }) };
}
