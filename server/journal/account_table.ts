/**
 * The protected names in a state file.
 *
 * @module
 */
import { nameKey } from "../../protocol/names.ts";
import type { KeptAccount } from "./past.ts";
import type { Statement, Writer } from "./sqlite_writer.ts";

/** The protected names in a state file. Each method writes before it returns. */
export class AccountTable {
  readonly #writer: Writer;
  readonly #put: Statement;
  readonly #drop: Statement;
  readonly #putAddresses: Statement;
  readonly #dropAddresses: Statement;

  constructor(writer: Writer) {
    this.#writer = writer;
    this.#put = writer.database.prepare("REPLACE INTO accounts VALUES (?, ?, ?, ?, ?, ?, ?)");
    this.#drop = writer.database.prepare("DELETE FROM accounts WHERE key = ?");
    this.#putAddresses = writer.database.prepare("REPLACE INTO known_addresses VALUES (?, ?)");
    this.#dropAddresses = writer.database.prepare("DELETE FROM known_addresses WHERE key = ?");
  }

  /**
   * A power failure does not undo it.
   *
   * @throws {Failure} if the file can't be written.
   */
  put({ name, salt, rounds, storedKey, serverKey, isOperator }: KeptAccount): void {
    const row = [nameKey(name), name, salt, rounds, storedKey, serverKey, isOperator ? 1 : 0] as const;
    this.#writer.write(() => this.#put.run(...row), true);
  }

  /**
   * Removes several in one transaction. A power failure does not undo it.
   *
   * @throws {Failure} if the file can't be written.
   */
  removeAll(names: readonly string[]): void {
    this.#writer.write(() => {
      for (const key of names.map(nameKey)) {
        this.#drop.run(key);
        this.#dropAddresses.run(key);
      }
    }, true);
  }

  /** @throws {Failure} if the file can't be written. */
  setKnownAddresses(name: string, addresses: readonly string[]): void {
    const key = nameKey(name);
    this.#writer.write(() =>
      addresses.length > 0 ? this.#putAddresses.run(key, addresses.join(" ")) : this.#dropAddresses.run(key)
    );
  }
}
