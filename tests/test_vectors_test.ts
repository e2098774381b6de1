/**
 * docs/test_vectors.json against our own code. Others test their programs with this file, so each of its cases has to
 * be what ours do; one that is not checked here is a failure too.
 */
import { assert, assertEquals } from "@std/assert";
import { type ClassicPacket, decode, encode, MAX_TEXT_BYTES, type Packet, V1_TYPES } from "../protocol.ts";
import { fromHex, toHex } from "../protocol/bytes.ts";
import { crc32 } from "../protocol/crc32.ts";
import { formatAddress, parseAddress } from "../protocol/fields.ts";
import { open, seal } from "../protocol/hpke.ts";
import { compareKeys, nameKey, normalizeName } from "../protocol/names.ts";
import { preparePassword } from "../protocol/passwords.ts";
import { canonicalText, digestAfter, digestBefore } from "../protocol/reliable/line_digest.ts";
import {
  authMessage,
  clientKeysOf,
  clientProof,
  isProofRight,
  serverSignature,
  storedKeysOf,
  unpackKeys,
} from "../protocol/scram.ts";
import { printable, splitText } from "../protocol/text.ts";
import { byteLength } from "../protocol/utf8.ts";
import { CRYPTO, derive } from "../runtime/crypto.ts";
import { sha256Hex128 } from "../runtime/sha256.ts";

/** A text, or the parts that it is made of, each with how many times it stands there. */
type Text = string | [part: string, times: number][];
/** A case of the file; which keys it has depends on its section. */
// deno-lint-ignore no-explicit-any
type Case = Record<string, any>;

const { about, ...sections } = JSON.parse(
  Deno.readTextFileSync(new URL("../docs/test_vectors.json", import.meta.url)),
) as { about: string[] } & Record<string, unknown>;

