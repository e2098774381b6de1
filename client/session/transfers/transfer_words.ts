/**
 * Why a transfer has ended, in words.
 *
 * @module
 */
import type { FileProblem } from "../../files/files.ts";

/** What is said where the octets that are there stay there. */
export const GOES_ON = "offered again, it goes on where it was";
/** Without a sign of the other member for so long a transfer is over, in milliseconds. */
export const SILENCE_MS = 30_000;

/** The codes of an END that this client writes. */
export type EndCode =
  | "done"
  | "declined"
  | "cancelled"
  | "left"
  | "changed"
  | "disk-full"
  | "no-permission"
  | "failed"
  | "wrong-hash"
  | "wrong-data"
  | "busy"
  | "unknown"
  | "no-files"
  | "no-way";

/** What the other member is told of a problem with a file here. */
export function codeOf(problem: FileProblem): EndCode {
  return problem === "not-found" || problem === "not-a-file" ? "failed" : problem;
}

/** Why a file did not get to a member that has ended the transfer; `isUnderWay`: some of it is there. */
export function whyNotThere(code: string, peer: string, isUnderWay: boolean): string {
  const goesOn = isUnderWay ? `; ${GOES_ON}` : "";
  switch (code) {
    case "declined":
      return `${peer} does not want it`;
    case "cancelled":
      return `${peer} has ended it${goesOn}`;
    case "left":
      return `${peer} has left${goesOn}`;
    case "disk-full":
      return `the disk of ${peer} is full${goesOn}`;
    case "no-permission":
      return `${peer} may not write files where it wants them`;
    case "failed":
      return `${peer} can't write it`;
    case "wrong-hash":
      return "what has arrived is not what was sent; offer it again";
    case "done":
    case "wrong-data":
      return `the program of ${peer} does not do as it should`;
    case "busy":
      return `too many files are offered to ${peer}; offer it again later`;
    case "unknown":
      return `the program of ${peer} knows of it no more${goesOn}`;
    case "no-way":
      return `${peer} takes nothing through the server, and there is no direct way`;
    case "no-files":
      return `the program of ${peer} can't take files`;
    default:
      return `${peer} has ended it (${code})`;
  }
}

/** Why a file of a member that has ended the transfer did not get here; `isUnderWay`: some of it is here. */
export function whyNotHere(code: string, peer: string, isUnderWay: boolean): string {
  const goesOn = isUnderWay ? `; ${GOES_ON}` : "";
  switch (code) {
    case "cancelled":
      return `${peer} has ended it${goesOn}`;
    case "left":
      return `${peer} has left${goesOn}`;
    case "no-way":
      return `${peer} sends nothing through the server, and there is no direct way`;
    case "changed":
      return `it was changed while ${peer} was sending it`;
    case "no-permission":
    case "failed":
    case "disk-full":
      return `${peer} can't read it any more`;
    case "unknown":
      return `the program of ${peer} knows of it no more${goesOn}`;
    case "wrong-data":
      return `the programs do not understand each other`;
    default:
      return `${peer} has ended it (${code})`;
  }
}

/** Without progress for so long a transfer that was accepted is over, in milliseconds. */
export const STALL_MS = 300_000;
/** A sentence on one that has made none. */
export const WHY_STALLED = `nothing more of it has arrived for ${STALL_MS / 60_000} minutes; ${GOES_ON}`;

/** A sentence on a member that has given no sign of life; whether octets were on their way. */
export function whySilent(peer: string, isUnderWay: boolean): string {
  const silent = `nothing has come from ${peer} for ${SILENCE_MS / 1000} seconds`;
  return isUnderWay ? `${silent}; ${GOES_ON}` : silent;
}
