/** PROTOCOL.md against protocol.ts: each example is a packet, of the type that its section describes. */
import { assert, assertEquals } from "@std/assert";
import { decode, encode, type Packet, TO_SERVER, V1_TYPES } from "../protocol.ts";
import { fromHex, toHex } from "../protocol/bytes.ts";
import { open } from "../protocol/hpke.ts";
import { MAX_ROUNDS, preparePassword, ROUNDS } from "../protocol/passwords.ts";
import { authMessage, clientKeysOf, clientProof, packKeys, serverSignature, storedKeysOf } from "../protocol/scram.ts";
import { CRYPTO, derive } from "../runtime/crypto.ts";
import { canonicalText, digestAfter } from "../protocol/reliable/line_digest.ts";
import { printable } from "../protocol/text.ts";
import { sha256Hex128 } from "../runtime/sha256.ts";
import { protocolTrace } from "../scripts/protocol_trace.ts";
import { CLASSIC, LOSE_NOTHING, SAY_AND_PRINT } from "./support/python.ts";

interface Example {
  /** The heading of the section that it stands in. */
  section: string;
  datagram: string;
}

const reference = Deno.readTextFileSync(new URL("../PROTOCOL.md", import.meta.url)).replaceAll("\r\n", "\n");

/** The fenced blocks of a Markdown text in one language, each with the heading before it. */
function* examples(markdown: string, language: string): Generator<Example> {
  let section = "";
  for (const [, heading, fence, text] of markdown.matchAll(/^#+ (.*)$|^```(\S*)\n([^]*?)\n```$/gm)) {
    if (heading !== undefined) section = heading;
    else if (fence === language) yield { section, datagram: text };
  }
}

const all = [...examples(reference, "datagram")];
/** The headings that are a packet type: `GREETING` in the classic part, `GREETING/1` in the other. */
const TYPE = /^[A-Z-]+(\/1)?$/;

function packetOf({ section, datagram }: Example): Packet {
  const decoded = decode(new TextEncoder().encode(datagram));
  assert(decoded.ok, `${section}: ${datagram}: ${decoded.ok || decoded.reason}`);
  return decoded.packet;
}

const heading = ({ type, dialect }: Packet) => dialect === "v1" ? `${type}/1` : type;

Deno.test("PROTOCOL.md: every example is accepted, and is of the type that its section describes", () => {
  for (const example of all) {
    const packet = packetOf(example);
    if (TYPE.test(example.section)) assertEquals(heading(packet), example.section, example.datagram);
  }
});

Deno.test("PROTOCOL.md: every example is what our own programs write, except for checksums left out by hand", () => {
  for (const example of all) {
    const ours = new TextDecoder().decode(encode(packetOf(example)));
    const hasSum = example.datagram.includes(" sum=");
    assertEquals(hasSum ? ours : ours.replace(/ sum=[0-9a-f]{8}/, ""), example.datagram);
  }
});

Deno.test("PROTOCOL.md: every type of both dialects has a section and an example", () => {
  // a table that the type checker keeps complete
  const types: Record<`${Extract<Packet, { dialect: "v1" }>["type"]}/1`, true> & Record<ClassicType, true> = {
    "GREETING": true,
    "MESSAGE": true,
    "SIGN-IN": true,
    "LIST": true,
    "INCOMING": true,
    "GREETING/1": true,
    "SIGN-IN/1": true,
    "RESEND/1": true,
    "LIST/1": true,
    "LOOKUP/1": true,
    "LEAVE/1": true,
    "MESSAGE/1": true,
    "ACK/1": true,
    "INCOMING/1": true,
    "ONLINE/1": true,
    "OFFLINE/1": true,
    "RETRY/1": true,
    "WELCOME/1": true,
    "HELD/1": true,
    "HEARTBEAT/1": true,
    "GONE/1": true,
    "USERS/1": true,
    "PEER/1": true,
    "PUNCH/1": true,
    "ERROR/1": true,
    "CLOSING/1": true,
    "OPEN/1": true,
    "RELAY/1": true,
    "REGISTER/1": true,
    "UNREGISTER/1": true,
    "COMMAND/1": true,
    "RENAMED/1": true,
    "NOTICE/1": true,
    "CHALLENGE/1": true,
    "REPLY/1": true,
    "OFFER/1": true,
    "DATA/1": true,
    "SACK/1": true,
    "END/1": true,
  };
  const shown = new Set(all.filter(({ section }) => TYPE.test(section)).map(({ section }) => section));
  assertEquals([...shown].sort(), Object.keys(types).sort());
});

/** A text has no word that could be the heading of its section. */
type ClassicType = Exclude<Extract<Packet, { dialect: "classic" }>["type"], "TEXT">;

Deno.test("PROTOCOL.md: each version 1 section names the fields of its examples", () => {
  for (const example of all.filter(({ section }) => section.endsWith("/1"))) {
    const prose = sectionText(example.section);
    const [header] = example.datagram.split("\n");
    for (const [, key] of header.matchAll(/ ([a-z]+)=/g)) {
      assert(key === "sum" || new RegExp(`\`\\[?${key}\\]?\``).test(prose), `${example.section} lacks ${key}`);
    }
  }
});

function sectionText(section: string): string {
  const start = reference.indexOf(`### ${section}\n`);
  const end = reference.indexOf("\n#", start + 4);
  return reference.slice(start, end < 0 ? undefined : end);
}

Deno.test("PROTOCOL.md: the digests that it gives are those of its events, and of its WELCOME", () => {
  const texts = new Map<number, string>();
  let latest = 0;
  const digests = new Map(
    Array.from(reference.matchAll(/^\| (\d+) +\| `([0-9a-f]{32})` \|$/gm), ([, seq, digest]) => [Number(seq), digest]),
  );
  for (const example of all) {
    const packet = packetOf(example);
    if (!("at" in packet)) continue;
    assert(packet.at >= latest, `event ${packet.seq} is older than the one before it`);
    latest = packet.at;
    texts.set(packet.seq, canonicalText(packet));
    assertEquals(digestAfter(digests.get(packet.seq - 1)!, packet, sha256Hex128), digests.get(packet.seq));
  }
  assertEquals([...texts.keys()], [...digests.keys()].slice(1));
  const shown = [...examples(reference, "text")].filter(({ section }) => section === "Forged events");
  assertEquals(shown.map(({ datagram }) => datagram), [texts.get(42), texts.get(44)]);
  const welcome = all.map(packetOf).find(({ type }) => type === "WELCOME") as Packet & { type: "WELCOME" };
  assertEquals(welcome.digest, digests.get(welcome.seq));
});

Deno.test("PROTOCOL.md: the proof and the verifier of its examples are those of the password that it names", async () => {
  const packets = all.map(packetOf);
  const challenge = packets.find((packet) => packet.type === "CHALLENGE" && packet.salt !== undefined);
  const greeting = packets.find((packet) => packet.type === "SIGN-IN" && "proof" in packet);
  const welcome = packets.find((packet) => packet.type === "WELCOME" && packet.verifier !== undefined);
  assert(challenge?.type === "CHALLENGE" && greeting?.type === "SIGN-IN" && greeting.dialect === "v1");
  const { salt: digits, rounds, nonce, address, token } = challenge, salt = fromHex(digits!);
  const message = authMessage({
    name: greeting.name,
    cnonce: greeting.cnonce!,
    nonce: nonce!,
    salt,
    rounds,
    purpose: `sign-in ${token} ${address}`,
  });
  const [shown] = [...examples(reference, "text")].filter(({ section }) => section === "Protected names");
  assertEquals(shown.datagram, message);
  const keys = clientKeysOf(await derive({ password: "correct horse", salt, rounds }), CRYPTO);
  assertEquals(greeting.proof, toHex(clientProof(keys, message, CRYPTO)));
  assertEquals((welcome as { verifier?: string }).verifier, toHex(serverSignature(keys, message, CRYPTO)));
});

Deno.test("PROTOCOL.md: the registration of its examples can be opened, and the verifier is that of its ServerKey", async () => {
  const packets = all.map(packetOf);
  const challenge = packets.find((packet) => packet.type === "CHALLENGE" && packet.key !== undefined);
  const salted = packets.find((packet) => packet.type === "CHALLENGE" && packet.salt !== undefined);
  const register = packets.find((packet) => packet.type === "REGISTER" && packet.key !== undefined);
  const reply = packets.find((packet) => packet.type === "REPLY" && packet.verifier !== undefined);
  assert(challenge?.type === "CHALLENGE" && salted?.type === "CHALLENGE");
  assert(register?.type === "REGISTER" && reply?.type === "REPLY");
  const { key, sealed, token } = register, salt = fromHex(salted.salt!);
  const [, privateKey] = reference.match(/private key is\s+`([0-9a-f]{64})`/)!;
  const pair = { privateKey: fromHex(privateKey), publicKey: fromHex(challenge.key!) };
  const context = { info: "udp-chat register", additional: `${token} Alice` };
  const packed = open({ key: fromHex(key!), sealed: fromHex(sealed!) }, pair, context, CRYPTO);
  const keys = clientKeysOf(await derive({ password: "correct horse", salt, rounds: ROUNDS }), CRYPTO);
  assertEquals(packed, packKeys(salt, storedKeysOf(keys, CRYPTO)));
  const purpose = `register ${token} ${challenge.address} ${key} ${sealed}`;
  assertEquals([reply.id, reply.verifier], [register.id, toHex(serverSignature(keys, purpose, CRYPTO))]);
});

Deno.test("PROTOCOL.md: its registrations are those of the test vectors", () => {
  const { passwords: { proofs, sealed: [first, second] } } = JSON.parse(
    Deno.readTextFileSync(new URL("../docs/test_vectors.json", import.meta.url)),
  );
  const registers = all.map(packetOf).flatMap((packet) => packet.type === "REGISTER" ? [packet] : []);
  const fields = registers.map(({ key, sealed, nonce, cnonce, proof }) => ({ key, sealed, nonce, cnonce, proof }));
  const none = { nonce: undefined, cnonce: undefined, proof: undefined }, { nonce, cnonce, proof, purpose } = proofs[1];
  assertEquals(fields, [
    { key: undefined, sealed: undefined, ...none },
    { key: first.key, sealed: first.sealed, ...none },
    { key: second.key, sealed: second.sealed, nonce, cnonce, proof },
  ]);
  assertEquals(purpose.split(" ").slice(-2), [second.key, second.sealed]);
});

Deno.test("PROTOCOL.md: the table of characters that become ? has the same ones as the code", () => {
  const rows = [...reference.matchAll(/^\| U\+([0-9A-F]+)(?:–U\+([0-9A-F]+))? /gm)];
  const ranges = rows.map(([, first, last = first]) => [parseInt(first, 16), parseInt(last, 16)]);
  const wrong: string[] = [];
  for (let point = 0; point < 0x110000; point++) {
    // a tab becomes a space, surrogates are not in UTF-8, and of the last ones the text says where they may stand
    if (point === 9 || point >= 0xd800 && point <= 0xdfff || point >= 0xe0100 && point <= 0xe01ef) continue;
    const isListed = ranges.some(([first, last]) => first <= point && point <= last);
    if (isListed !== (printable(`a${String.fromCodePoint(point)}b`) === "a?b") && point !== 0x3f) {
      wrong.push(`U+${point.toString(16)}`);
    }
  }
  assertEquals(wrong, []);
});

/** What stands in the first column of the tables of a section. */
function firstColumn(heading: string): string {
  const start = reference.indexOf(`## ${heading}\n`), end = reference.indexOf("\n## ", start);
  return Array.from(reference.slice(start, end).matchAll(/^\| ([^|]+)/gm), ([, cell]) => cell).join("\n");
}

Deno.test("PROTOCOL.md: the tables of what a client and a server do name each type that they can get", () => {
  const atClient = firstColumn("What a client does with each packet");
  const atServer = firstColumn("What a server does with each packet");
  for (const type of V1_TYPES) {
    const isEvent = ["INCOMING", "ONLINE", "OFFLINE", "RENAMED", "NOTICE"].includes(type),
      isGreeting = ["GREETING", "SIGN-IN"].includes(type);
    const name = new RegExp(`\\b${isEvent ? "event" : isGreeting ? "any other greeting" : type}\\b`);
    const isToServer = TO_SERVER.some((other) => other === type);
    const isBothWays = type === "MESSAGE" || type === "RELAY";
    assertEquals([name.test(atClient), name.test(atServer)], [!isToServer || isBothWays, isToServer], type);
  }
});

Deno.test("PROTOCOL.md: the codes of ERROR are those that the server writes", async () => {
  const listed = firstColumn("Version 1: the packets").match(/(?<=`)[a-z-]+(?=`)/g)!;
  const written = new Set<string>();
  for await (const { name } of Deno.readDir(new URL("../server/room", import.meta.url))) {
    const source = await Deno.readTextFile(new URL(`../server/room/${name}`, import.meta.url));
    for (const [, code] of source.matchAll(/\b(?:code: |error\()"([a-z-]+)"/g)) written.add(code);
  }
  assert(written.size > 10, `${written.size}`);
  assertEquals([...written].filter((code) => !listed.includes(code)), []);
  assertEquals(listed.filter((code, i) => listed.indexOf(code) !== i), [], "each once");
});

Deno.test("PROTOCOL.md: the numbers of passwords are those of the code", () => {
  const [, ours] = reference.match(/^\| `rounds` that it hashes +\| ([^|]+?) +\|/m)!;
  assertEquals(ours, `${ROUNDS.toLocaleString("en")} to ${MAX_ROUNDS.toLocaleString("en")}`);
  const [, longest, shortest] = sectionText("Protected names").match(
    /at most (\d+) code points, a new one at least (\d+)/s,
  )!;
  const isPassword = (length: number, isNew: boolean) => preparePassword("x".repeat(length), isNew) !== undefined;
  assertEquals([Number(longest), Number(longest) + 1].map((length) => isPassword(length, false)), [true, false]);
  assertEquals([Number(shortest), Number(shortest) - 1].map((length) => isPassword(length, true)), [true, false]);
});

Deno.test("PROTOCOL.md: each link within it leads to a heading", () => {
  const slug = (heading: string) => heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
  const slugs = new Set(Array.from(reference.matchAll(/^#+ (.*)$/gm), ([, heading]) => slug(heading)));
  const links = Array.from(reference.matchAll(/\]\(#([^)]+)\)/g), ([, link]) => link);
  assert(links.length > 20, `${links.length}`);
  assertEquals(links.filter((link) => !slugs.has(link)), []);
});

Deno.test("PROTOCOL.md: every fenced block is of a known kind", () => {
  const kinds = Array.from(reference.matchAll(/^```(\S+)$/gm), ([, kind]) => kind);
  assertEquals([...new Set(kinds)].sort(), ["abnf", "console", "datagram", "python", "text", "trace"]);
});

Deno.test("PROTOCOL.md: the lines of the nc session are packets too", () => {
  const [session] = examples(reference, "console");
  const lines = session.datagram.split("\n").filter((line) => !line.startsWith("$ "));
  for (const line of lines) {
    const packet = packetOf({ section: session.section, datagram: `${line}\n` });
    assertEquals(packet.dialect, "classic", line);
  }
});

Deno.test("PROTOCOL.md: the trace is what our programs send", () => {
  const traces = [...examples(reference, "trace")].map(({ datagram }) => datagram);
  assertEquals(traces, [protocolTrace()], "Put there what `deno run -A scripts/protocol_trace.ts` prints");
});

Deno.test("PROTOCOL.md: the Python programs are the files that the tests run", async () => {
  const printed = [...examples(reference, "python")].map(({ datagram }) => `${datagram}\n`);
  const files = [CLASSIC, SAY_AND_PRINT, LOSE_NOTHING].map((file) =>
    Deno.readTextFile(new URL(`../${file}`, import.meta.url))
  );
  assertEquals(printed, (await Promise.all(files)).map((text) => text.replaceAll("\r\n", "\n")));
});
