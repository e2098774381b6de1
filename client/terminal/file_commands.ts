/**
 * The commands by which members hand files to each other.
 *
 * @module
 */
import type { TransferControl } from "../session/transfers/transfer.ts";
import type { Command, CommandContext } from "./command.ts";

/** The commands for files. */
export const FILE_COMMANDS: Command[] = [
  {
    names: ["file", "sendfile"],
    parameters: ["NAME", "PATH"],
    summary: "offers a file to one member, who can take it or not",
    run: ({ transfers, now }, name, path) => transfers.offer(name, path, now),
  },
  {
    names: ["accept"],
    parameters: [],
    optional: "NUMBER",
    summary: "takes the file that is offered to you; NUMBER says which if there are several",
    run: (context, number) => choose("accept", context, number),
  },
  {
    names: ["decline"],
    parameters: [],
    optional: "NUMBER",
    summary: "refuses the file that is offered to you; NUMBER says which if there are several",
    run: (context, number) => choose("decline", context, number),
  },
  {
    names: ["files"],
    parameters: [],
    summary: "lists the files that are offered or under way, with their numbers",
    run: ({ transfers, now }) => transfers.list(now),
  },
  {
    names: ["cancel"],
    parameters: [],
    optional: "NUMBER",
    summary: "ends a file that is offered or under way, yours or theirs",
    run: (context, number) => choose("cancel", context, number),
  },
];

/** Does something with one of the files; with the only one unless a number is given. */
function choose(
  what: keyof Pick<TransferControl, "accept" | "decline" | "cancel">,
  { transfers, session, now }: CommandContext,
  value: string | undefined,
): void {
  if (value !== undefined && !/^[1-9]\d{0,8}$/.test(value)) {
    session.rejectLine(`/${what} takes the number of a file, as /files lists them`);
  } else transfers[what](value === undefined ? undefined : Number(value), now);
}
