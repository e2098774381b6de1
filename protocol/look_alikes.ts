/**
 * Names that look like others: `Аlice` with a Cyrillic А like `Alice`, `Bob1` like `Bobl`.
 *
 * @module
 */
import { LOOK_ALIKES } from "./look_alike_table.ts";
import { nameKey } from "./names.ts";
import { detach } from "./utf8.ts";

/** What characters are replaced with in a skeleton. */
const PROTOTYPES = new Map(
  LOOK_ALIKES.trim().split("\n").flatMap((line) => {
    const [like, ...points] = line.split(" ");
    return points.map((point) => [String.fromCodePoint(parseInt(point, 16)), like] as const);
  }),
);

/** The most names of which is remembered how they look. */
const MAX_REMEMBERED = 500;

/** What was found out about a name. */
interface Looks {
  skeletons: readonly string[];
  /** Undefined while it was not asked for, null if it is not reserved. */
  reserved?: string | null;
}

/** The last names that were looked at: some take half a millisecond, and a wish for a name looks at it several times. */
const remembered = new Map<string, Looks>();

/** Four numbers with dots between them, as they are or as a skeleton; also with something else before or behind. */
const ADDRESS = /(?:^|:)[\p{Nd}lo]{1,3}(?:\.[\p{Nd}lo]{1,3}){3}(?:$|:)/u;

/**
 * The skeleton of a name, after UTS #39, section 4: two names that look alike have the same one, whatever their case.
 * Names that are the same name have the same skeleton, and the skeleton of a skeleton is itself.
 */
export function skeleton(name: string): string {
  // some capitals have small letters only after NFKC, such as the mathematical ones
  return replaceLookAlikes(nameKey(nameKey(name).normalize("NFKC")));
}

/**
 * All skeletons of a name: as it is spelled in small letters, and as it is seen, if that is another one. A capital I
 * looks like a small l, and a small i does not. Two names look alike when they have one in common: so `AIice` looks like
 * `Alice`, but `Neil` does not look like `Nell`.
 */
export function skeletons(name: string): readonly string[] {
  return looksOf(name).skeletons;
}

/** Why nobody may have a name, as a sentence for its user: it looks like an address, or like the server itself. */
export function reservedBecause(name: string): string | undefined {
  const looks = looksOf(name);
  if (looks.reserved === undefined) looks.reserved = findReserved(name, looks.skeletons) ?? null;
  return looks.reserved ?? undefined;
}

function looksOf(name: string): Looks {
  const known = remembered.get(name);
  if (known) return known;
  const looks = { skeletons: [...new Set([skeleton(name), replaceLookAlikes(name)])] };
  remembered.set(detach(name), looks);
  if (remembered.size > MAX_REMEMBERED) remembered.delete(remembered.keys().next().value!);
  return looks;
}

function findReserved(name: string, skeletons: readonly string[]): string | undefined {
  // a dot or a line around it changes little to the eye
  const bare = (text: string) => text.replace(/^[_.-]+/, "").replace(/[_.-]+$/, "");
  const seen = skeletons.map(bare);
  if ([bare(name.normalize("NFKC")), ...seen].some((text) => ADDRESS.test(text))) {
    return `The name ${name} looks like an address; choose another`;
  }
  return seen.includes("server") ? `The name ${name} looks like the server; choose another` : undefined;
}

function replaceLookAlikes(text: string): string {
  let replaced = "";
  for (const character of text.normalize("NFKD")) replaced += PROTOTYPES.get(character) ?? character.toLowerCase();
  // a dot above an i or a j is not seen
  return replaced.normalize("NFD").replace(/(?<=[ij]\p{M}*)\u0307/gu, "").replaceAll("rn", "m");
}
