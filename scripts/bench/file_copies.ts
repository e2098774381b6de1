/**
 * Lets whole programs hand over a file on this machine, and measures how long it takes and what it costs them.
 *
 * @module
 */
import { openNamespaces } from "../support/netns.ts";
import { commandOf, type Process, start } from "../support/processes.ts";
import { output } from "./competitors.ts";
import { startListening } from "./measure.ts";

/** By which way a file goes: from client to client, through the server, or by `nc` over TCP. */
export type CopyWay = "direct" | "relayed" | "tcp";

/** What a copy took. */
export interface Copy {
  way: CopyWay;
  round: number;
  /** The size of the file, in bytes. */
  bytes: number;
  /** From the start of the sending program until the file is whole at the other end, in seconds. */
  seconds: number;
  /** Processor time, in seconds; of the server while the file passed, undefined where there is none. */
  senderCpu: number;
  receiverCpu: number;
  serverCpu?: number;
  /** The most resident memory of both ends until so much of the file was there, in bytes. */
  memory: { share: number; sender: number; receiver: number }[];
}

/** At which shares of the file the memory is noted. */
const SHARES = [0.1, 0.5, 1];
/** How often processes are looked at, in milliseconds. What they use after the last look is not counted. */
const LOOK_MS = 10;
/** How long programs may take to start, in milliseconds; and how slow a copy may be, in bytes a second. */
const START_MS = 30_000, SLOWEST = 1_000_000;
/** A tick of the processor time in /proc, in seconds. */
const TICK = 0.01;
const HOST = "127.0.0.1";
/** The words in front of a command that runs it where the programs of a copy are. */
type Inside = (command: string[]) => string[];

/** Makes a file of so many bytes, all zero, which takes no room on the disk, and returns its path. */
export async function makeFile(folder: string, bytes: number): Promise<string> {
  const path = `${folder}/${bytes}.bin`;
  await Deno.writeFile(path, new Uint8Array());
  await Deno.truncate(path, bytes);
  return path;
}

/** How much of a file has come to a folder, in bytes: also of one that still has its first name. */
export function bytesIn(folder: string): number {
  let bytes = 0;
  for (const { name } of Deno.readDirSync(folder)) {
    try {
      bytes += Deno.statSync(`${folder}/${name}`).size;
    } catch {
      // it has just got another name
    }
  }
  return bytes;
}

/** Whether there is the `nc` that most systems have; others have other flags. */
export async function hasNc(): Promise<boolean> {
  return (await output(["sh", "-c", "nc -h 2>&1 || true"]))?.includes("OpenBSD") ?? false;
}

/** Copies a file, or returns the reason why this system can't in this way. */
export async function copyFile(way: CopyWay, bytes: number, folder: string): Promise<Omit<Copy, "round"> | string> {
  const source = await makeFile(folder, bytes), target = await Deno.makeTempDir({ dir: folder });
  try {
    if (way === "tcp") return await copyByTcp(source, bytes, target);
    if (way === "direct") return await copyByClients(way, source, bytes, target, (command) => command);
    // a network of its own, in which clients reach only the server
    const place = await openNamespaces(["here"], () => [], ["nft"]);
    if (typeof place === "string") return place;
    await using _place = place;
    const closeDirectWay = (port: number) =>
      place.run(
        "here",
        ["nft", "-f", "-"],
        `table inet direct {
           chain out {
             type filter hook output priority 0
             udp sport ${port} accept
             udp dport ${port} accept
             meta l4proto udp drop
           }
         }`,
      );
    return await copyByClients(way, source, bytes, target, (it) => place.inside("here", it), closeDirectWay);
  } finally {
    await Deno.remove(target, { recursive: true });
    await Deno.remove(source);
  }
}

