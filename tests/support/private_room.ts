/**
 * A room in memory in which some members have a connection and others send datagrams, and write to each other alone.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { RoomOptions } from "../../server/room/room_options.ts";
import { type Sent, textOf } from "./fake_delivery.ts";
import { all, FakeRoom, one, STREAM, to, type V1 } from "./fake_room.ts";
import { peerOf } from "./peer_of.ts";
import { messageIn } from "./packets.ts";

/** Bob and Tim have a connection, Alice and Carol send datagrams. */
export const BOB = "10.0.0.7:1001", TIM = "10.0.0.8:1002", ALICE = "10.0.0.9:9", CAROL = "10.0.0.10:10";

/** What stands in a RELAY. */
export type Relayed = V1<"RELAY">["packet"];

/** The key of the peer that has a connection from an address. */
export function tcp(address: string): string {
  return `tcp ${address}`;
}

/** A room with Alice, and Bob. */
export class PrivateRoom extends FakeRoom {
  readonly alice: string;
  readonly pairPass: string;

  constructor(options?: RoomOptions) {
    super(options);
    this.alice = this.join(ALICE, "Alice").token;
    this.connect(BOB, "Bob");
    this.settle();
    this.pairPass = this.lookUp("Bob").pass!;
  }

  connect(address: string, name?: string): void {
    assert(this.room.connected(peerOf(tcp(address)), this.now));
    if (name) this.type(address, `/name ${name}`);
    this.delivery.take();
  }

  /** Hands a line over; returns what is sent, and the pause. */
  hand(address: string, line: string): { pause: number; sent: Sent[] } {
    const pause = this.room.receiveLine(line, peerOf(tcp(address)), this.now);
    return { pause, sent: this.delivery.take() };
  }

  type(address: string, line: string): Sent[] {
    const { pause, sent } = this.hand(address, line);
    assertEquals(pause, 0);
    return sent;
  }

  lookUp(name: string, from = ALICE, token = this.alice): V1<"PEER"> {
    return one(this.v1(from, "LOOKUP", { id: 9, token, name }), "PEER");
  }

  relay(packet: Relayed, { from = ALICE, token = this.alice, address = BOB } = {}): Sent[] {
    return this.v1(from, "RELAY", { token, address, packet });
  }

  message(id: number, text: string, fields: Partial<V1<"MESSAGE">> = {}): Relayed {
    return { dialect: "v1", type: "MESSAGE", pass: this.pairPass, stream: STREAM, id, text, ...fields } as Relayed;
  }

  /** Acknowledges what was sent to Alice. */
  acknowledge(sent: Sent[]): Sent[] {
    const { pass, stream, id } = messageIn(all(sent, "RELAY").at(-1)!);
    return this.relay({ dialect: "v1", type: "ACK", pass, stream, id });
  }
}

/** What was sent to a connection, as lines. */
export function read(sent: Sent[], address = BOB): string[] {
  return to(sent, tcp(address)).map(textOf).join("").split("\n").slice(0, -1);
}

/** The texts of the messages that were sent through the server to members of version 1. */
export function textsIn(sent: Sent[]): string[] {
  return all(sent, "RELAY").flatMap(({ packet }) => "text" in packet ? [packet.text] : []);
}
