/**
 * The members in a state file.
 *
 * Changes are written without full synchronisation: only a power failure can undo them, and the member then greets
 * again.
 *
 * @module
 */
import type { Origin } from "./journal.ts";
import type { KeptMember } from "./past.ts";
import type { Statement, Writer } from "./sqlite_writer.ts";

/**
 * The members in a state file. Each method writes before it returns.
 *
 * A member whose peer is a connection is not written, because no connection outlives the server.
 */
export class MemberTable {
  readonly #writer: Writer;
  readonly #put: Statement;
  readonly #drop: Statement;

  constructor(writer: Writer) {
    this.#writer = writer;
    this.#put = writer.database.prepare("REPLACE INTO members VALUES (?, ?, ?, ?, ?, ?)");
    this.#drop = writer.database.prepare("DELETE FROM members WHERE key = ?");
  }

  /** @throws {Failure} if the file can't be written. */
  joined(member: Origin & KeptMember): void {
    if (member.key !== member.address) return;
    this.#writer.write(() => {
      // a classic member that turns out to speak version 1 is replaced at once, so that a crash can't lose it
      this.#drop.run(member.address);
      this.#putMember(member);
    });
  }

  /**
   * A member has another name or address.
   *
   * @throws {Failure} if the file can't be written.
   */
  changed(member: Origin & KeptMember): void {
    if (member.key === member.address) this.#writer.write(() => this.#putMember(member));
    else this.#writer.write(() => this.#drop.run(keyOf(member)));
  }

  /** @throws {Failure} if the file can't be written. */
  left(member: Origin & KeptMember, how: string): void {
    if (how === "upgrade" || member.key !== member.address) return;
    this.#writer.write(() => this.#drop.run(keyOf(member)));
  }

  #putMember(member: KeptMember): void {
    const { address, dialect, token, name, since } = member;
    this.#put.run(keyOf(member), address, dialect, token, name ?? null, since);
  }
}

/** The key of a member in the file: its token, because its address may change; without a token, its address. */
export function keyOf({ token, address }: Pick<KeptMember, "token" | "address">): string {
  return token || address;
}
