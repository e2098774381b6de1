/**
 * Private messages of members that have a connection. No datagram of another member can reach them, so their private
 * messages pass through the server, and both sides are told so.
 *
 * @module
 */
import { privateLine } from "../../protocol/lines.ts";
import { printable } from "../../protocol/text.ts";
import type { Delivery } from "./delivery.ts";
import type { Member } from "./members.ts";

/** What private messages need of the room. */
export interface PrivateMessagesContext {
  delivery: Delivery;
}

/** The private messages of one room that pass through the server. */
export class PrivateMessages {
  readonly #context: PrivateMessagesContext;

  constructor(context: PrivateMessagesContext) {
    this.#context = context;
  }

  /** Sends a text from a member with a connection to another member alone. */
  send(text: string, from: Member, to: Member, _now: number): void {
    const said = printable(text);
    if (to === from) return this.#tell(from, "That is you");
    if (to.dialect === "v1") return this.#tell(from, `${to.name} can't be reached from a connection`);
    this.#tell(to, privateLine({ from: from.address, name: from.name, text: said }));
    this.#tell(from, `-> ${to.name} (through the server): ${said}`);
  }

  #tell(member: Member, line: string): void {
    this.#context.delivery.send(member, { dialect: "classic", type: "INCOMING", line });
  }
}
