/** A client whose server refuses what it asks for, with a code that it does not know: the real program on a real socket. */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { decode, encode, type V1Packet } from "../../protocol.ts";
import { BANNER, startClient } from "../../scripts/support/processes.ts";
import { openPeer } from "../support/classic_peer.ts";

const EPOCH = "91c4be20d7a35f68";

/** A server that lets everybody in and refuses each message and each list. */
function answer(packet: V1Packet): V1Packet[] {
  const head = { dialect: "v1", ...("id" in packet && { id: packet.id! }) } as { dialect: "v1"; id: number };
  const refusal = { ...head, type: "ERROR", code: "quota-exceeded", text: "Your quota\nis used up" } as const;
  switch (packet.type) {
    case "GREETING": {
      const { token } = packet;
      if (token === undefined) return [{ ...head, type: "RETRY", cookie: "a3d7e09b15c8f264" }];
      const address = "127.0.0.1:1", keepalive = 1000;
      return [{ ...head, type: "WELCOME", address, token, epoch: EPOCH, seq: 0, keepalive }];
    }
    case "MESSAGE":
      return [{ ...refusal, token: packet.token!, stream: packet.stream }];
    case "LIST":
      return [{ ...refusal, token: packet.token }];
    case "LEAVE":
      return [{ ...head, type: "ACK", token: packet.token }];
    default:
      return [];
  }
}

function v1(text: string): V1Packet[] {
  const decoded = decode(new TextEncoder().encode(text));
  return decoded.ok && decoded.packet.dialect === "v1" ? [decoded.packet] : [];
}

Deno.test("refusals: on a pipe each is shown with the server's text, nothing is sent for ever, and the exit code is 1", async () => {
  await using server = openPeer("127.0.0.1", (text) => v1(text).flatMap(answer).map(encode));
  await using client = startClient("127.0.0.1", server.port);
  await client.type("one\ntwo\nthree\n/list\n");
  await client.stderr.until("The server did not say who is here");
  await client.endInput();
  // it would wait for 10 s for what is not settled
  assertEquals(await client.exitCode(8000), 1);
  assertEquals(client.stdout.text(), BANNER);
  assertEquals(client.stderr.text().trimEnd().split("\n").toSorted(), [
    `!! Not delivered ("one"): Your quota?is used up`,
    `!! Not delivered ("three"): Your quota?is used up`,
    `!! Not delivered ("two"): Your quota?is used up`,
    "!! The server did not say who is here: Your quota?is used up",
    "3 messages not delivered",
  ]);
  const sent = server.received.flatMap(({ text }) => v1(text)).map(({ type }) => type);
  const count = (type: string) => sent.filter((other) => other === type).length;
  // each once, and perhaps again where this machine was slow
  assertLessOrEqual(count("MESSAGE"), 9, `${sent}`);
  assertLessOrEqual(count("LIST"), 3, `${sent}`);
  assertLessOrEqual(sent.length, 30, `${sent}`);
});
