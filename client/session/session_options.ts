/**
 * What a session is made with.
 *
 * @module
 */
import type { Files } from "../files/files.ts";
import type { PasswordOptions } from "./password_keys.ts";
import type { Send } from "./self.ts";
import type { Shown } from "./shown.ts";
import type { V1LinkOptions } from "./v1_link.ts";

/** What a session is made with. */
export interface SessionOptions extends Pick<V1LinkOptions, "hash"> {
  /** The server, as the user gave it; for notices. */
  server: string;
  /** The address that is greeted; `server` if that is one. */
  address?: string;
  /** The name to sign in with; none to join without one. */
  name?: string;
  /** Sends a packet to the server, or to the address of a peer. */
  send: Send;
  /** Shows something to the user. */
  show: (shown: Shown) => void;
  /** A number from 0 to 1; Math.random unless told otherwise. */
  random?: () => number;
  /** Whether private texts may go through the server where there is no direct way. Default true. */
  relay?: boolean;
  /** What the server knows this client by: 64 bits as 16 hexadecimal digits. Random unless told otherwise. */
  token?: string;
  /** What it takes to prove a password. Default: names that have one can't be had. */
  passwords?: PasswordOptions;
  /** The disk that files come from and go to. Default: there is none, and none are sent or taken. */
  files?: Files;
  /** Returns the Unix time in milliseconds, for people; by default the `now` of the call is taken for it. */
  wallClock?: () => number;
}
