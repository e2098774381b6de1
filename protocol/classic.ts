/**
 * Reads and writes the classic dialect: a bare word and free text.
 *
 * Programs of others write the words in many ways, so much is taken here. What another server may have sent is not taken
 * for words of a person: otherwise two servers would talk to each other for ever.
 *
 * @module
 */
import { type ClassicPacket, type Decoded, refuse } from "./packets.ts";

const strictDecoder = new TextDecoder("utf-8", { fatal: true });
const lenientDecoder = new TextDecoder();

/** Writes a classic packet as the text of a datagram. */
export function writeClassic(packet: ClassicPacket): string {
  switch (packet.type) {
    case "GREETING":
      return packet.line ? "GREETING\n" : "GREETING";
    case "MESSAGE":
      return `MESSAGE ${packet.text}`;
    case "SIGN-IN":
      return `SIGN-IN ${packet.name}`;
    case "LIST":
      return "LIST";
    case "TEXT":
      return packet.text;
    case "INCOMING":
      return `INCOMING ${packet.line}`;
  }
}

/** The words, in any case; what follows may be the rest of a longer word. */
const WORD = /^(greeting|message|sign-?in|list|incoming)([^]*)$/i;

/** A word with a version, which only version 1 has. */
const VERSIONED = /^[a-z-]{2,24}\/[0-9]/i;

/**
 * What follows the first word of a v1 packet when one or two bytes are damaged in its `/1` and in the key of its
 * checksum, or one byte where it has no checksum. Such a packet is refused, so that it is not read as classic text.
 */
const DAMAGED_VERSION = new RegExp(
  "^(?:[^]{2,3}sum=[0-9a-f]{8}|[^]{2,3}(?:[^]{12} )?(?:token|pass|stream|epoch|cookie)=[0-9a-f]{16})(?:[ \\r\\n]|$)",
);

/** The same of a greeting, whose first field may be any; nobody says that. */
const DAMAGED_GREETING = /^(?:[^]1|\/[^]) [a-z]+=/;

/** The checksum of a v1 packet, wherever its damaged beginning ends. */
const CHECKSUM = /^[^]{0,24}sum=[0-9a-f]{8}(?:[ \r\n]|$)/;

const CONTROL = /[^\P{Cc}\t\r\n]/u;

/**
 * Reads a datagram as a classic packet.
 *
 * @param v1Types The types of version 1. A damaged packet of one of them is not read as text.
 */
export function readClassic(datagram: Uint8Array, v1Types: readonly string[]): Decoded {
  const whole = lenientDecoder.decode(datagram), trimmed = whole.trimStart();
  if (/^\0*$/.test(trimmed)) return refuse("there is nothing in it");
  if (VERSIONED.test(trimmed)) return refuse("a packet of version 1 begins with its word in capital letters");
  const [, word, rest] = WORD.exec(trimmed) ?? [];
  if (word !== undefined && DAMAGED_VERSION.test(rest)) return refuse("damaged on the way");
  if (word !== undefined && word === word.toUpperCase()) {
    const packet = readCapitals(word, rest);
    if (packet) return packet;
  }
  // from here on it may be a sentence of a person, or of another server
  const reason = suspicion(whole, trimmed, v1Types);
  if (reason) return refuse(reason);
  const text = readText(datagram, withoutTrailer(whole));
  return (word === undefined ? undefined : readLoose(word.toUpperCase(), rest, text)) ?? text;
}

/** Reads what begins with a word of the protocol in capital letters; returns undefined when it is another word. */
function readCapitals(word: string, rest: string): Decoded | undefined {
  const text = withoutTrailer(rest), isApart = isEndOfWord(text);
  switch (word) {
    case "GREETING":
      if (DAMAGED_GREETING.test(rest)) return refuse("damaged on the way");
      return greeting(rest);
    case "LIST":
      if (!isApart) return undefined;
      return isBlank(text) ? found({ dialect: "classic", type: "LIST" }) : refuse("LIST takes no text");
    case "SIGNIN":
      return undefined;
    case "SIGN-IN": {
      const name = nameIn(text);
      if (name === "" || !isApart) return refuse("SIGN-IN takes a name, as in: SIGN-IN Alice");
      if (DAMAGED_GREETING.test(rest)) return refuse("damaged on the way");
      return found({ dialect: "classic", type: "SIGN-IN", name });
    }
    case "MESSAGE": {
      const said = textIn(text);
      if (said.text === "") return refuse("MESSAGE without a text");
      return found({ dialect: "classic", type: "MESSAGE", ...said });
    }
    default:
      return found({ dialect: "classic", type: "INCOMING", line: text.replace(/^ /, "") });
  }
}

