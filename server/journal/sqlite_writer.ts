/**
 * Writes to a state file, in transactions.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import { Failure } from "../../runtime/program.ts";

/** A statement that is prepared. */
export type Statement = ReturnType<DatabaseSync["prepare"]>;

/** Writes to a state file. */
export class Writer {
  readonly database: DatabaseSync;
  readonly #path: string;

  constructor(database: DatabaseSync, path: string) {
    this.database = database;
    this.#path = path;
  }

  /**
   * Writes in one transaction.
   *
   * @param isDurable Whether it must also survive a power failure, for which the call waits for the disk.
   * @throws {Failure} if the file can't be written.
   */
  write(statements: () => void, isDurable = false): void {
    try {
      this.database.exec(`PRAGMA synchronous = ${isDurable ? "FULL" : "NORMAL"}`);
      this.database.exec("BEGIN IMMEDIATE");
      statements();
      this.database.exec("COMMIT");
    } catch (error) {
      const reason = error instanceof Error ? error.message : error;
      throw new Failure(
        `The state file ${this.#path} can't be written (${reason}): the server stops, so that nothing is lost`,
      );
    }
  }
}
