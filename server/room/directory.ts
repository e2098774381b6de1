/**
 * Answers who is here, and introduces members that want to write to each other.
 *
 * @module
 */
import type { V1Packet } from "../../protocol.ts";
import { usersLine } from "../../protocol/lines.ts";
import type { Delivery } from "./delivery.ts";
import type { Limits } from "./limits.ts";
import type { Member, Members, NamePage } from "./members.ts";
import type { Passes } from "./passes.ts";
import { PunchLimits } from "./punch_limits.ts";

/** What the directory needs of the room. */
export interface DirectoryContext {
  members: Members;
  delivery: Delivery;
  limits: Limits;
  passes: Passes;
}

/** A page of names, and the totals of all members. */
export interface UsersPage extends NamePage {
  /** How many members have a name. */
  total: number;
  unnamed: number;
}

/** The questions of members about members. */
export class Directory {
  readonly #context: DirectoryContext;
  readonly #punchLimits = new PunchLimits();

  constructor(context: DirectoryContext) {
    this.#context = context;
  }

  /** A page of the names that sort behind `after`, as many as fit into a datagram, and the totals of all members. */
  users(after?: string, separator?: string): UsersPage {
    const { size, named } = this.#context.members;
    const page = this.#context.members.namesAfter(after, separator);
    return { total: named, unnamed: size - named, ...page };
  }

  /** Answers a LIST. */
  list(member: Member, { id, after }: V1Packet & { type: "LIST" }, now: number): void {
    const { delivery, limits } = this.#context;
    if (!limits.takeRequestTokens(member, 1, now)) return;
    delivery.send(member, { dialect: "v1", type: "USERS", id, token: member.token, ...this.users(after) });
  }

  /** Answers a LIST in words: the names in one line, as many as fit into it. */
  listClassic(member: Member, now: number): void {
    const { delivery, limits } = this.#context;
    if (!limits.takeRequestTokens(member, 1, now)) return;
    const line = usersLine(this.users(undefined, ", "));
    if (!limits.takeAnswerBytes(member, line, now)) return;
    delivery.send(member, { dialect: "classic", type: "INCOMING", line });
  }

  /** Answers a LOOKUP. Whoever is looked up is told, so that both can write to each other. */
  lookUp(asker: Member, { id, name, address }: V1Packet & { type: "LOOKUP" }, now: number): void {
    const { members, delivery, limits, passes } = this.#context;
    if (!limits.takeRequestTokens(asker, 2, now)) return;
    const { token } = asker;
    const found = name === undefined ? members.withAddress(address!) : members.withName(name);
    if (!found) {
      const text = `${name ?? address} is not here`;
      return delivery.send(asker, { dialect: "v1", type: "ERROR", token, code: "no-such-user", id, text });
    }
    // who speaks in lines is reached through the server
    const isReachable = found.dialect === "v1" && found.direct && asker.direct, isLine = found.dialect === "line";
    const pass = isReachable || isLine ? passes.of(asker, found) : undefined;
    if (pass !== undefined && !isLine && this.#punchLimits.take(found, asker, now)) {
      // UDP hole punching (RFC 5128, section 3.3): the peer's datagram opens its NAT for the asker's. It is sent first,
      // because the peer drops a message that overtakes it.
      delivery.send(found, {
        dialect: "v1",
        type: "PUNCH",
        token: found.token,
        address: asker.address,
        name: asker.name,
        pass,
      });
    }
    delivery.send(asker, {
      dialect: "v1",
      type: "PEER",
      id,
      token,
      address: found.address,
      name: found.name,
      since: 1000 * found.since,
      pass,
      classic: found.dialect === "classic" || found.dialect === "classic-line",
      ...(isLine && { relay: pass !== undefined, transport: "tcp" }),
    });
  }
}
