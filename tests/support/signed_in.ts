/**
 * Clients with a name, as processes.
 *
 * @module
 */
import { commandOf, type Member, start } from "../../scripts/support/processes.ts";

/** Where a client runs and where its server is. */
export interface SignInOptions {
  /** The server's address; this machine's unless told otherwise. */
  host?: string;
  /** What the command is to be put into, so that it runs elsewhere. */
  inside?: (command: string[]) => string[];
}

/** Starts a client in a pipe, signs in with a name, and waits until the room has heard it say `here`. */
export async function signIn(
  port: number,
  name: string,
  { host = "127.0.0.1", inside = (command) => command }: SignInOptions = {},
): Promise<Member> {
  const client = start(inside([...commandOf("client"), "-u", name, host, String(port)]));
  try {
    await client.type("here\n");
    const [, address] = await client.stdout.until(new RegExp(`^<From (\\S+):${name}>: here\n`, "m"));
    return { ...client, address };
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw error;
  }
}
