/**
 * Tells members to go.
 *
 * @module
 */
import type { Admission } from "./admission.ts";
import type { Announcements } from "./announcements.ts";
import type { OrderTargets } from "./order_targets.ts";
import { because, byWhom } from "./order_words.ts";
import { type OrderCommand, TOLD } from "./orders.ts";

/** What kicks need of the room. */
export interface KickContext {
  admission: Admission;
  announcements: Announcements;
  targets: OrderTargets;
}

/** The command that tells a member to go. */
export function kickCommands({ admission, announcements, targets }: KickContext): OrderCommand[] {
  return [{
    word: "kick",
    parameters: ["NAME"],
    optional: "REASON",
    summary: "tells a member to go; it may come back after a minute",
    run: (giver, now, who, reason) => {
      const member = targets.findFor(giver, who, now), name = targets.nameFor(member, who, now);
      const kicked = `kicked${byWhom(giver)}`;
      const why = because(reason), expulsion = { code: "kicked", text: `You were ${kicked}${why}` } as const;
      admission.expel(member, expulsion, now, `${kicked}${why.replace(/^: (.*)$/, " ($1)")}`);
      announcements.tell(`${name} was ${kicked}${why}`, now);
      return TOLD;
    },
  }];
}
