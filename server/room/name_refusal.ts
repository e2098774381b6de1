/**
 * Why somebody who asks for a name does not get it.
 *
 * @module
 */
import { reservedBecause } from "../../protocol/look_alikes.ts";
import { NAME_RULE, nameKey, normalizeName } from "../../protocol/names.ts";
import type { Account } from "./accounts.ts";
import type { RenamePause } from "./limits.ts";
import { holderOf, type Member, type Members } from "./members.ts";
import type { NameClaim } from "./names.ts";
import type { Refusal } from "./refusal.ts";

/** Why a name is refused. */
export type NameRefusal = Refusal<"name-taken" | "bad-name" | "room-full" | "renamed-often">;

/** Which names are protected. */
export interface ProtectedNames {
  /** Whether a name is given only to who proves that it is the owner. */
  needsProof(name: string): boolean;
  lookAlikeOf(name: string): Account | undefined;
}

/** What it depends on whether somebody gets a name. */
export interface NameContext {
  members: Members;
  /** Default: no names are protected. */
  logins?: ProtectedNames;
  /**
   * After how long the name of a member is free that seems to be gone, in milliseconds; undefined if it seems to be
   * here.
   */
  freeIn?: (member: Member) => number | undefined;
}

/**
 * Finds out what speaks against a claim: nobody may have the name, another member has it, or it looks like the name of
 * another member or like a protected one. A member's own name, and the name of the member that it replaces, are no
 * obstacle; nor is anything to a name that takes a proof.
 */
export function nameRefusal(
  { name, holder, replaces }: NameClaim,
  { members, logins, freeIn = () => undefined }: NameContext,
): NameRefusal | undefined {
  // this program's version of Unicode has not all of its letters, and so can't tell which names look like it
  if (normalizeName(name) === undefined) return { code: "bad-name", text: NAME_RULE };
  const reserved = reservedBecause(name);
  if (reserved !== undefined) return { code: "bad-name", text: reserved };
  // whoever proves that it is the owner gets it, and the others must not be told which names there are
  if (logins?.needsProof(name)) return undefined;
  for (const member of [members.withName(name), ...members.lookAlikesOf(name)]) {
    if (member === undefined || [holder, replaces].includes(holderOf(member))) continue;
    if (nameKey(member.name!) === nameKey(name)) {
      const pause = freeIn(member);
      // it is given over
      if (pause === 0) continue;
      return pause === undefined ? nameTaken(name) : nameFreeSoon(name, pause);
    }
    const text = `The name ${name} looks like ${member.name}, who is here; choose another`;
    return { code: "name-taken", text };
  }
  const protectedOne = logins?.lookAlikeOf(name);
  if (!protectedOne) return undefined;
  const text = `The name ${name} looks like ${protectedOne.name}, which is registered; choose another`;
  return { code: "name-taken", text };
}

/** The refusal of a name whose holder seems to have crashed: most likely it is the holder that asks. */
function nameFreeSoon(name: string, pause: number): NameRefusal {
  const text = `The name ${name} is taken; if that was you, it is free in ${Math.ceil(pause / 1000)} s`;
  return { code: "name-taken", text };
}

/** The refusal of a name that another has, here or elsewhere. */
export function nameTaken(name: string): NameRefusal {
  return { code: "name-taken", text: `The name ${name} is taken; choose another` };
}

/** The refusal of a name that may be had a little later. Its code lets a client try again. */
export const TOO_MANY_AT_ONCE: NameRefusal = {
  code: "room-full",
  text: "Too many sign in from your IP address at once",
};

/** The refusal of another name so soon after the last ones. Its code lets a client try again. */
export function renamedOften({ pause, isShared }: RenamePause): NameRefusal {
  const text = isShared
    ? "Too many behind your IP address change their names; try again in a while"
    : `You change your name often; the next time in ${Math.ceil(pause / 1000)} s`;
  return { code: "renamed-often", text };
}
