/**
 * What a session has to show to its user, before it is put into words and colours.
 *
 * @module
 */
import type { Presence } from "../protocol.ts";
import type { Said } from "../protocol/text.ts";

/** One thing to show. */
export type Shown =
  /** What a member said to everyone; `at` in Unix milliseconds. */
  | Said & { kind: "message"; at: number; own: boolean }
  /** What a classic server forwarded, as it came. */
  | { kind: "line"; line: string }
  /** Who came or went; `at` in Unix milliseconds. */
  | { kind: "presence"; online: boolean; members: Presence[]; at: number }
  /** How things stand. */
  | { kind: "notice"; text: string }
  /** What went wrong, and what to do about it. */
  | { kind: "problem"; text: string };
