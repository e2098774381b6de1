/**
 * What the user is told while this client joins, comes back, or asks for another name.
 *
 * @module
 */
import type { LinkEvent } from "./facts.ts";
import type { PasswordKeys } from "./password_keys.ts";

/** How another name is taken while the server does not let this client in. */
const ANOTHER_NAME = "/nick NAME takes another name";

/** Said when the server has not taken a password that was typed, nor found it wrong. */
export const TRYING_AGAIN = "Trying again with the password that you have typed: what you type now is for all. " +
  ANOTHER_NAME;

/** Tells that the server does not let this client in yet. */
export function notInYet(refusal: string, hasTyped: boolean, canChoose: boolean): string {
  return `${refusal}. ${hasTyped ? TRYING_AGAIN : canChoose ? `Trying again. ${ANOTHER_NAME}` : "Trying again"}`;
}

/** Said before the question for another name to who was asked for a password, and may type one again. */
export const NO_PASSWORD_HERE = "Choose another name; all see it, so type no password";

/** Tells in this client's own words that a name is refused: those of the server may look like a question. */
export function notGiven(name: string | undefined, reason: string): string {
  const what = name === undefined ? "does not let you in without a name" : `does not give you the name ${name}`;
  return `The server ${what}: "${reason}"`;
}

/** How a client has become a member. */
export interface Joining {
  name: string | undefined;
  /** Whether it was refused, or told to go, and its user has done something about it. */
  wasRefused: boolean;
  everJoined: boolean;
  /** Whether the server has forgotten all that was before. */
  isNewRoom: boolean;
  /** Whether the user was told that the server does not answer. */
  isSilent: boolean;
}

/** Tells that this client is a member now; undefined if that is no news. */
export function joinNotice({ name, wasRefused, everJoined, isNewRoom, isSilent }: Joining): string | undefined {
  if (wasRefused) return name === undefined ? "Joined" : `Joined as ${name}`;
  if (everJoined && isNewRoom) return "The server has started anew; joined again";
  if (!isSilent) return undefined;
  return everJoined ? CONNECTED_AGAIN : "The server has answered; joined";
}

/** Said when a question for a password is answered behind which this client was told to go. */
export const UNCHANGED_OUT = "Nothing was changed: you are not in the room any more. /join asks to come in again";

/** Why nothing is changed at the server while this client is not in the room; undefined while it may be. */
export function whyUnchanged({ state, isSilent }: { state: string; isSilent: boolean }): string | undefined {
  if (state === "expelled") return UNCHANGED_OUT;
  return isSilent ? "Nothing was changed: the server does not answer at the moment; try again when it does" : undefined;
}

/** Tells who asks to come in again that the password, which it has proven before, is not to be typed. */
export function comingBack(name: string | undefined, keys: Pick<PasswordKeys, "isProtected">): LinkEvent[] {
  if (name === undefined || !keys.isProtected(name)) return [];
  return [{ type: "notice", text: `Asking to come in again as ${name}; no password is asked` }];
}

/** Said when the same room answers again. */
export const CONNECTED_AGAIN = "Connected again";

/** Tells that another name was asked for in vain. */
export function stillNamed(refusal: string, name: string | undefined): string {
  return `${refusal}. ${name === undefined ? "You have no name" : `You are still ${name}`}`;
}

/** Says whose password is wanted, before the first question; `own`: the name to stay with, undefined for none. */
export function firstQuestion(name: string, isAnother: boolean, own: string | undefined): string {
  const otherwise = isAnother ? `to stay ${own ?? "without a name"}` : "for another name";
  return `The name ${name} is registered: its owner's password, or just Enter ${otherwise}`;
}

/** Says before the next question that the answer was wrong, and what else can be done. */
export function nextQuestion(wrong: string): string {
  return `${wrong.replace(/\.$/, "")} (Enter alone gives up; who runs the server can give it a new one)`;
}
