/**
 * The commands by which a user protects a name by a password.
 *
 * @module
 */
import type { AccountChange } from "../session/account.ts";
import type { Command, CommandContext } from "./command.ts";

/** The commands for one's own name. */
export const ACCOUNT_COMMANDS: Command[] = [
  {
    names: ["register"],
    parameters: [],
    summary: "protects your name: from then on only who knows its password gets it",
    run: (context) => changeAccount("register", context),
  },
  {
    names: ["password"],
    parameters: [],
    summary: "changes the password of your name",
    run: (context) => changeAccount("password", context),
  },
  {
    names: ["unregister"],
    parameters: [],
    summary: "gives the protection of your name up",
    run: (context) => changeAccount("unregister", context),
  },
];

/** Begins what the user is asked for passwords for. */
function changeAccount(change: AccountChange, { session, now, interactive }: CommandContext): void {
  if (interactive) session.changeAccount(change, now);
  else session.rejectLine(`/${change} asks for a password, which does not come from a pipe: type it in a terminal`);
}
