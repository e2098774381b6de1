/** Why a client takes nothing of a datagram: which it takes is what the session does. */
import { assertEquals, assertMatch } from "@std/assert";
import { decode, encode, type Packet, type V1Packet } from "../../../protocol.ts";
import { type Origin, whyUnwanted } from "../../../client/session/unwanted.ts";

const TOKEN = "5f1c0d9a7be2e604", OTHER = "00000000000000aa", EPOCH = "91c4be20d7a35f68", STREAM = "c07d5f3be8192a64";
const SERVER: Origin = {
  ...{ isFromServer: true, serverAddress: "10.0.0.1:9090", token: TOKEN, speaksV1: false },
  hasGreeted: (id) => id === 1,
};
const PEER: Origin = { ...SERVER, isFromServer: false };
const ELSEWHERE = "it does not come from the server, which is at 10.0.0.1:9090";
const why = (packet: Packet, origin: Origin) => whyUnwanted(decode(encode(packet)), origin);

const WELCOME: V1Packet = {
  ...{ dialect: "v1", type: "WELCOME", id: 1, address: "10.0.0.7:5", token: TOKEN, epoch: EPOCH, seq: 0 },
  keepalive: 1000,
};
const MESSAGE: V1Packet = { dialect: "v1", type: "MESSAGE", stream: STREAM, id: 1, text: "hi" };

Deno.test("unwanted: what can't be read is told in the words of the decoder, wherever it comes from", () => {
  for (const origin of [SERVER, PEER]) {
    assertEquals(whyUnwanted(decode(new TextEncoder().encode("GREETING/1")), origin), "the field id is missing");
  }
});

const RELAY: Packet = {
  dialect: "v1",
  type: "RELAY",
  token: TOKEN,
  address: "10.0.0.7:5",
  packet: { dialect: "v1", type: "ACK", pass: OTHER, stream: STREAM, id: 1 },
};

Deno.test("unwanted: of the server, types that it does not send, and what has another token or lacks it", () => {
  const taken: Packet[] = [
    WELCOME,
    { dialect: "classic", type: "INCOMING", line: "hi" },
    { dialect: "v1", type: "RETRY", id: 1, cookie: OTHER },
    { dialect: "v1", type: "INCOMING", epoch: EPOCH, seq: 1, at: 1, from: "10.0.0.7:5", text: "hi" },
    { dialect: "v1", type: "HEARTBEAT", epoch: EPOCH, seq: 1 },
    { dialect: "v1", type: "CLOSING", epoch: EPOCH },
    { dialect: "v1", type: "ACK", token: TOKEN, id: 1 },
    RELAY,
  ];
  for (const packet of taken) assertEquals(why(packet, SERVER), undefined, packet.type);
  assertMatch(why(taken[1], { ...SERVER, speaksV1: true })!, /^the server has answered in version 1, /);
  assertEquals(why({ dialect: "classic", type: "LIST" }, SERVER), "no server sends LIST to a client");
  assertEquals(why(MESSAGE, SERVER), "no server sends MESSAGE/1 to a client");
  assertEquals(why({ dialect: "v1", type: "OPEN" }, SERVER), "no server sends OPEN/1 to a client");
  assertEquals(why({ ...RELAY, token: OTHER }, SERVER), "its token is not the one that this client greets with");
  assertEquals(why({ ...WELCOME, token: OTHER }, SERVER), "its token is not the one that this client greets with");
  assertEquals(why({ dialect: "v1", type: "ACK", id: 1 }, SERVER), "the field token is missing");
  for (const packet of [WELCOME, taken[2]]) {
    assertEquals(why({ ...packet, id: 2 } as Packet, SERVER), "no greeting had this id");
  }
});

Deno.test("unwanted: of other addresses, all but answers to a greeting and what members send each other", () => {
  const taken: Packet[] = [
    WELCOME,
    { dialect: "v1", type: "RETRY", id: 1, cookie: OTHER },
    { dialect: "v1", type: "OPEN" },
    { dialect: "v1", type: "OPEN", pass: OTHER, id: 1 },
    { ...MESSAGE, pass: OTHER },
    { dialect: "v1", type: "ACK", pass: OTHER, stream: STREAM, id: 1 },
    { dialect: "v1", type: "ACK", pass: OTHER, id: 1 },
  ];
  for (const packet of taken) assertEquals(why(packet, PEER), undefined, packet.type);
  const unwanted: Packet[] = [
    { ...WELCOME, token: OTHER },
    { ...WELCOME, id: 2 },
    { dialect: "v1", type: "RETRY", id: 2, cookie: OTHER },
    RELAY,
    { dialect: "classic", type: "INCOMING", line: "hi" },
    { dialect: "v1", type: "HEARTBEAT", epoch: EPOCH, seq: 1 },
    { dialect: "v1", type: "CLOSING", epoch: EPOCH },
  ];
  for (const packet of unwanted) assertEquals(why(packet, PEER), ELSEWHERE, packet.type);
  for (const packet of [MESSAGE, { dialect: "v1", type: "ACK", id: 1, token: TOKEN }] as const) {
    assertMatch(why(packet, PEER)!, /^it does not come from the server, .* it lacks the pass$/);
  }
});