async function copyByClients(
  way: CopyWay,
  source: string,
  bytes: number,
  target: string,
  inside: Inside,
  prepare: (port: number) => Promise<unknown> = () => Promise.resolve(),
): Promise<Omit<Copy, "round">> {
  // the limit for what the server passes on is a choice, and here it would be all that is measured
  await using server = await startListening(inside([...commandOf("server"), "0", "--relay-rate", "0"]), START_MS);
  await prepare(server.port);
  const client = (...words: string[]) => start(inside([...commandOf("client"), ...words, HOST, String(server.port)]));
  await using receiver = client("-u", "Bob", "--receive", target, "--from", "Alice");
  await server.stdout.until(/connected at/, START_MS);
  const serverBefore = processorTime(server.pid) ?? NaN, began = performance.now();
  await using sender = client("-u", "Alice", "--send", source, "--to", "Bob");
  const watch = watchEnds({ sender, receiver }, () => bytesIn(target) / bytes);
  try {
    const [shown] = await Promise.all([
      receiver.stderr.until(/^-- .*$/m, copyTime(bytes)).then(() => performance.now()),
      sender.exitCode(copyTime(bytes)),
      receiver.exitCode(copyTime(bytes)),
    ]);
    const serverCpu = (processorTime(server.pid) ?? NaN) - serverBefore;
    return { way, bytes, seconds: (shown - began) / 1000, serverCpu, ...watch.stop() };
  } finally {
    watch.stop();
  }
}

async function copyByTcp(source: string, bytes: number, target: string): Promise<Omit<Copy, "round">> {
  await using receiver = start(["sh", "-c", `exec nc -v -d -l ${HOST} 0 >'${target}/file'`]);
  const [, port] = await receiver.stderr.until(/^Listening on \S+ (\d+)$/m, START_MS);
  const began = performance.now();
  await using sender = start(["sh", "-c", `exec nc -N ${HOST} ${port} <'${source}'`]);
  const watch = watchEnds({ sender, receiver }, () => bytesIn(target) / bytes);
  try {
    await Promise.all([sender.exitCode(copyTime(bytes)), receiver.exitCode(copyTime(bytes))]);
    const seconds = (performance.now() - began) / 1000;
    if (bytesIn(target) !== bytes) throw new Error(`nc: ${receiver.stderr.text().trim() || "not all has arrived"}`);
    return { way: "tcp", bytes, seconds, ...watch.stop() };
  } finally {
    watch.stop();
  }
}

function copyTime(bytes: number): number {
  return START_MS + 1000 * bytes / SLOWEST;
}

/** Looks at both ends of a copy again and again. */
function watchEnds({ sender, receiver }: Record<"sender" | "receiver", Process>, share: () => number) {
  const result = { senderCpu: 0, receiverCpu: 0, memory: [] as Copy["memory"] };
  const most = { sender: 0, receiver: 0 };
  const look = () => {
    result.senderCpu = processorTime(sender.pid) ?? result.senderCpu;
    result.receiverCpu = processorTime(receiver.pid) ?? result.receiverCpu;
    most.sender = mostMemory(sender.pid) ?? most.sender;
    most.receiver = mostMemory(receiver.pid) ?? most.receiver;
    for (let next; (next = SHARES[result.memory.length]) < 1 && share() >= next;) {
      result.memory.push({ share: next, ...most });
    }
  };
  const timer = setInterval(look, LOOK_MS);
  return {
    stop() {
      clearInterval(timer);
      // what was over too soon has its end only
      return { ...result, memory: [...result.memory, { share: 1, ...most }] };
    },
  };
}

/** How much processor time a process has taken, in seconds; undefined when it has ended, or the system does not say. */
function processorTime(pid: number): number | undefined {
  try {
    const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /, "").split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK;
  } catch {
    return undefined;
  }
}

/** The most resident memory that a process has had, in bytes. */
function mostMemory(pid: number): number | undefined {
  try {
    const [, kilobytes] = /^VmHWM:\s*(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`)) ?? [];
    return kilobytes === undefined ? undefined : 1024 * Number(kilobytes);
  } catch {
    return undefined;
  }
}