/** What each list of the file must be. The checks say what is wrong by throwing. */
const CHECKS: Record<string, (it: Case) => void | Promise<void>> = {
  "checksums.right": ({ what: _, datagram, over, sum, ...rest }) => {
    assertEquals(rest, {});
    assertEquals(crc32(encoded(over)).toString(16).padStart(8, "0"), sum);
    assertEquals(datagram.replace(` sum=${sum}`, ""), over);
    packetOf({ datagram });
  },
  "checksums.refused": refused,
  "checksums.flips": ({ what: _, datagram, ...rest }) => {
    assertEquals(rest, {});
    const packet = packetOf({ datagram }), word = datagram.indexOf("sum=");
    assert(/^[A-Z-]+\/1 sum=/.test(datagram), "the checksum is the first field");
    for (let bit = 0; bit < encoded(datagram).length * 8; bit++) {
      const bytes = encoded(datagram), at = bit >> 3;
      bytes[at] ^= 1 << (bit & 7);
      // with the eighth bit flipped it is not UTF-8
      const isInWord = at >= word && at < word + "sum".length && bit % 8 < 7;
      const decoded = decode(bytes);
      assertEquals(decoded.ok ? decoded.packet : "ignored", isInWord ? packet : "ignored", `bit ${bit}`);
    }
  },

  "packets.good": (
    {
      what: _,
      datagram,
      hex,
      canonical,
      type,
      fields,
      text,
      octets,
      names,
      onlyRelayed,
      members,
      inner,
      innerHex,
      ...rest
    },
  ) => {
    assertEquals(rest, {});
    const relayed = (inner ?? innerHex) && { packet: packetOf({ datagram: inner, hex: innerHex }) };
    const body = text === undefined
      ? { names, onlyRelayed, members, octets: octets && fromHex(octets), ...relayed }
      : { text: expand(text) };
    const packet = packetOf({ datagram, hex });
    // a first that is left out means the same as the id
    const first = packet.type === "MESSAGE" && packet.dialect === "v1" ? packet.first ?? packet.id : undefined;
    assertEquals(
      present({ ...packet, first }),
      present({ dialect: "v1", type: type.replace(/\/1$/, ""), ...fields, ...body }),
    );
    checkCanonical(packet, { datagram, hex, canonical });
  },
  "packets.bad": refused,
  "classic.good": (
    { what: _, datagram, hex, canonical, type, text, afterColon, loose, name, line, lineFeed, ...rest },
  ) => {
    assertEquals(rest, {});
    const packet = packetOf({ datagram, hex });
    const said = { text: text && expand(text), afterColon, loose, name, line: type === "GREETING" ? lineFeed : line };
    assertEquals(packet as unknown, present({ dialect: "classic", type, ...said }));
    checkCanonical(packet, { datagram, hex, canonical });
  },
  "classic.bad": refused,

  "names.valid": ({ name, kept = name, key, ...rest }) => {
    assertEquals(rest, {});
    assertEquals(normalizeName(name), kept);
    assertEquals(nameKey(name), key);
    assertEquals(nameKey(kept), key);
  },
  "names.invalid": ({ why, name, ...rest }) => {
    assertEquals(rest, {});
    assert(why && normalizeName(name) === undefined, "it is taken for a name");
  },
  "names.same": ({ what: _, names: [one, other, ...more], ...rest }) => {
    assertEquals([rest, more], [{}, []]);
    assert(normalizeName(one) && normalizeName(other) && one !== other);
    assertEquals(nameKey(one), nameKey(other));
  },
  "names.different": ({ what: _, names: [one, other, ...more], ...rest }) => {
    assertEquals([rest, more], [{}, []]);
    assert(normalizeName(one) && normalizeName(other));
    assert(nameKey(one) !== nameKey(other), `both have the key ${nameKey(one)}`);
  },
  "names.order": ({ before, name }) => {
    assertEquals(normalizeName(name), name);
    for (const other of before) assert(compareKeys(nameKey(other), nameKey(name)) < 0, `${other} comes behind ${name}`);
  },

  "cleaning": ({ what: _, text, cleaned, ...rest }) => {
    assertEquals(rest, {});
    assertEquals(printable(text), cleaned);
    assertEquals(printable(cleaned), cleaned);
  },
  "splitting": ({ what: _, text, pieces, ...rest }) => {
    assertEquals(rest, {});
    assertEquals(splitText(expand(text), MAX_TEXT_BYTES), pieces.map(expand));
  },
  "digests": ({ what: _, epoch, events, ...rest }) => {
    assertEquals(rest, {});
    let before = digestBefore(epoch);
    for (const [i, { datagram, hashed, digest, ...more }] of (events as Case[]).entries()) {
      const packet = packetOf({ datagram });
      assert("at" in packet && packet.epoch === epoch && packet.seq === i + 1, `event ${i + 1}`);
      assertEquals([canonicalText(packet), more], [hashed, {}]);
      assertEquals(before = digestAfter(before, packet, sha256Hex128), digest);
    }
  },

  "passwords.prepared": ({ what: _, typed, prepared, ...rest }) => {
    assertEquals(rest, {});
    for (const isNew of [true, false]) assertEquals(preparePassword(expand(typed), isNew), expand(prepared));
    assertEquals(preparePassword(expand(prepared)), expand(prepared));
  },
  "passwords.refused": ({ why, typed, onlyNew = false, ...rest }) => {
    assertEquals(rest, {});
    assert(why && preparePassword(expand(typed), true) === undefined, "it is taken for a new password");
    assertEquals(preparePassword(expand(typed)) !== undefined, onlyNew);
  },
  "passwords.proofs": async ({ what: _, password, storedKey, authMessage: message, proof, verifier, ...rest }) => {
    const { serverKey, name, nonce, cnonce, rounds, purpose, ...more } = rest, salt = fromHex(more.salt);
    assertEquals(Object.keys(more), ["salt"]);
    const keys = clientKeysOf(await derive({ password: preparePassword(password)!, salt, rounds }), CRYPTO);
    const stored = storedKeysOf(keys, CRYPTO);
    assertEquals([toHex(stored.storedKey), toHex(stored.serverKey)], [storedKey, serverKey]);
    assertEquals(authMessage({ name, nonce, cnonce, salt, rounds, purpose }), message);
    assertEquals(toHex(clientProof(keys, message, CRYPTO)), proof);
    assert(isProofRight(fromHex(proof), stored, message, CRYPTO));
    assertEquals(toHex(serverSignature(stored, message, CRYPTO)), verifier);
  },
  "passwords.sealed": ({ what: _, info, additional, plain, key, sealed, purpose, verifier, ...rest }) => {
    const { serverPrivateKey, serverPublicKey, ephemeralPrivateKey, ...more } = rest;
    assertEquals(more, {});
    const pair = { privateKey: fromHex(serverPrivateKey), publicKey: fromHex(serverPublicKey) };
    const ephemeral = { privateKey: fromHex(ephemeralPrivateKey), publicKey: fromHex(key) };
    const box = seal(fromHex(plain), pair.publicKey, { info, additional }, CRYPTO, ephemeral)!;
    assertEquals([toHex(box.key), toHex(box.sealed)], [key, sealed]);
    assertEquals(toHex(open(box, pair, { info, additional }, CRYPTO)!), plain);
    const keys = unpackKeys(fromHex(plain))!;
    assertEquals(verifier, purpose && toHex(serverSignature(keys, purpose, CRYPTO)));
    if (purpose) assertEquals(purpose.split(" ").slice(-2), [key, sealed]);
  },

  "addresses.valid": ({ address, ...rest }) => {
    assertEquals(rest, {});
    const endpoint = parseAddress(address);
    assert(endpoint, "it is refused");
    assertEquals(
      `${address.startsWith("[") ? `[${endpoint.hostname}]` : endpoint.hostname}:${endpoint.port}`,
      address,
    );
  },
  "addresses.invalid": ({ why, address, ...rest }) => {
    assertEquals(rest, {});
    assert(why && parseAddress(address) === undefined, "it is taken for an address");
  },
  "addresses.written": ({ what: _, host, port, address, ...rest }) => {
    assertEquals(rest, {});
    assertEquals(formatAddress({ hostname: host, port }), address);
  },
};

