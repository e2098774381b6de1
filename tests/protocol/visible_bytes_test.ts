/** Bytes that people are shown: what is not printable in them is visible, and what is a secret is not. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { encode, type FilePacket, type V1Packet } from "../../protocol.ts";
import { printable } from "../../protocol/text.ts";
import { HIDDEN, hideSecrets, visibleBytes, visibleLine } from "../../protocol/visible_bytes.ts";

const TOKEN = "5f1c0d9a7be2e604", PASS = "8e02b6c4d1f7a935", STREAM = "c07d5f3be8192a64", EPOCH = "91c4be20d7a35f68";
const FILE = "6d0e8a41f7c92b35", HASH = "5ecdfd30a5a1ba54ea0d48f3601ed8b3ce39f4c23a08eac9bf3fc3b91ff6bdd0";
const encoder = new TextEncoder();
const visible = (text: string) => visibleBytes(encoder.encode(text));

Deno.test("visible bytes: characters as they are, and escapes for what can't be seen", () => {
  const cases: [text: string, shown: string][] = [
    ["", '""'],
    ["HELO", '"HELO"'],
    ["MESSAGE hi\r\n\0\0", String.raw`"MESSAGE hi\r\n\x00\x00"`],
    ["Grüße, Zoë 🎈", '"Grüße, Zoë 🎈"'],
    ['say "a\\b"\t', String.raw`"say \"a\\b\"\t"`],
    ["\u001b[2J\u007f\u009b", String.raw`"\x1b[2J\x7f\x9b"`],
    ["\u202e\ufeff\u{e0041}", String.raw`"\u{202e}\u{feff}\u{e0041}"`],
  ];
  for (const [text, shown] of cases) assertEquals(visible(text), shown);
  for (const [text, shown] of cases) assertEquals(visibleLine(text), shown);
});

Deno.test("visible bytes: what is no UTF-8 is shown byte by byte; where it is cut no character is broken", () => {
  assertEquals(visibleBytes(Uint8Array.of(0x48, 0xff, 0xe4, 0x0a)), String.raw`"H\xff\xe4\n"`);
  assertEquals(visibleBytes(Uint8Array.of(0x16, 0x03, 0x01)), String.raw`"\x16\x03\x01"`);
  assertEquals(visibleBytes(encoder.encode("Zoë").subarray(0, 3)), String.raw`"Zo\xc3"`);
  for (let length = 2045; length <= 2050; length++) {
    const long = encoder.encode(`${" ".repeat(length)}🎈`);
    assertEquals(visibleBytes(long), `"${" ".repeat(72)}"…`);
    // what is hidden makes room for what is far behind
    const hidden = encoder.encode(`token=${"x".repeat(length - 12)} id=7 🎈🎈`);
    assertMatch(visibleBytes(hidden), /^"token=\(hidden\) id=7? ?(🎈)*"…?$/u);
  }
});

Deno.test("visible bytes: only the first are shown, escapes whole, and the mark behind tells that there are more", () => {
  assertEquals(visible("x".repeat(72)), `"${"x".repeat(72)}"`);
  assertEquals(visible("x".repeat(73)), `"${"x".repeat(72)}"…`);
  assertEquals(visible(`${"x".repeat(70)}\0`), `"${"x".repeat(70)}"…`);
  assertEquals(visible(`MESSAGE ${"a".repeat(5000)}`), `"MESSAGE ${"a".repeat(64)}"…`);
  assertEquals(visibleLine("x".repeat(70_000)), `"${"x".repeat(72)}"…`);
});

Deno.test("hidden: tokens, cookies, passes and passwords, whatever surrounds them; the public fields are shown", () => {
  assertEquals(
    hideSecrets(`GREETING/1 sum=9e01c7d2 id=1000 token=${TOKEN} cookie=${PASS}`),
    "GREETING/1 sum=9e01c7d2 id=1000 token=(hidden) cookie=(hidden)",
  );
  assertEquals(
    hideSecrets(`MESSAGE/1 token=${TOKEN} stream=${STREAM} id=1\nhello`),
    `MESSAGE/1 token=(hidden) stream=${STREAM} id=1\nhello`,
  );
  assertEquals(
    hideSecrets(`INCOMING/1 epoch=${EPOCH} seq=7 at=1732094000000 from=10.0.0.7:52207\nhello`),
    `INCOMING/1 epoch=${EPOCH} seq=7 at=1732094000000 from=10.0.0.7:52207\nhello`,
  );
  const texts = [
    `GREETING/1 id=1 tokn=${TOKEN}`,
    `GREETING/1 id=1 TOKEN=${TOKEN.toUpperCase()}`,
    `GREETING/1 id=1 token: ${TOKEN}`,
    `GREETING/1 id=1 token9${TOKEN}`,
    `GREETING/1 id=${TOKEN}`,
    `hello ${TOKEN}`,
    `x${TOKEN}y`,
    `{"token": "${TOKEN}", "id": 1}`,
  ];
  for (const text of texts) assert(!hideSecrets(text).toLowerCase().includes(TOKEN), hideSecrets(text));
  for (const key of ["password", "pass", "passwd", "PASSWORD", "pw", "new_password"]) {
    for (const sign of ["=", ": ", " = "]) {
      assertMatch(hideSecrets(`LOGON ${key}${sign}pa ss`), /^LOGON [^=:]*(?:[=: ]+)?\(hidden\)$/);
    }
  }
  assertEquals(hideSecrets("deadbeefdeadbeef"), HIDDEN);
  for (const text of ["MESSAGE aaaaaaaaaaaaaaaaaaaaa", "GREETING/1 id=123456789012345", "a compass: north"]) {
    assertEquals(hideSecrets(text), text);
  }
});

Deno.test("hidden: what is said to one member alone, in version 1 and as a command, also misspelt", () => {
  const direct = `pass=${PASS} stream=${STREAM} id=1`;
  assertEquals(hideSecrets(`MESSAGE/1 ${direct}\nlunch?`), `MESSAGE/1 pass=(hidden) stream=${STREAM} id=1\n${HIDDEN}`);
  const texts = [
    `MESSAGE/2 ${direct}\nlunch`,
    `MESAGE ${direct}\nlunch`,
    `MESSAGE/1 ${direct}lunch`,
    `MESSAGE/1 ${direct}Jlunch`,
    `MESSAGE/1 ${direct} text=lunch`,
    `MESSAGE/1 ${direct} lunch`,
    `MESSAGE/1 ${direct.replace("pass", "pasr")}\nlunch`,
    `MESSAGE/1 ${direct.replace("stream", "strean")}\nlunch`,
    `MESSAGE/1 id=1\nlunch`,
    ...["SEND Bob lunch", "send Bob lunch\n", "/send Bob lunch", "/msg Bob lunch", "Sned Bob\nlunch", "/snd Bob lunch"],
    ...["MESSAGE SEND Bob lunch", "MESSAGE: /send Bob lunch", "MESSAGE/send Bob lunch", "SEND Bob line\nlunch"],
    ...["SENDBob lunch", "\0 SENDBob: lunch", "MESSAGE SENDBob lunch", "hello\nSENDBob lunch"],
    ...["/reply lunch", "/r lunch", "SEND\0Bob\0lunch", "SEND:Bob:lunch", "/a-very-long-word-that-is-none lunch"],
    ...[
      "/login Bob lunch",
      "LOGIN Bob lunch",
      "/register Bob lunch",
      "/password lunch",
      "PASS lunch",
      "PASSWD old lunch",
    ],
    `SEND Bob ${TOKEN} lunch`,
    "HELO\nsend Bob lunch",
  ];
  for (const text of texts) {
    assert(!hideSecrets(text).includes("lunch"), hideSecrets(text));
    assert(hideSecrets(text).includes(HIDDEN), hideSecrets(text));
  }
  for (const command of ["SEND Bob lunch", "send Bob lunch", ...SLASH_COMMANDS.map((name) => `/${name} Bob lunch`)]) {
    for (let bit = 0; bit < 8 * command.indexOf(" "); bit++) {
      const bytes = new TextEncoder().encode(command);
      bytes[bit >> 3] ^= 1 << (bit & 7);
      assert(!visibleBytes(bytes).includes("lunch"), visibleBytes(bytes));
    }
  }
  for (
    const text of ["/name Bob", "MESSAGE what shall we send", "MESSAGE hello", "LIST", "SEND", "and/or 1", "senden"]
  ) {
    assertEquals(hideSecrets(text), text);
  }
});

const SLASH_COMMANDS = ["send", "msg", "reply", "login", "register", "password"];

const FILE_PACKETS: FilePacket[] = [
  { dialect: "v1", type: "OFFER", pass: PASS, file: FILE, size: 2011, hash: HASH, text: "Lunch id=1.txt" },
  { dialect: "v1", type: "DATA", pass: PASS, file: FILE, id: 3, offset: 2000, octets: encoder.encode("\nLunch\xff") },
  { dialect: "v1", type: "SACK", pass: PASS, file: FILE, next: 1000, room: 4096, ids: [{ from: 1, to: 3 }], delay: 2 },
  { dialect: "v1", type: "END", pass: PASS, file: FILE, code: "lunch" },
];

const SECRET_PACKETS: V1Packet[] = [
  { dialect: "v1", type: "GREETING", id: 1000, token: TOKEN, cookie: PASS },
  { dialect: "v1", type: "SIGN-IN", id: 7, token: TOKEN, cookie: PASS, name: "Zoë" },
  { dialect: "v1", type: "RESEND", token: TOKEN, epoch: EPOCH, from: 3, to: 7 },
  { dialect: "v1", type: "MESSAGE", token: TOKEN, stream: STREAM, id: 3, first: 1, text: "to all" },
  { dialect: "v1", type: "MESSAGE", pass: PASS, stream: STREAM, id: 3, first: 1, text: "Lunch" },
  { dialect: "v1", type: "MESSAGE", pass: PASS, stream: STREAM, id: 3, action: true, text: "x=Lunch" },
  { dialect: "v1", type: "MESSAGE", pass: PASS, stream: STREAM, id: 3, text: "beef sum=1 Lunch" },
  { dialect: "v1", type: "ACK", pass: PASS, stream: STREAM, id: 3 },
  {
    ...{ dialect: "v1", type: "RELAY", token: TOKEN, address: "10.0.0.7:5", name: "Zoë" },
    packet: { dialect: "v1", type: "MESSAGE", pass: PASS, stream: STREAM, id: 3, first: 1, text: "Lunch" },
  },
  { dialect: "v1", type: "PUNCH", token: TOKEN, address: "10.0.0.7:5", name: "Zoë", pass: PASS },
  { dialect: "v1", type: "PEER", id: 9, token: TOKEN, address: "10.0.0.7:5", since: 1732094000000, pass: PASS },
  ...FILE_PACKETS,
  ...FILE_PACKETS.map((packet) =>
    ({ dialect: "v1", type: "RELAY", token: TOKEN, address: "10.0.0.7:5", packet }) as const
  ),
];

/** Hides a text, and checks that neither a secret nor half of it is left. */
function checkHidden(text: string): void {
  const shown = hideSecrets(text).toLowerCase();
  for (const secret of [TOKEN, PASS, FILE, HASH]) {
    for (let at = 0; at + 8 <= secret.length; at++) {
      assert(!shown.includes(secret.slice(at, at + 8)), `${text}: ${shown}`);
    }
  }
  assert(!shown.includes("lunch"), `${text}: ${shown}`);
}