/**
 * Reads what begins with a word in other letters; returns undefined when it may be the beginning of a sentence.
 *
 * @param sentence The same, read as a text without a word.
 */
function readLoose(word: string, rest: string, sentence: Decoded): Decoded | undefined {
  const text = withoutTrailer(rest);
  if (word === "GREETING") {
    const behind = text.replace(/^s/i, "");
    if (!isEndOfWord(behind)) return undefined;
    const { packet } = greeting(rest);
    return found(isBlank(behind) ? packet : { ...packet, ...sentenceIn(sentence) });
  }
  if (!isEndOfWord(text)) return undefined;
  switch (word) {
    case "LIST":
      return isBlank(text) ? found({ dialect: "classic", type: "LIST", loose: true }) : undefined;
    case "SIGNIN":
    case "SIGN-IN": {
      const name = nameIn(text);
      if (name === "" || /\s/.test(name)) return undefined;
      return found({ dialect: "classic", type: "SIGN-IN", name, loose: true });
    }
    default: {
      const said = textIn(text.replace(/^\s/, " "));
      if ((said.afterColon ?? said.text).trim() === "") return undefined;
      return found({ dialect: "classic", type: "MESSAGE", ...said, loose: true });
    }
  }
}

/** Reads a text that begins with no word of the protocol. */
function readText(datagram: Uint8Array, text: string): Decoded {
  try {
    strictDecoder.decode(datagram);
  } catch {
    return refuse("neither a word of the protocol (MESSAGE, GREETING, SIGN-IN, LIST) nor UTF-8");
  }
  if (CONTROL.test(text)) {
    return refuse("no word of the protocol (MESSAGE, GREETING, SIGN-IN, LIST), but control characters");
  }
  return found({ dialect: "classic", type: "TEXT", text });
}

/** Why a text without a word in capital letters is not taken for a person's: a server's words, or a damaged packet. */
function suspicion(whole: string, trimmed: string, v1Types: readonly string[]): string | undefined {
  if (/^incoming/i.test(trimmed)) return "INCOMING is what only a server sends";
  if (/<from/i.test(trimmed)) return "only a server sends <From";
  if (/^signed in (?:as |users:)/i.test(trimmed)) return "only a server sends this answer";
  if (CHECKSUM.test(whole) || v1Types.some((type) => isAlmost(whole, `${type}/1`))) return "damaged on the way";
  return undefined;
}

/** Whether a text begins with a word of version 1 that has one wrong character, and the word ends there. */
function isAlmost(text: string, word: string): boolean {
  if (!/^[ \r\n]?$/.test(text.charAt(word.length))) return false;
  let wrong = 0;
  for (let i = 0; i < word.length && wrong < 2; i++) if (text[i] !== word[i]) wrong++;
  return wrong < 2;
}

/** Cuts off what C programs and `nc` leave at the end of a datagram: one line ending, and NULs from the buffer. */
function withoutTrailer(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === "\0") end--;
  if (text[end - 1] === "\n") end--;
  if (text[end - 1] === "\r") end--;
  return text.slice(0, end);
}

function found<T extends ClassicPacket>(packet: T): { ok: true; packet: T } {
  return { ok: true, packet };
}

/** Whether a word ends where the text behind it begins. */
function isEndOfWord(text: string): boolean {
  return /^(?:[\s:]|$)/.test(text);
}

/** What else stands in a greeting is ignored, but for a line feed at its end. */
function greeting(rest: string): { ok: true; packet: ClassicPacket & { type: "GREETING" } } {
  let end = rest.length;
  while (rest[end - 1] === "\0") end--;
  const text = rest.slice(0, end);
  return found({ dialect: "classic", type: "GREETING", line: text.slice(text.trimEnd().length).includes("\n") });
}

/** The text of a sentence; nothing if it can't be said. */
function sentenceIn(sentence: Decoded): { text?: string } {
  return sentence.ok && sentence.packet.type === "TEXT" ? { text: sentence.packet.text } : {};
}

/** Whether nothing stands behind a word but a colon. */
function isBlank(text: string): boolean {
  return text.replace(/^:/, "").trim() === "";
}

function nameIn(text: string): string {
  return text.trimStart().replace(/^:/, "").trim();
}

/** The text of a message; both of them, when a colon stands where it may belong to the word. */
function textIn(text: string): { text: string; afterColon?: string } {
  if (!text.startsWith(":")) return { text: text.replace(/^ /, "") };
  return { text, afterColon: text.slice(1).replace(/^ /, "") };
}
