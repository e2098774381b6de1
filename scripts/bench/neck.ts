/**
 * A server and its clients in network namespaces of their own, with a bottleneck between them (Linux, root).
 *
 * @module
 */
import { openNamespaces } from "../support/netns.ts";
import { start } from "../support/processes.ts";

/** How narrow a bottleneck is, each way. */
export interface NeckOptions {
  bitsPerSecond: number;
  /** How many bytes of packets may wait; what comes then is dropped. */
  queueBytes: number;
  /** How long a packet travels after it has left the queue, in milliseconds. */
  delay: number;
  /** The share of packets that are lost at random before the queue, in percent. */
  loss: number;
}

/** What has come to a bottleneck in one direction: packets of IP, bytes of them, and how many went no further. */
export interface Count {
  packets: number;
  bytes: number;
  /** By the full queue. */
  dropped: number;
  /** At random. */
  lost: number;
}

/** The counts of one direction. */
export interface Counts {
  udp: Count;
  tcp: Count;
}

/** What has come to a bottleneck so far. */
export interface Passed {
  toClients: Counts;
  toServer: Counts;
}

/** A bottleneck that is open. Disposing of it deletes the namespaces. */
export interface Neck extends AsyncDisposable {
  /** The words that run a command on one side of the bottleneck. */
  inside(place: Place, command: string[]): string[];
  passed(): Promise<Passed>;
}

type Place = "server" | "clients";

/** Where the server is, seen by the clients. */
export const SERVER = "10.77.0.1";

/**
 * Opens a bottleneck, or returns the reason why this system can't have one.
 *
 * @param forwarder The compiled neck.c.
 */
export async function openNeck(forwarder: string, options: NeckOptions): Promise<Neck | string> {
  if (!await Deno.stat("/dev/net/tun").then(() => true, () => false)) return "there is no /dev/net/tun";
  const namespaces = await openNamespaces<Place>(["server", "clients"], () => [], []);
  if (typeof namespaces === "string") return namespaces;
  const { bitsPerSecond, queueBytes, delay, loss } = options;
  const numbers = [bitsPerSecond, queueBytes, delay, loss].map(String);
  const program = start([forwarder, namespaces.name("server"), namespaces.name("clients"), ...numbers]);
  const close = async () => {
    await program[Symbol.asyncDispose]();
    await namespaces[Symbol.asyncDispose]();
  };
  try {
    await program.stdout.until(/^ready\n/);
    const addresses: [Place, string][] = [["server", SERVER], ["clients", "10.77.0.2"]];
    for (const [place, address] of addresses) {
      const commands = `echo 1 >/proc/sys/net/ipv6/conf/neck/disable_ipv6 || true
        ip addr add ${address}/24 dev neck
        ip link set neck up`;
      await namespaces.run(place, ["sh", "-ec", commands]);
    }
  } catch (error) {
    await close();
    return `this system does not let a bottleneck be made: ${(error as Error).message.split("\n")[0]}`;
  }
  let lines = 0;
  return {
    inside: namespaces.inside,
    async passed() {
      const number = ++lines;
      await program.type("\n");
      const [, line] = await program.stdout.until(new RegExp(`^ready\n(?:.*\n){${number - 1}}(.*)\n`));
      const { toFirst, toSecond } = JSON.parse(line);
      return { toClients: toSecond, toServer: toFirst };
    },
    [Symbol.asyncDispose]: close,
  };
}
