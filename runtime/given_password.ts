/**
 * The password that a user gives beforehand: in a file, or in the environment. It is never an argument, because others
 * on the same machine can read those.
 *
 * @module
 */
import { preparePassword } from "../protocol/passwords.ts";
import { UsageError } from "./program.ts";

/** The variable of the environment that may have it. */
const VARIABLE = "UDP_CHAT_PASSWORD";
/** How much of the file is read: more than the longest password has. */
const MAX_BYTES = 4096;

/**
 * Returns the password in the first line of a file, or else that of the environment, as it is hashed; undefined if
 * there is none. An environment that this program may not read has none.
 *
 * @throws {UsageError} if the file can't be read, or what is there can't be a password.
 */
export function readPassword(path: string | undefined): string | undefined {
  const text = path === undefined ? fromEnvironment() : firstLineOf(path);
  if (text === undefined) return undefined;
  const password = preparePassword(text);
  if (password !== undefined) return password;
  const where = path === undefined ? `In ${VARIABLE}` : `In the first line of ${path}`;
  throw new UsageError(`${where} there is no password: it has 1 to 128 characters, and no control characters`);
}

function fromEnvironment(): string | undefined {
  // to ask for the permission would stop the program
  const { state } = Deno.permissions.querySync({ name: "env", variable: VARIABLE });
  return state === "granted" ? Deno.env.get(VARIABLE) || undefined : undefined;
}

function firstLineOf(path: string): string {
  try {
    using file = Deno.openSync(path);
    const bytes = new Uint8Array(MAX_BYTES);
    let length = 0, read: number | null;
    // a pipe hands it over in pieces
    while (length < MAX_BYTES && !bytes.subarray(0, length).includes(0x0a)) {
      read = file.readSync(bytes.subarray(length));
      if (read === null) break;
      length += read;
    }
    return new TextDecoder().decode(bytes.subarray(0, length)).split("\n")[0].replace(/\r$/, "");
  } catch (error) {
    if (!(error instanceof Error) || error instanceof Deno.errors.NotCapable) throw error;
    const why = error instanceof Deno.errors.NotFound ? "there is no such file" : error.message;
    throw new UsageError(`The password can't be read from ${path}: ${why.replace(/ \(os error \d+\).*$/, "")}`);
  }
}