Deno.test("hidden: with any bit flipped, any byte left out or doubled, a packet shows no secret and no direct text", () => {
  for (const packet of SECRET_PACKETS) {
    const bytes = encode(packet), text = new TextDecoder().decode(bytes);
    checkHidden(text);
    // without a checksum too
    const plain = encoder.encode(text.replace(/ sum=\S+/, ""));
    for (const datagram of [bytes, plain]) {
      for (let i = 0; i < datagram.length; i++) {
        const character = (change: Uint8Array) => new TextDecoder("latin1").decode(change);
        for (let bit = 0; bit < 8; bit++) {
          checkHidden(character(datagram.with(i, datagram[i] ^ 1 << bit)));
        }
        checkHidden(character(Uint8Array.of(...datagram.subarray(0, i), ...datagram.subarray(i + 1))));
        checkHidden(character(Uint8Array.of(...datagram.subarray(0, i), ...datagram.subarray(i - 1))));
        checkHidden(character(datagram.subarray(0, i)));
      }
    }
  }
});

Deno.test("visible bytes: any bytes give a short text that a terminal shows as it is", () => {
  const words = fc.constantFrom("MESSAGE ", "token=", "/send ", TOKEN, "\n", "\0", "pass=", " id=1", "/1", "SEND");
  const anyText = fc.array(fc.oneof(words, fc.string({ unit: "binary" }))).map((parts) =>
    encoder.encode(parts.join(""))
  );
  fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 5000 }), anyText), (bytes) => {
    const shown = visibleBytes(bytes);
    assertMatch(shown, /^"[^\n]{0,72}"…?$/u);
    assertEquals(printable(shown).length <= shown.length && !/[\p{Cc}\u202e]/u.test(shown), true);
    assert(!shown.includes(TOKEN));
  }));
});

Deno.test("visible bytes: no bytes take long", () => {
  const long = ["/a ", " ", "\t=", "token=", "token", "pass= x", "a", "f0", "\n/", "MESSAGE ", "id=1 ", "\0", " id=1"];
  for (const part of long) {
    const bytes = encoder.encode(part.repeat(70_000 / part.length));
    const start = performance.now();
    visibleBytes(bytes);
    // it takes a few milliseconds at most; what takes quadratic time takes seconds
    assert(performance.now() - start < 500, JSON.stringify(part));
  }
});
