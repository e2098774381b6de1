/**
 * What a session asks of the disk, and what it gets: files are read, hashed and written behind this interface.
 *
 * @module
 */

/** Why a file can't be read or written. */
export type FileProblem =
  /** There is none. */
  | "not-found"
  /** It is a folder, a pipe or the like. */
  | "not-a-file"
  /** The system does not allow it, or Deno was not given the permission. */
  | "no-permission"
  /** It is not what it was when it was offered. */
  | "changed"
  | "disk-full"
  /** What has arrived has not the hash that was offered. */
  | "wrong-hash"
  /** Anything else. */
  | "failed";

/**
 * What is asked. `job` names the transfer: each has one file. Requests of one job are done in their order; each is
 * answered by one result, unless the job was closed before.
 */
export type FileRequest =
  /** Opens a file to send, and hashes it. */
  | { ask: "inspect"; job: number; path: string }
  /** Reads a part of it. */
  | { ask: "read"; job: number; at: number; length: number }
  /** Opens the partial file of one that comes, or goes on with one that is there. */
  | { ask: "create"; job: number; name: string; size: number; hash: string }
  /** Writes what is next. */
  | { ask: "write"; job: number; at: number; octets: Uint8Array }
  /** Checks the hash of the whole, and gives the file its final name. */
  | { ask: "finish"; job: number }
  /** Lets go of the file; a partial one stays, to go on with it later, unless nothing of it is there. */
  | { ask: "close"; job: number };

/** What has become of a request. */
export type FileResult =
  /** `name` without the folder, as it is on the disk; `hash` is the SHA-256 in hexadecimal digits; `size` in bytes. */
  | { is: "inspected"; job: number; name: string; size: number; hash: string }
  | { is: "read"; job: number; at: number; octets: Uint8Array }
  /** So many bytes of it are there already. */
  | { is: "created"; job: number; have: number }
  /** So many bytes of it are there now. */
  | { is: "written"; job: number; have: number }
  /** It is whole, under this path as the user would type it. */
  | { is: "finished"; job: number; path: string }
  /** `text` says it to this client's user in one sentence without a full stop, with the path and what to do. */
  | { is: "failed"; job: number; problem: FileProblem; text: string };

/** The disk. */
export interface Files {
  /** What the folder that files come to is called for the user, safe to print. */
  readonly folder: string;
  /** Asks for something. The result comes later by a callback of the implementation, never within this call. */
  request(request: FileRequest): void;
}
