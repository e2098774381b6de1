/**
 * Tells by the first bytes of a connection that it is not for a chat: HTTP and what looks like it, TLS, SSH and STUN.
 *
 * Any web page can make a browser send HTTP to the server's port, with a text of the page's own in it, and STUN with a
 * user name of its own (WebRTC). So a connection that begins like this must not say anything in the room.
 *
 * @module
 */

/** What a connection speaks in place of lines. */
export type ForeignProtocol = "http" | "tls" | "ssh" | "stun";

/** How many bytes are looked at. A request line that is longer is one of HTTP: nobody chats like this. */
export const MAX_HEAD_BYTES = 4096;

const LINE_FEED = 0x0a, CARRIAGE_RETURN = 0x0d, TAB = 0x09, SPACE = 0x20;
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PRI"];

/**
 * A request line of HTTP (RFC 9112, section 3), RTSP or SIP; the word may be any token. Behind a method a path may have
 * spaces.
 */
const TOKEN = "[!#$%&'*+.^_`|~\\w-]+", GAP = "[ \\t]+";
const REQUEST = new RegExp(
  `^(?:${TOKEN}${GAP}(?:[/*]|[a-z][a-z0-9+.-]*:)\\S*${GAP}|CONNECT${GAP}\\S+${GAP}|` +
    `(?:${METHODS.join("|")})${GAP}/[^]*[ \\t])(?:HTTP|RTSP|SIP)/\\d`,
  "i",
);
/**
 * What may still become one: a method, a path or an address of the web, and then no more than the beginning of HTTP/. Of
 * another word it is a text like `see /etc/hosts`: browsers ask the server before they use one.
 */
const REQUEST_BEGUN = new RegExp(
  `^(?:(?:${METHODS.join("|")})${GAP}(?:/|https?://)\\S*|CONNECT${GAP}\\S*)(?:${GAP}(?:H|HT|HTT|HTTP|HTTP/)?)?$`,
);

/** The magic cookie of STUN (RFC 8489, section 5), which is no UTF-8, and the last byte at which it begins. */
const STUN_COOKIE = [0x21, 0x12, 0xa4, 0x42], STUN_AT = 6;

/**
 * Tells what a connection speaks.
 *
 * @param head The first bytes of the connection, as many as have arrived; at least one.
 * @param isAll Whether no more bytes will come, or not soon.
 * @returns "none" for a chat, and "unclear" when more bytes are needed to tell.
 */
export function foreignProtocol(head: Uint8Array, isAll = false): ForeignProtocol | "none" | "unclear" {
  if (head[0] === 0x16) {
    if (head.length === 1) return isAll ? "none" : "unclear";
    return head[1] === 0x03 ? "tls" : "none";
  }
  if (isStun(head)) return "stun";
  if (!isAll && mayBecomeStun(head)) return "unclear";
  const start = head.findIndex((byte) => !isBlank(byte) && byte !== SPACE && byte !== TAB);
  if (start < 0) return isAll || head.length >= MAX_HEAD_BYTES ? "none" : "unclear";
  head = head.subarray(start);
  const end = head.indexOf(LINE_FEED);
  const text = String.fromCharCode(...head.subarray(0, Math.min(end < 0 ? head.length : end, MAX_HEAD_BYTES)));
  if (/^SSH-\d/.test(text)) return "ssh";
  if (REQUEST.test(text)) return "http";
  if (end >= 0 && end < MAX_HEAD_BYTES) return "none";
  const isBegun = REQUEST_BEGUN.test(text);
  if (head.length >= MAX_HEAD_BYTES) return isBegun ? "http" : "none";
  // nobody chats like this either, and a web page must not get in because the network is slow
  if (isAll) return isBegun ? "http" : "none";
  const mayBecome = isBegun || ["SSH-", ...METHODS.map((method) => `${method} `)].some((word) => word.startsWith(text));
  return mayBecome || METHOD_ALONE.test(text) ? "unclear" : "none";
}

const METHOD_ALONE = new RegExp(`^(?:${METHODS.join("|")})${GAP}$`);

/** Whether it is STUN: with two bytes in front that tell its length where it is framed, one less if the first is NUL. */
function isStun(head: Uint8Array): boolean {
  for (let at = 3; at <= STUN_AT; at++) if (STUN_COOKIE.every((byte, i) => head[at + i] === byte)) return true;
  return false;
}

/** Whether it begins as STUN does, and is shorter than its beginning. Nobody chats in control characters. */
function mayBecomeStun(head: Uint8Array): boolean {
  return head.length < STUN_AT + STUN_COOKIE.length && (head[0] < 4 || head[1] === 0 && head[2] < 4);
}

/** The answer to a request of HTTP, for whoever opens the server's address in a browser. */
export function httpAnswer(): Uint8Array {
  const text = "This is a chat server, not a web server: use a chat program, or nc.\n";
  const header = ["HTTP/1.0 400 Bad Request", "Content-Type: text/plain", `Content-Length: ${text.length}`];
  return new TextEncoder().encode([...header, "Connection: close", "", text].join("\r\n"));
}

/** How many bytes at the beginning are empty lines, which servers of HTTP pass over before a request too, or NULs. */
export function countBlank(bytes: Uint8Array): number {
  const first = bytes.findIndex((byte) => !isBlank(byte));
  return first < 0 ? bytes.length : first;
}

function isBlank(byte: number): boolean {
  return byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === 0;
}
