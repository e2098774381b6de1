/**
 * Answers who is here, and introduces members that want to write to each other.
 *
 * @module
 */
import type { V1Packet } from "../../protocol.ts";
import { usersLine } from "../../protocol/lines.ts";
import type { Delivery } from "./delivery.ts";
import type { Limits } from "./limits.ts";
import type { Logins } from "./login.ts";
import type { Member, Members, NamePage } from "./members.ts";
import type { OrderTargets } from "./order_targets.ts";
import type { Passes } from "./passes.ts";
import { reachEachOther } from "./reach.ts";
import { ReceiverLimits } from "./receiver_limits.ts";

/** What the directory needs of the room. */
export interface DirectoryContext {
  members: Members;
  delivery: Delivery;
  limits: Limits;
  /** Undefined if this server protects no names. */
  logins: Pick<Logins, "isProtected"> | undefined;
  passes: Passes;
  targets: OrderTargets;
  /** Whether private messages may pass through the server. */
  isRelaying: boolean;
  /** How many bytes a second of files pass for each member; 0 for no limit. */
  relayRate: number;
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
  readonly #punchLimits = new ReceiverLimits();

  constructor(context: DirectoryContext) {
    this.#context = context;
  }

  /** A page of the names in one line, and the totals of all members. */
  users(): UsersPage {
    return this.#page(this.#context.members.namesAfter(undefined, { separator: ", " }));
  }

  /** Answers a LIST. */
  list(member: Member, { id, after }: V1Packet & { type: "LIST" }, now: number): void {
    const { members, delivery, limits, isRelaying } = this.#context;
    if (!limits.takeRequestTokens(member, 1, now)) return;
    const isOnlyRelayed = isRelaying ? (other: Member) => !reachEachOther(member, other) : undefined;
    const page = this.#page(members.namesAfter(after, { isOnlyRelayed }));
    delivery.send(member, { dialect: "v1", type: "USERS", id, token: member.token, ...page });
  }

  /** Answers a LIST in words: the names in one line, as many as fit into it. */
  listClassic(member: Member, now: number): void {
    const { delivery, limits } = this.#context;
    if (!limits.takeRequestTokens(member, 1, now)) return;
    const line = usersLine(this.users());
    if (!limits.takeAnswerBytes(member, line, now)) return;
    delivery.send(member, { dialect: "classic", type: "INCOMING", line });
  }

  /** Answers a LOOKUP. Whoever is looked up is told, so that both can write to each other. */
  lookUp(asker: Member, { id, name, address }: V1Packet & { type: "LOOKUP" }, now: number): void {
    const { members, delivery, limits, passes, targets, isRelaying, relayRate } = this.#context;
    if (!limits.takeRequestTokens(asker, 2, now)) return;
    const { token } = asker;
    const found = name === undefined ? members.withAddress(address!) : members.withName(name);
    if (!found) {
      const text = `${name ?? address} is not here`;
      return delivery.send(asker, { dialect: "v1", type: "ERROR", token, code: "no-such-user", id, text });
    }
    const isRelayed = !reachEachOther(asker, found), isReached = found.dialect === "v1" && !isRelayed;
    // a classic program confirms nothing, and may hear the server alone, so it is written to through the server
    const pass = isReached || isRelaying ? passes.of(asker, found) : undefined;
    if (isReached && pass !== undefined && this.#punchLimits.take(found, asker, now)) {
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
      relay: isRelayed,
      norelay: !isRelaying,
      rate: isRelaying && relayRate > 0 ? relayRate : undefined,
      transport: found.dialect === "line" ? "tcp" : undefined,
      registered: this.#context.logins?.isProtected(found.name),
      operator: targets.isOperator(found),
    });
  }

  #page(page: NamePage): UsersPage {
    const { size, named } = this.#context.members;
    return { total: named, unnamed: size - named, ...page };
  }
}
