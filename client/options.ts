/**
 * The command line of the client.
 *
 * @module
 */
import { DEFAULT_PORT } from "../protocol.ts";
import { parsePort, readCommandLine } from "../runtime/command_line.ts";
import { readPassword } from "../runtime/given_password.ts";
import { startCommand, UsageError, versionLine } from "../runtime/program.ts";
import { FILE_FLAGS, type FileOptions, readFileFlags } from "./file_flags.ts";
import { readName } from "./given_name.ts";

const HELP = `udp-chat client: joins a room and says what you type to everyone in it.

Usage: ${startCommand("client")} [SERVER [PORT]]

  SERVER, --server SERVER, -sip SERVER   the server's name or address (127.0.0.1)
  PORT, --port PORT, -sp PORT            the server's port (${DEFAULT_PORT})
  --name NAME, -u NAME                   sign in with a name: 1 to 32 letters, digits, _ - .
  --password-file FILE                   the password of the name of -u, in the file's first line; not with --tcp
  --nat                                  there is a NAT also in this computer's own network
  --no-relay                             what you write to one member alone never goes through the server
  --downloads DIR                        the folder for files that you accept (the working folder); not with --tcp
  --send PATH --to NAME                  hands a file to a member, and ends; for scripts, as is --receive
  --wait SECONDS                         how long it waits for that member to come, not for the answer: 0 to 86400 (10)
  --receive DIR --from NAME              takes the next file of a member into a folder, and ends
  --keep                                 takes all files of that member, until Ctrl-C
  --trace                                prints what arrives and is not taken, and why; not with --tcp
  --tcp                                  joins another chat server, over TCP; --name is sent only if the server asks
  --help                                 this text
  --version                              the version

In the room, /help lists the commands; /quit or Ctrl-C leaves.
Where a name is registered, you are asked for its password; before that, for the name of -u, the one of
--password-file or of the environment variable UDP_CHAT_PASSWORD is tried.
In a pipe, the lines of standard input are sent; exit code 0 when all of them have arrived, 1 when not.
With --tcp nobody says what has arrived: 0 when all of them were sent.
With --send and --receive nothing is read, and nothing of the chat is shown: 0 when the file has arrived, 1 when not,
2 when there is no such file or folder. --receive prints the path of each file on standard output.`;

/** The options of the command line. */
export interface ClientOptions {
  server: string;
  port: number;
  name?: string;
  /** The password of the name, as it is hashed. */
  password?: string;
  /** Whether private texts may go through the server; not together with `tcp`. */
  relay: boolean;
  /** Whether to print what arrives and is not taken; not together with `tcp`. */
  trace: boolean;
  tcp: boolean;
  /** Where files go, and whether only one is to be sent or received. */
  files: FileOptions;
  /** Whether there is a NAT where none is to be expected. */
  nat: boolean;
}

const NO_ARGUMENT = "A password is not taken from the command line, where others on this computer can read it: " +
  "put it into a file and give --password-file FILE, or set UDP_CHAT_PASSWORD";
const SERVER_GIVEN_TWICE = "The server or its port is given twice; --help shows how";

/**
 * Reads the command line. Returns the text to print if it asks for one.
 *
 * @throws {UsageError} for what can't be meant.
 */
export function readOptions(args: string[]): ClientOptions | string {
  if (args.some((arg) => /^--password(?:=|$)/.test(arg))) throw new UsageError(NO_ARGUMENT);
  const read = readCommandLine(args, {
    string: ["port", "server", "name", "password-file", ...FILE_FLAGS.string],
    boolean: ["tcp", "relay", "nat", "trace", "help", "version", ...FILE_FLAGS.boolean],
    negatable: ["relay"],
    collect: FILE_FLAGS.string,
    values: FILE_FLAGS.values,
    default: { relay: true },
    singleDash: { "-sip": "--server", "-sp": "--port", "-u": "--name" },
    positional: 2,
  });
  if (read.help) return HELP;
  if (read.version) return versionLine("udp-chat client");
  if (read.tcp && read.trace) throw new UsageError("--trace is for UDP; with --tcp all that arrives is shown anyway");
  if (read.tcp && !read.relay) throw new UsageError("--no-relay is for UDP; with --tcp all goes through the server");
  if (read.tcp && read.nat) throw new UsageError("--nat is for UDP; with --tcp there are no proofs of passwords");
  if (read.tcp && read["password-file"] !== undefined) {
    throw new UsageError("--password-file is for UDP; with --tcp nothing is sent but what you type");
  }
  if (read.name === undefined && read["password-file"] !== undefined) {
    throw new UsageError("--password-file is for the name of -u");
  }
  const [first, second] = read._ as string[];
  const flagCount = [read.server, read.port].filter((value) => value !== undefined).length;
  if (read._.length + flagCount > 2) throw new UsageError(SERVER_GIVEN_TWICE);
  const others = {
    ...{ name: readName(read.name), tcp: read.tcp, relay: read.relay, trace: read.trace, nat: read.nat },
    // a password in the environment is of no name that is chosen later
    files: readFileFlags(read),
    password: read.tcp || read.name === undefined ? undefined : readPassword(read["password-file"]),
  };
  // a number alone is a port
  if (read._.length === 1 && flagCount === 0 && /^\d+$/.test(first)) {
    return { server: "127.0.0.1", port: parsePort(first), ...others };
  }
  const wanted: string = read.server ?? first ?? "127.0.0.1";
  // 127.0.0.1:9090 or [::1]:9090 in one argument, as other programs accept it
  const [, bracketed, plain, portOfServer] = /^(?:\[([^\]]*)\]|([^:]*)):([^:]*)$/.exec(wanted) ?? [];
  const server = bracketed ?? plain ?? wanted;
  const otherPort = read.port ?? (read.server === undefined ? second : first);
  if (portOfServer !== undefined && otherPort !== undefined) throw new UsageError(SERVER_GIVEN_TWICE);
  return { server, port: parsePort(portOfServer ?? otherPort ?? String(DEFAULT_PORT)), ...others };
}
