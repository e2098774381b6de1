/**
 * Makes the first bytes of a datagram, or of a line, visible to people, and hides what is a secret in them: tokens,
 * cookies, passes, passwords, and what one member says or hands to another one alone. Packets that are damaged,
 * misspelt or of no known form are no exception, so it hides too much rather than too little.
 *
 * @module
 */
import { printable } from "./text.ts";

/** What stands in place of a secret. */
export const HIDDEN = "(hidden)";

/** How many characters are shown, escapes counted as they are written. */
const SHOWN_CHARACTERS = 72;
/** How many bytes are looked at. A secret that ends behind them is hidden as far as they go. */
const READ_BYTES = 2048;

/** Makes bytes visible: `"MESSAGE hello\n"`, with `…` behind when there are more. */
export function visibleBytes(bytes: Uint8Array): string {
  const head = bytes.subarray(0, READ_BYTES), isCut = bytes.length > head.length;
  return quote(asText(head, isCut), isCut);
}

/** Makes a line of a connection visible, in the same way. */
export function visibleLine(line: string): string {
  const head = line.slice(0, READ_BYTES);
  return quote(head, line.length > head.length);
}

/** Hides the secrets in a text. */
export function hideSecrets(text: string): string {
  return hideDirectText(text).replace(RUN_TOGETHER, hideCommand).replace(COMMAND, hideCommand).replace(
    NAMED_SECRET,
    `$1${HIDDEN}`,
  )
    .replace(HEX_RUN, hideRun);
}

// ---- secrets

/** A field that a packet of a member or of the server has, and no message from one member to another. */
const OF_THE_ROOM = / (?:token|epoch)=[0-9a-f]{16}(?=[ \r\n]|$)/;
/** What a message or a file from one member to another has. One of it may be damaged. */
const OF_A_PAIR = /^(?:MESSAGE|OFFER|DATA|SACK|END)\/|\b(?:pass|stream|file)=/i;

/**
 * Hides the body of a packet if it may be from one member to another: shows only what is header beyond doubt.
 * A line feed that was damaged on the way must not make the text a part of the header.
 */
function hideDirectText(text: string): string {
  const isOfPair = /pass=|^RELAY\/|\n(?:MESSAGE|OFFER|DATA|SACK|END)\//i.test(text) ||
    OF_A_PAIR.test(text) && !OF_THE_ROOM.test(text);
  if (!isOfPair) return text;
  const [header] = HEADER.exec(text)!, rest = text.slice(header.length);
  return rest === "" ? header : `${header}${rest.startsWith("\n") ? "\n" : " "}${HIDDEN}`;
}

const SPACE_OR_END = "(?=[ \\r\\n]|$)";
/** The type and the fields that are as they should be. A field that is not known may be a part of a text. */
const HEADER = new RegExp(
  "^[A-Za-z-]{0,12}(?:/\\d{1,3})?" + SPACE_OR_END +
    "(?: (?:(?:id|first|seq|at|action)=\\d{1,16}|sum=[0-9a-f]{8}" +
    `|(?:token|cookie|pass|stream|epoch|digest)=[0-9a-f]{1,32})${SPACE_OR_END})*|^`,
);

/** A secret behind its name: to the next field, so that a space that came in on the way does not cut it. */
const NAMED_SECRET =
  /(?<![a-z])((?:token|cookie|pass(?:word|wd|phrase)?|pwd|pw|secret)"?\s*[=:]\s*)(?!\(hidden\))[^\n]*?(?=\s[a-z]{1,12}=|\n|$)/gi;

/** Hexadecimal digits as a token has them, or as many as are left together when one of them is damaged. */
const HEX_RUN = /(\b(?:sum|stream|epoch|digest)=)?(\b(?:id|first|seq|at|since|from|to)=)?([0-9a-f]{8,})/gi;

function hideRun(run: string, publicKey?: string, numberKey?: string, digits = ""): string {
  const isPublic = publicKey !== undefined || numberKey !== undefined && /^\d+$/.test(digits);
  // no token is one digit over and over, but programs that are tried out say this
  return isPublic || new Set(digits).size === 1 ? run : HIDDEN;
}

/** Commands whose values are for one member or for the server alone; SEND is often misspelt, or has a damaged letter. */
const PRIVATE_COMMANDS =
  "\\Send|s\\Snd|se\\Sd|sen\\S|sned|sedn|snd|sen|sendd|sendto|(?:priv|query|send)?msg|query|pm|dm|tell|whisper" +
  "|reply|log-?in|register|pass\\w*|pwd|auth|identify";
/** Commands with a slash whose values may be seen by all. Of others nothing is known, for they may be misspelt. */
const PUBLIC_COMMANDS = "name|nick|list|names|who|whois|help|me|history|quit";
/** What is no command behind the slash: the version of a MESSAGE, or a public one. */
const NO_SECRET = `(?<=MESSAGE/)\\d{1,3}(?![^ \\r\\n])|(?:${PUBLIC_COMMANDS})\\b`;
/**
 * A command with all behind it, at the beginning of a line or behind a word that may be a damaged MESSAGE; its slash may
 * be damaged too.
 */
const COMMAND = new RegExp(
  "^(\\0*(?:[^\\s/=]{5,9}[: ]{1,2}|MESSAGE)?[\\t ]*" +
    `(?:\\S?(?:${PRIVATE_COMMANDS})|/(?!${NO_SECRET})[^\\s\\0]*)(?![\\w-]))[^]*[^\\s\\0][^]*`,
  "imu",
);

/** SEND without a space behind it. In small letters it is the beginning of many words. */
const RUN_TOGETHER = /^(\0*(?:MESSAGE:? ?)?[\t ]*SEND)[^\s\0][^]*/m;

function hideCommand(_line: string, command: string): string {
  return `${command} ${HIDDEN}`;
}

// ---- characters

const ESCAPES: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\" };

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads bytes as UTF-8; if they are none, as characters of one byte each, of which only those of ASCII are shown. */
function asText(bytes: Uint8Array, isCut: boolean): string {
  // of a character that is cut, up to three bytes are here
  for (let end = bytes.length; end >= bytes.length - (isCut ? 3 : 0); end--) {
    try {
      return strictDecoder.decode(bytes.subarray(0, end));
    } catch {
      // another end, or no UTF-8 at all
    }
  }
  return Array.from(bytes, (byte) => String.fromCharCode(byte < 0x80 ? byte : RAW_BYTE + byte)).join("");
}

/** Where bytes that are no UTF-8 stand meanwhile: among characters for private use, which texts hardly have. */
const RAW_BYTE = 0xf700;

function quote(text: string, isCut: boolean): string {
  // the end may be the first part of a token
  const read = isCut ? text.replace(/[0-9a-f]{1,15}$/i, "") : text;
  let shown = "", length = 0;
  for (const character of hideSecrets(read)) {
    const escaped = escapeCharacter(character);
    length += escaped.length;
    if (length > SHOWN_CHARACTERS) return `"${shown}"…`;
    shown += escaped;
  }
  return isCut ? `"${shown}"…` : `"${shown}"`;
}

function escapeCharacter(character: string): string {
  if (Object.hasOwn(ESCAPES, character)) return ESCAPES[character];
  const point = character.codePointAt(0)!;
  if (point >= RAW_BYTE + 0x80 && point <= RAW_BYTE + 0xff) return hexByte(point - RAW_BYTE);
  if (printable(character) === character) return character;
  return point <= 0xff ? hexByte(point) : `\\u{${point.toString(16)}}`;
}

function hexByte(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}
