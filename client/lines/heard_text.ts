/**
 * What a client of a TCP server reads in a text that has arrived: the server's question after the name, and texts that
 * have run into one because the server sends no line feeds.
 *
 * @module
 */

/** The longest text that is taken for a question after the name, in characters. */
const MAX_QUESTION_LENGTH = 120;
/** What is asked for. */
const NAME_WORD = /(?<![\p{L}\p{N}])(?:(?:user|nick)?name|nick|handle|login)(?![\p{L}\p{N}])/iu;
/** What asks, where the text has no colon and no question mark. */
const ASKING_WORD = /\b(?:choose|enter|give|input|insert|pick|please|provide|send|tell|type|what|your)\b/i;
/** What asks for something else, tells of a command, or was said by a member. */
const OTHER_WISH = /pass|\b(?:channel|file|group|host|room|server)[ _-]?name|\bname of\b|\//i;
const SPEAKER = /^[<([]|[:>]\s*[^\s:>]/;

const PRESENCE = /^\[(?:\[[\w:.%]{1,80}\]|[\d.]{7,15}):\d{1,5}(?: [^<>[\]]{1,80})?\] is O(?:n|ff)line(?=\[|<From )/;

/**
 * Whether a server asks for the user's name with this text. A text that may be a member's, with its sender in front, is
 * never taken for a question.
 *
 * @param hasEnd Whether a line feed stood behind it: most programs send none behind a prompt.
 */
export function asksForName(text: string, hasEnd: boolean): boolean {
  const words = text.replace(/^[\s*=>#-]+/, "").trimEnd();
  if (words.length > MAX_QUESTION_LENGTH || SPEAKER.test(words) || OTHER_WISH.test(words)) return false;
  const [nameWord] = NAME_WORD.exec(words) ?? [];
  if (nameWord === undefined) return false;
  if (/[:?>]$/.test(words) || words === nameWord) return true;
  return !hasEnd && ASKING_WORD.test(words) && !/\bis\b/i.test(words);
}

/**
 * Cuts a text that no line feed has ended: behind notices at its beginning that somebody has come or gone. What follows
 * them within 20 ms has run into them.
 *
 * It is not cut anywhere else: a member can write `<From IP:PORT>: text` in the middle of what it says, and would then
 * speak in another's name.
 */
export function cutPresence(text: string): string[] {
  const texts: string[] = [];
  for (let notice; (notice = PRESENCE.exec(text)?.[0]) !== undefined;) {
    texts.push(notice);
    text = text.slice(notice.length);
  }
  return [...texts, text];
}
