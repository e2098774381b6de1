/** Packets of version 1 as others may write them, and what is none. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import * as zlib from "node:zlib";
import { decode, encode, MAX_AGE_MS, MAX_TEXT_BYTES, type Packet } from "../protocol.ts";
import { crc32 } from "../protocol/crc32.ts";
import { bytesOf, packetOf, reasonOf } from "./support/packets.ts";

const HEX = "f".repeat(16);
const KEY = HEX.repeat(4);

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("RELAY: holds a MESSAGE or an ACK with a pass and without a token, and nothing else", () => {
  const head = `RELAY/1 token=${HEX} address=192.0.2.1:9\n`;
  const message = `MESSAGE/1 pass=${HEX} stream=${HEX} id=1\nhi`, ack = `ACK/1 pass=${HEX} stream=${HEX} id=1`;
  for (const inner of [message, ack]) assertEquals(packetOf(head + inner).type, "RELAY");
  const sum = crc32(new TextEncoder().encode(ack)).toString(16).padStart(8, "0");
  assertEquals(packetOf(head + ack.replace("/1", `/1 sum=${sum}`)), packetOf(head + ack));
  assertEquals(packetOf(`${head}${message} sum=00000000`).type, "RELAY");
  for (
    const inner of [
      "",
      "hello",
      "MESSAGE hi",
      "OPEN/1",
      `PUNCH/1 token=${HEX} address=192.0.2.1:9 pass=${HEX}`,
      head + message,
      head + head + ack,
      `\n${ack}`,
      ` ${ack}`,
      ack.replace("/1", "/2"),
      ack.replace("/1", "/1 sum=00000000"),
      ack.replace(`pass=${HEX}`, ""),
      ack.replace("pass", "token"),
      ack.replace(`stream=${HEX}`, ""),
      `ACK/1 token=${HEX} pass=${HEX} id=1`,
      message.replace("id=1", "id=1 first=2"),
      message.replace("hi", ""),
      message.replace("hi", "a".repeat(MAX_TEXT_BYTES + 1)),
    ]
  ) reasonOf(head + inner);
  const packet = { dialect: "v1", type: "MESSAGE", pass: HEX, stream: HEX, id: 1, text: "a".repeat(857) } as const;
  assertThrows(
    () => encode({ dialect: "v1", type: "RELAY", token: HEX, address: "192.0.2.1:9", packet }),
    RangeError,
  );
});

Deno.test("SIGN-IN, REGISTER and CHALLENGE: what goes together stands there together", () => {
  const nonce = `nonce=${HEX}${HEX}`, cnonce = `cnonce=${HEX}${HEX}`, proof = `proof=${KEY}`;
  const key = `key=${KEY}`, sealed = `sealed=${HEX.repeat(12)}`;
  const parts = "nonce, cnonce and proof go together", sealedParts = "key and sealed go together";
  for (const head of [`SIGN-IN/1 id=1 name=Zoe`, `REGISTER/1 id=1 token=${HEX}`, `UNREGISTER/1 id=1 token=${HEX}`]) {
    packetOf(head);
    packetOf(`${head} ${nonce} ${cnonce} ${proof}`);
    for (const some of [nonce, cnonce, proof, `${nonce} ${proof}`, `${cnonce} ${proof}`]) {
      assertEquals(reasonOf(`${head} ${some}`), parts);
    }
  }
  packetOf(`REGISTER/1 id=1 token=${HEX} ${key} ${sealed}`);
  for (const some of [key, sealed]) assertEquals(reasonOf(`REGISTER/1 id=1 token=${HEX} ${some}`), sealedParts);
  const challenge = `CHALLENGE/1 id=1 token=${HEX} address=192.0.2.1:9 rounds=1`;
  packetOf(`${challenge} salt=${HEX}${HEX} ${nonce}`);
  for (const some of [`salt=${HEX}${HEX}`, nonce]) {
    assertEquals(reasonOf(`${challenge} ${some}`), "salt and nonce go together");
  }
});

Deno.test("RENAMED: each line has an address, a name, and perhaps the name before", () => {
  const head = `RENAMED/1 epoch=${HEX} seq=1 at=1\n`;
  assertEquals(
    (packetOf(`${head}192.0.2.1:9 Alicia Alice\n192.0.2.2:9 Bob`) as Packet & { type: "RENAMED" }).members,
    [{ address: "192.0.2.1:9", name: "Alicia", before: "Alice" }, { address: "192.0.2.2:9", name: "Bob" }],
  );
  for (
    const line of ["192.0.2.1:9", "Alice", "192.0.2.1:9 Alicia Alice Al", "192.0.2.1:9 Alicia ", "192.0.2.1:9 a/b"]
  ) {
    reasonOf(head + line);
  }
});

Deno.test("COMMAND: has a text of at most 856 bytes", () => {
  const head = `COMMAND/1 id=1 token=${HEX}`;
  assertEquals(reasonOf(head), "the command is missing: it stands behind the first line feed");
  packetOf(`${head}\n${"a".repeat(856)}`);
  assertEquals(reasonOf(`${head}\n${"a".repeat(857)}`), "the command has more than 856 bytes");
});

Deno.test("v1: fields in any order, unknown ones, more spaces, a line ending, no checksum", () => {
  const packet: Packet = { dialect: "v1", type: "GREETING", id: 7, token: HEX };
  const spellings = [
    `GREETING/1 id=7 token=${HEX}`,
    `GREETING/1 token=${HEX} id=7`,
    `GREETING/1  token=${HEX}  id=7 `,
    `GREETING/1 id=7 token=${HEX} colour=red since=`,
    `GREETING/1 id=7 token=${HEX}\n`,
    `GREETING/1 id=7 token=${HEX}\r\n`,
    `GREETING/1 id=7 token=${HEX}\na body that this type has no use for`,
  ];
  for (const datagram of spellings) assertEquals(packetOf(datagram), packet);
});

Deno.test("v1: the checksum is verified wherever it stands", () => {
  const datagram = textOf(encode({ dialect: "v1", type: "HEARTBEAT", epoch: HEX, seq: 7 }));
  const [, sum] = /^HEARTBEAT\/1( sum=[0-9a-f]{8}) epoch=f{16} seq=7$/.exec(datagram)!;
  assertEquals(packetOf(datagram.replace(sum, "")), packetOf(datagram));
  assertEquals(packetOf(datagram.replace(sum, "") + sum), packetOf(datagram));
  const mismatch = /^the checksum does not match: it is sum=([0-9a-f]{8}), and was computed as sum=([0-9a-f]{8})$/;
  const [, found, computed] = mismatch.exec(reasonOf(datagram.replace("seq=7", "seq=8")))!;
  assertEquals(` sum=${found}`, sum);
  // with what it was computed as, it is right
  const mended = datagram.replace("seq=7", "seq=8").replace(found, computed);
  assertEquals(packetOf(mended).type, "HEARTBEAT");
  for (
    const wrong of [" sum=", " sum=1", sum.toUpperCase().replace("SUM=", "sum=").replace(/[0-9A-F]$/, "G"), `${sum}0`]
  ) {
    assertEquals(reasonOf(datagram.replace(sum, wrong)), "sum has to be 8 digits of 0-9 and a-f", wrong);
  }
});

Deno.test("v1: the checksum is CRC-32 as it is computed bit by bit", () => {
  const datagram = "OPEN/1 colour=red";
  let crc = 0xffffffff;
  for (const byte of bytesOf(datagram)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
  }
  const sum = ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, "0");
  assertEquals(packetOf(datagram.replace("/1", `/1 sum=${sum}`)).type, "OPEN");
});

Deno.test("v1: the checksum is verified before anything else is read", () => {
  for (const rest of [[0xff, 0xfe], [...bytesOf("id=x")]]) {
    const datagram = Uint8Array.of(...bytesOf("GREETING/1 sum=00000000 "), ...rest);
    const decoded = decode(datagram);
    assert(!decoded.ok);
    assertMatch(
      decoded.reason,
      /^the checksum does not match: it is sum=00000000, and was computed as sum=[0-9a-f]{8}$/,
    );
  }
});

Deno.test("v1: the checksum ends at a space, or with the first line, whatever ends that", () => {
  const datagram = textOf(encode({ dialect: "v1", type: "HEARTBEAT", epoch: HEX, seq: 7 }));
  const [, sum] = /( sum=[0-9a-f]{8}) /.exec(datagram)!;
  const { crc32: crc } = zlib;
  const withSum = (rest: string, ending: string) => {
    return `${rest} sum=${crc(rest + ending).toString(16).padStart(8, "0")}${ending}`;
  };
  for (const ending of ["", "\n", "\r\n", "\r"]) {
    assertEquals(packetOf(withSum(datagram.replace(sum, ""), ending)), packetOf(datagram), JSON.stringify(ending));
  }
  const rest = `HEARTBEAT/1 epoch=${HEX}\rjunk seq=7`;
  assertEquals(
    reasonOf(rest.replace(" epoch", ` sum=${crc(rest).toString(16).padStart(8, "0")}\rx epoch`)),
    "sum has to be 8 digits of 0-9 and a-f",
  );
  const damaged = "HEARTBEAT/1\rjunk epoch=" + HEX + " seq=7";
  const wrong = damaged.replace("/1", `/1 sum=${crc(damaged).toString(16).padStart(8, "0")}`);
  assertEquals(reasonOf(wrong), "sum has to be 8 digits of 0-9 and a-f");
});

Deno.test("v1: only a field of the first line is a checksum", () => {
  const datagram = `MESSAGE/1 stream=${HEX} id=1\nand sum=00000000 is 0`;
  assertEquals(packetOf(datagram).type, "MESSAGE");
  assertEquals(packetOf("OPEN/1 checksum=1 sums=2").type, "OPEN");
});

Deno.test("v1: a text is taken as it is, line feeds included", () => {
  const packet = packetOf(`MESSAGE/1 stream=${HEX} id=1\n\n two \r\nlines\n`);
  assert(packet.type === "MESSAGE" && packet.text === "\n two \r\nlines\n");
});

Deno.test("v1: an event is not ignored for a name with a letter that this program's Unicode does not have", () => {
  const name = "Alice\u{3fffd}";
  const incoming = packetOf(`INCOMING/1 epoch=${HEX} seq=1 at=1 from=1.2.3.4:5 name=${name}\nHello`);
  assert(incoming.type === "INCOMING" && "name" in incoming && incoming.name === name);
  const online = packetOf(`ONLINE/1 epoch=${HEX} seq=1 at=1\n1.2.3.4:5 ${name}`);
  assert(online.type === "ONLINE" && online.members[0].name === name);
});

Deno.test("v1: datagrams that are no packet, and why", () => {
  const reasons: [string, string][] = [
    ["GREETING/2 id=1", "only version 1 is known, as in MESSAGE/1"],
    ["GREETING/1/1 id=1", "only version 1 is known, as in MESSAGE/1"],
    ["GREETING/1\u001b[2J id=1", "only version 1 is known, as in MESSAGE/1"],
    ["HELLO/1 id=1", "HELLO/1 is no packet of version 1"],
    ["GREETING/1", "the field id is missing"],
    ["GREETING/1 Id=1 sum", "the field behind Id is not key=value"],
    ["GREETING/1 ID=1 colour=red", "nothing is known of ID, colour, and the field id is missing"],
    ["GREETING/1 id=x", "the field id is malformed: it has to be a whole number without zeros in front"],
    [`GREETING/1 id=1 token=${HEX}0`, "the field token is malformed: it has to be 16 digits of 0-9 and a-f"],
    ["SIGN-IN/1 id=1 name=A+", "the field name is malformed: it has to be 1 to 32 letters, digits, _ - ."],
    ["GREETING/1 id=1 id=1", "the field id stands twice"],
    ["GREETING/1 id", "the field behind the type is not key=value"],
    [`MESSAGE/1 stream=${HEX} id=1`, "the text is missing: it stands behind the first line feed"],
    [`MESSAGE/1 stream=${HEX} id=1 first=2\nx`, "first is not between 1 and id"],
    [`MESSAGE/1 stream=${HEX} id=1 first=0\nx`, "first is not between 1 and id"],
    [`MESSAGE/1 stream=${HEX} id=0\nx`, "the ids begin with 1"],
    [
      `MESSAGE/1 stream=${HEX} id=1 age=${MAX_AGE_MS + 1}\nx`,
      "the field age is malformed: it has to be a whole number without zeros in front, at most 99999",
    ],
    [`RELAY/1 token=${HEX} address=192.0.2.1:9\nACK/1 pass=${HEX} id=1`, "an ACK in a RELAY needs a stream"],
    [`RESEND/1 token=${HEX} epoch=${HEX} from=3 to=2`, "from is not between 1 and to"],
    [`GONE/1 token=${HEX} epoch=${HEX} from=0 to=2`, "from is not between 1 and to"],
    [`LOOKUP/1 id=1 token=${HEX}`, "LOOKUP takes a name or an address"],
    [`LOOKUP/1 id=1 token=${HEX} name=A address=1.2.3.4:5`, "LOOKUP takes a name or an address"],
    [
      `USERS/1 id=1 token=${HEX} total=1 unnamed=0\nno name`,
      "a name is malformed: it has to be 1 to 32 letters, digits, _ - .",
    ],
    [
      `ONLINE/1 epoch=${HEX} seq=1 at=1\nnowhere Alice`,
      "a line is malformed: it has to be an address and perhaps a name, with a space between",
    ],
    [
      `ONLINE/1 epoch=${HEX} seq=1 at=1\n1.2.3.4:5 no name`,
      "a line is malformed: it has to be an address and perhaps a name, with a space between",
    ],
  ];
  for (const [datagram, reason] of reasons) assertEquals(reasonOf(datagram), reason, datagram);
  assert(!decode(Uint8Array.from([...bytesOf("OPEN/1\n"), 0xff])).ok, "not UTF-8");
});
