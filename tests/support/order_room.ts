/**
 * A room in memory in which Alice keeps order.
 *
 * @module
 */
import { assert } from "@std/assert";
import { MemoryAccounts } from "../../server/room/accounts.ts";
import { accountOf, signInWith } from "./accounts.ts";
import { type Sent, textOf } from "./fake_delivery.ts";
import { all, FakeRoom, type FakeRoomOptions, one, to } from "./fake_room.ts";
import { peerOf } from "./peer_of.ts";

/** Where Alice is, the operator. */
export const ALICE = "10.0.0.1:40001";
/** The password of all accounts here. */
export const PASSWORD = "correct horse battery";

/** A room with an operator in it, and members that have a connection. */
export class OrderRoom extends FakeRoom {
  readonly accounts: MemoryAccounts;
  readonly #token: string;
  #id = 100;

  constructor(options: FakeRoomOptions = {}) {
    const accounts = new MemoryAccounts();
    // nobody falls silent while a test waits for the end of something
    super({ accounts, timeout: 86_400_000, ...options });
    this.accounts = accounts;
    this.#token = this.join(ALICE, "Alice").token;
    this.addAccount("Alice", true);
    this.settle();
  }

  /** Registers a name. Whoever has it already keeps it; others would have to prove that it is theirs. */
  addAccount(name: string, isOperator: boolean): void {
    this.accounts.put(accountOf(name, PASSWORD, isOperator));
  }

  /** Lets Alice come again with her password, and returns what she gets. */
  comeBack(): Sent[] {
    return signInWith({ room: this, from: ALICE, token: this.#token, name: "Alice", password: PASSWORD });
  }

  /** Lets Alice give an order, and returns all that is sent. */
  order(text: string): Sent[] {
    return this.v1(ALICE, "COMMAND", { id: ++this.#id, token: this.#token, text });
  }

  /** What the server answers to an order of Alice, whether it was done or not. */
  answer(text: string): string {
    const sent = to(this.order(text), ALICE);
    return [...all(sent, "REPLY"), ...all(sent, "ERROR")].map((answer) => answer.text).join();
  }

  /** Why the server does not carry out an order of Alice. */
  problem(text: string): string {
    return one(this.order(text), "ERROR").text;
  }

  /** Lets a connection come, and returns what is sent to it. */
  connect(address: string): string {
    this.room.connected(peerOf(`tcp ${address}`), this.now);
    return read(this.delivery.take(), `tcp ${address}`);
  }

  /** Lets a line of a connection come, and returns what is sent. */
  type(address: string, line: string): Sent[] {
    assert(this.room.receiveLine(line, peerOf(`tcp ${address}`), this.now) === 0, line);
    return this.delivery.take();
  }

  /** What the server says to all, in what was sent to Alice. */
  notices(sent: Sent[]): string[] {
    return all(to(sent, ALICE), "NOTICE").map(({ text }) => text);
  }
}

/** What was sent to a peer, as text. */
export function read(sent: Sent[], key: string): string {
  return to(sent, key).map(textOf).join("");
}
