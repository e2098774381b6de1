/**
 * Bans and the topic in a state file, and whether there were mutes or a lock, which end with the server.
 *
 * @module
 */
import type { KeptBan, Passing } from "./past.ts";
import type { Statement, Writer } from "./sqlite_writer.ts";

/**
 * Bans and the topic in a state file. Each method writes before it returns, so that a power failure undoes nothing.
 */
export class OrderTable {
  readonly #writer: Writer;
  readonly #statements: Record<
    "putBan" | "dropBan" | "dropTopic" | "putTopic" | "dropPassing" | "putPassing",
    Statement
  >;

  constructor(writer: Writer) {
    this.#writer = writer;
    const { database } = writer;
    this.#statements = {
      putBan: database.prepare("REPLACE INTO bans VALUES (?, ?, ?)"),
      dropBan: database.prepare("DELETE FROM bans WHERE what = ?"),
      dropTopic: database.prepare("DELETE FROM topic"),
      putTopic: database.prepare("INSERT INTO topic VALUES (?)"),
      dropPassing: database.prepare("DELETE FROM passing"),
      putPassing: database.prepare("INSERT INTO passing VALUES (?)"),
    };
  }

  /** @throws {Failure} if the file can't be written. */
  putBan({ what, holder, until }: KeptBan): void {
    this.#writer.write(() => this.#statements.putBan.run(what, holder, until ?? null), true);
  }

  /** @throws {Failure} if the file can't be written. */
  dropBans(whats: readonly string[]): void {
    this.#writer.write(() => whats.forEach((what) => this.#statements.dropBan.run(what)), true);
  }

  /**
   * @param topic Undefined if there is none any more.
   * @throws {Failure} if the file can't be written.
   */
  putTopic(topic: string | undefined): void {
    this.#writer.write(() => {
      this.#statements.dropTopic.run();
      if (topic !== undefined) this.#statements.putTopic.run(topic);
    }, true);
  }

  /**
   * @param passing What there is that ends with the server.
   * @throws {Failure} if the file can't be written.
   */
  putPassing(passing: readonly Passing[]): void {
    this.#writer.write(() => {
      this.#statements.dropPassing.run();
      for (const what of passing) this.#statements.putPassing.run(what);
    }, true);
  }
}
