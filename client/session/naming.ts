/**
 * The name that this client has, and the one that it asks the server for.
 *
 * @module
 */
import { nameKey } from "../../protocol/names.ts";

/** The names of one membership. */
export class Naming {
  #name: string | undefined;
  #wanted: string | undefined;
  /** The id of the first greeting with the present name. An answer to an earlier greeting is about another name. */
  #firstId: number | undefined;

  constructor(name: string | undefined) {
    this.#name = name;
  }

  /** The name that this client has, or wants to join with; undefined for none. */
  get name(): string | undefined {
    return this.#name;
  }

  /** The name that it asks for in place of the one that it has; undefined if it is content. */
  get wanted(): string | undefined {
    return this.#wanted;
  }

  /** The name to greet with; undefined for none. */
  get greeted(): string | undefined {
    return this.#wanted ?? this.#name;
  }

  /** Takes a name, or none, in place of one that was refused. */
  choose(name: string | undefined): void {
    this.#name = name;
    this.#wanted = undefined;
    this.begin();
  }

  /** Asks for another name; the old one stays until the server has given it. */
  ask(name: string): void {
    this.#wanted = name;
    this.begin();
  }

  /** Goes back to the name that this client has; returns whether it had asked for another. */
  giveUp(): boolean {
    if (this.#wanted === undefined) return false;
    this.#wanted = undefined;
    this.begin();
    return true;
  }

  /** Takes answers to the greetings from now on only. */
  begin(): void {
    this.#firstId = undefined;
  }

  /** Notes that a greeting is sent. */
  noteGreeting(id: number): void {
    this.#firstId ??= id;
  }

  /** Whether a greeting had the present name, so that what answers it is about that. */
  isPresent(id: number): boolean {
    return this.#firstId !== undefined && id >= this.#firstId;
  }

  /** Takes the name of a WELCOME; returns the name that was asked for if the server has given another one. */
  given(name: string | undefined): string | undefined {
    const asked = this.greeted;
    this.#wanted = undefined;
    if (asked === undefined) return undefined;
    this.#name = name;
    return nameKey(asked) === nameKey(name ?? "") ? undefined : asked;
  }
}
