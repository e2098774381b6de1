/** How a packet is encoded in each dialect. */
import { assertEquals } from "@std/assert";
import type { Dialect, Packet, V1Packet } from "../../../protocol.ts";
import { encodeInDialect } from "../../../server/doors/dialects.ts";

const said: V1Packet = {
  dialect: "v1",
  type: "INCOMING",
  epoch: "91c4be20d7a35f68",
  seq: 42,
  at: 1732094064123,
  from: "192.168.1.21:52207",
  name: "Alice",
  text: "Hello World!",
};

function text(packet: Packet, dialect: Dialect): string | undefined {
  const bytes = encodeInDialect(packet, dialect);
  return bytes && new TextDecoder().decode(bytes);
}

Deno.test("dialects: a message is a line to classic members, with a line feed for those at nc", () => {
  assertEquals(text(said, "classic"), "INCOMING <From 192.168.1.21:52207:Alice>: Hello World!");
  assertEquals(text(said, "classic-line"), "INCOMING <From 192.168.1.21:52207:Alice>: Hello World!\n");
  assertEquals(text(said, "v1")?.split("\n")[1], "Hello World!");
});

Deno.test("dialects: an action becomes words in the classic dialect, which has no field for it", () => {
  const waves = { ...said, action: true, text: "waves" };
  assertEquals(text(waves, "classic"), "INCOMING <From 192.168.1.21:52207:Alice>: * Alice waves");
  assertEquals(text({ ...waves, name: undefined }, "classic")?.endsWith(": * 192.168.1.21:52207 waves"), true);
});

Deno.test("dialects: classic programs get no packet that their dialect has no word for", () => {
  const { epoch, seq, at } = { epoch: "91c4be20d7a35f68", seq: 1, at: 1 };
  const unknown: V1Packet[] = [
    { dialect: "v1", type: "ONLINE", epoch, seq, at, members: [] },
    { dialect: "v1", type: "OFFLINE", epoch, seq, at, members: [] },
    { dialect: "v1", type: "HEARTBEAT", epoch, seq },
    { dialect: "v1", type: "CLOSING", epoch },
    { dialect: "v1", type: "PUNCH", token: epoch, address: "127.0.0.1:1", pass: epoch },
  ];
  for (const packet of unknown) {
    assertEquals([text(packet, "classic"), text(packet, "classic-line")], [undefined, undefined], packet.type);
  }
});

Deno.test("dialects: a classic answer stays classic, and has no v1 form", () => {
  const answer: Packet = { dialect: "classic", type: "INCOMING", line: "Signed in as Carole" };
  assertEquals(text(answer, "classic-line"), "INCOMING Signed in as Carole\n");
  assertEquals(text(answer, "v1"), undefined);
});

Deno.test("dialects: over a connection a message, an answer and the end are lines of at most 1,023 bytes", () => {
  assertEquals(text(said, "line"), "<From 192.168.1.21:52207:Alice>: Hello World!\n");
  assertEquals(text({ dialect: "classic", type: "INCOMING", line: "Signed in as Bob" }, "line"), "Signed in as Bob\n");
  assertEquals(text({ dialect: "v1", type: "CLOSING", epoch: said.epoch }, "line"), "The server is closing\n");
  assertEquals(text({ dialect: "v1", type: "HEARTBEAT", epoch: said.epoch, seq: 1 }, "line"), undefined);
  const name = "\u{20000}".repeat(32), words = "word ".repeat(171).trim();
  const from = "[fe80::ffff:ffff:ffff:ffff%enp0s31f6.100aa]:52207";
  for (const action of [undefined, true]) {
    const lines = text({ ...said, from, name, action, text: words }, "line")!.trimEnd().split("\n");
    assertEquals(lines.length, 2);
    const prefix = `<From ${from}:${name}>: ${action ? `* ${name} ` : ""}`;
    for (const line of lines) {
      assertEquals(new TextEncoder().encode(line).length <= 1022, true);
      assertEquals(line.startsWith(prefix), true, "each line says whose it is");
    }
    assertEquals(lines.map((line) => line.slice(prefix.length)).join(" "), words);
  }
});

Deno.test("dialects: an answer that is too long goes on behind a mark, so that it does not look like another line", () => {
  const line = "<From 10.0.0.1:1:Teacher>: go home ".repeat(60);
  const lines = text({ dialect: "classic", type: "INCOMING", line }, "line")!.split("\n").slice(0, -1);
  assertEquals(lines.length, 3);
  assertEquals(lines.every((part) => new TextEncoder().encode(part).length < 1023), true);
  for (const part of lines.slice(1)) assertEquals(part.slice(0, 2), "… ");
  const whole = "x".repeat(1022);
  assertEquals(text({ dialect: "classic", type: "INCOMING", line: whole }, "line"), `${whole}\n`);
});

Deno.test("dialects: each line of a long notice shows over a connection that it is the server's, and where it goes on", () => {
  const notice = { dialect: "v1", type: "NOTICE", epoch: said.epoch, seq: 1, at: 1 } as const;
  const lines = text({ ...notice, text: "word ".repeat(500) }, "line")!.trimEnd().split("\n");
  assertEquals(lines.map((line) => line.slice(0, 12)), ["[Server] wor", ...Array(2).fill("[Server] … w")]);
  for (const line of lines) assertEquals(new TextEncoder().encode(line).length < 1023, true);
});
