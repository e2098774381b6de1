/** The first look at a datagram: it passes all that the real packets are, and finds a member's token in them. */
import { assert, assertEquals } from "@std/assert";
import { encode, TO_SERVER, V1_TYPES, type V1Packet } from "../../../protocol.ts";
import { hasToken, refusalAtSight } from "../../../server/room/first_look.ts";

const TOKEN = "5f1c0d9a7be2e604", STREAM = "c07d5f3be8192a64", OTHER = "5f1c0d9a7be2e605";
const v1 = (type: V1Packet["type"], body: Record<string, unknown>) =>
  encode({ dialect: "v1", type, ...body } as V1Packet);

Deno.test("first look: each packet of a member has its token, whatever else it has, and is for the server", () => {
  const name = "Ã\u0304".normalize().repeat(16), id = Number.MAX_SAFE_INTEGER;
  const packets = [
    v1("GREETING", { id, token: TOKEN, cookie: OTHER }),
    v1("SIGN-IN", { id, token: TOKEN, cookie: OTHER, name }),
    v1("MESSAGE", { token: TOKEN, stream: STREAM, id, action: true, text: "x".repeat(856) }),
    v1("RESEND", { token: TOKEN, epoch: OTHER, from: id, to: id }),
    v1("LIST", { id, token: TOKEN, after: name }),
    v1("LOOKUP", { id, token: TOKEN, name }),
    v1("LEAVE", { id, token: TOKEN }),
  ];
  for (const bytes of packets) {
    const text = new TextDecoder().decode(bytes);
    assertEquals([hasToken(bytes, TOKEN), refusalAtSight(bytes)], [true, undefined], text);
    assertEquals(hasToken(bytes, "5f1c0d9a7be2e606"), false, text);
    assertEquals(hasToken(bytes.subarray(0, 30), TOKEN), false, "a part of it");
  }
  assert(!hasToken(new Uint8Array(), TOKEN));
  assert(!hasToken(new TextEncoder().encode(" ".repeat(2000) + TOKEN), TOKEN), "it does not look far");
});

Deno.test("first look: a server's packet is not for the server, an unknown word with a version is no packet", () => {
  const refusals = (...texts: string[]) => texts.map((text) => refusalAtSight(new TextEncoder().encode(text)));
  const others = V1_TYPES.filter((type) => !TO_SERVER.some((other) => other === type));
  assertEquals(refusals(...others.map((type) => `${type}/1 id=1`)), others.map(() => "not-for-server" as const));
  assertEquals(refusals("HELLO/1", "LISTEN/1"), ["no-packet", "no-packet"]);
  const read = [
    "GREETING",
    "GREETING/2",
    "hello/1",
    "/1",
    "",
    "INCOMING x",
    "TCP/IP is nice",
    "OPEN/",
    "OPEN/x",
    "ABCDEFGHIJK/1",
  ];
  assertEquals(refusals(...read), read.map(() => undefined));
});