/** The lists of the file whose cases are not objects, as objects. */
const AS_CASES: Record<string, (value: never, i: number, all: never[]) => Case> = {
  "names.order": (name, i, all) => ({ name, before: all.slice(0, i) }),
  "addresses.valid": (address) => ({ address }),
};

function encoded(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function expand(text: Text): string {
  return typeof text === "string" ? text : text.map(([part, times]) => part.repeat(times)).join("");
}

function bytesOf({ datagram, hex }: Case): Uint8Array {
  assert((datagram === undefined) !== (hex === undefined), "either datagram or hex");
  if (hex === undefined) return encoded(expand(datagram));
  assert(/^([0-9a-f]{2})+$/.test(hex), "hex");
  return Uint8Array.from((hex as string).match(/../g)!, (digits) => parseInt(digits, 16));
}

function packetOf(it: Case): Packet {
  const decoded = decode(bytesOf(it));
  assert(decoded.ok, `ignored: ${decoded.ok || decoded.reason}`);
  return decoded.packet;
}

function refused({ why, datagram, hex, ...rest }: Case): void {
  assertEquals(rest, {});
  assert(why, "it does not say why");
  const decoded = decode(bytesOf({ datagram, hex }));
  assert(!decoded.ok, `taken: ${JSON.stringify(decoded)}`);
  // a type that gets one more field must not make its cases bad for that reason alone
  assertEquals(decoded.reason.endsWith(" is missing"), why.includes("missing"), decoded.reason);
}

function checkCanonical(packet: Packet, { datagram, hex, canonical }: Case): void {
  // ours cut a long text before
  const isTooLong = packet.type === "MESSAGE" && byteLength(packet.text) > MAX_TEXT_BYTES;
  const isOurs = !isTooLong && encode(packet).join() === bytesOf({ datagram, hex }).join();
  assert(isOurs === (canonical === true), `${canonical ? "not" : "also"} what our programs write`);
}

/** The properties that an object has and that are not undefined. */
function present(object: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

/** The lists of the file: `cleaning`, `names.valid`. */
function* lists(): Generator<[path: string, cases: Case[]]> {
  for (const [section, content] of Object.entries(sections)) {
    if (Array.isArray(content)) yield [section, content];
    else for (const [name, cases] of Object.entries(content as Case)) yield [`${section}.${name}`, cases];
  }
}

for (const [path, cases] of lists()) {
  Deno.test(`test vectors: ${path}`, async () => {
    const check = CHECKS[path], asCase = AS_CASES[path] ?? ((it: Case) => it);
    assert(check, "nothing checks these vectors");
    assert(cases.length > 0, "there are none");
    const failures = await Promise.all(cases.map(async (it, i) => {
      try {
        await check(asCase(it as never, i, cases as never[]));
      } catch (error) {
        return `${path}[${i}], ${it.what ?? it.why ?? JSON.stringify(it)}: ${(error as Error).message}`;
      }
    }));
    assertEquals(failures.filter((failure) => failure !== undefined).join("\n\n"), "");
  });
}

Deno.test("test vectors: no list is missing, and no case stands twice", () => {
  assertEquals([...lists()].map(([path]) => path), Object.keys(CHECKS));
  assert(about.length > 0);
  for (const [path, cases] of lists()) {
    const texts = cases.map(({ what: _, why: __, ...it }) => JSON.stringify(it));
    assertEquals(texts.filter((text, i) => texts.indexOf(text) !== i), [], path);
  }
});

Deno.test("test vectors: there is a good packet of every type, and one that is as our programs write it", () => {
  // a table that the type checker keeps complete
  const classic: Record<ClassicPacket["type"], true> = {
    "GREETING": true,
    "MESSAGE": true,
    "SIGN-IN": true,
    "LIST": true,
    "TEXT": true,
    "INCOMING": true,
  };
  const all = [...V1_TYPES.map((type) => `${type}/1`), ...Object.keys(classic)];
  const good = [...lists()].filter(([path]) => path.endsWith(".good")).flatMap(([, cases]) => cases);
  for (const cases of [good, good.filter(({ canonical }) => canonical)]) {
    assertEquals([...new Set(cases.map(({ type }) => type))].sort(), all.sort());
  }
});
