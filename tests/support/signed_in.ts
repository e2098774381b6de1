/**
 * Starts clients that sign in with a name, as processes.
 *
 * @module
 */
import { commandOf, type JoinedClient, start } from "../../scripts/support/processes.ts";

/** Where a client runs and where its server is. */
export interface SignInOptions {
  /** The server's address; by default that of this machine. */
  host?: string;
  /** Further flags. */
  flags?: string[];
  /** Wraps the command, so that it runs in another place. */
  inside?: (command: string[]) => string[];
}

/** Starts a client, signs in with a name, and waits until the room has sent back its message `here`. */
export async function signIn(
  port: number,
  name: string,
  { host = "127.0.0.1", flags = [], inside = (command) => command }: SignInOptions = {},
): Promise<JoinedClient> {
  const client = start(inside([...commandOf("client"), "-u", name, ...flags, host, String(port)]));
  try {
    await client.type("here\n");
    const [, address] = await client.stdout.until(new RegExp(`^<From (\\S+):${name}>: here\n`, "m"));
    return { ...client, address };
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw error;
  }
}
