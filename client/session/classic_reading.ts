/**
 * Reads what a client gets from its server, where the server may be anybody's program.
 *
 * Servers of the assignment write what they forward in many forms: with `INCOMING` and a colon, as the bare text, as the
 * MESSAGE that they have got, with a line feed or with NULs at the end. Here they all become classic packets.
 *
 * @module
 */
import { decode, type Decoded, MAX_CLASSIC_BYTES } from "../../protocol.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What programs leave at the end of a datagram: line ends, and NULs from a buffer in C. */
const TRAILER = "\r\n\0";

/**
 * What looks like a packet of version 1, damaged or not. It is never shown as a text. One damaged byte leaves one of the
 * first two forms as it is; the third is for a program that sends no checksum.
 */
const LIKE_V1 = [/^[A-Z-]+\/\d/, /^[^]{1,24}sum=[0-9a-f]{8}/, /^\S{1,12}\/\d+ [a-z]+=/];

/** A line that a server forwards. The word in small letters may as well begin a sentence. */
const FORWARDED = /^(?:INCOMING:? ?|[Ii]ncoming: ?|[Ii]ncoming ?(?=<))([^]*)$/;
/** A message as its sender has written it, which some servers pass on to all. */
const PASSED_ON = /^MESSAGE[ :] ?([^]*)$/;
/** A greeting of version 1 within a line, from a server that shows to all what it does not know. */
const SHOWN_GREETING = /(?:GREETING|SIGN-IN)\/1 sum=[0-9a-f]{8} [^]*$/;
/** Other words of clients, which come back from a program that passes on all that it gets. */
const WORD_OF_CLIENT = /^(?:GREETING|LIST)\s*$|^SIGN-IN\s/;

/**
 * Decodes a datagram from a server: as {@linkcode decode} does in version 1. All else that has a text is taken for a
 * line that a classic server has forwarded, but a greeting of version 1 within a line for that greeting. It never throws.
 */
export function decodeReply(datagram: Uint8Array): Decoded {
  const decoded = decode(datagram);
  if (decoded.ok && decoded.packet.dialect === "v1" || datagram.length > MAX_CLASSIC_BYTES) return decoded;
  const text = decoder.decode(datagram), said = withoutTrailer(text);
  const [greeting] = SHOWN_GREETING.exec(said) ?? [];
  // with a checksum that is right nobody has typed it
  const handedOn = greeting === undefined ? undefined : decode(encoder.encode(greeting));
  if (handedOn?.ok) return handedOn;
  if (LIKE_V1.some((form) => form.test(text))) {
    return decoded.ok ? { ok: false, reason: "damaged on the way" } : decoded;
  }
  const [, line] = FORWARDED.exec(said) ?? PASSED_ON.exec(said) ?? [];
  if (line === undefined && (said.trim() === "" || WORD_OF_CLIENT.test(said))) return decoded;
  return { ok: true, packet: { dialect: "classic", type: "INCOMING", line: line ?? said } };
}

/** A regular expression would look at each character of a text of line ends as often as there are characters. */
function withoutTrailer(text: string): string {
  let end = text.length;
  while (end > 0 && TRAILER.includes(text[end - 1])) end--;
  return text.slice(0, end);
}
