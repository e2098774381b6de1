/**
 * Measures whether the server still answers sign-ins and messages that arrive during broadcasts to a huge room.
 *
 * @module
 */
import { decode, encode, type V1Packet } from "../../protocol.ts";
import { randomHex64 } from "../../protocol/fields.ts";
import { datagrams, openSocket } from "../../runtime/udp.ts";
import type { Toolchains } from "./competitors.ts";
import { type Cores, residentMemory, startOnCore, stayOffServer } from "./measure.ts";
import { quantile, readable } from "./table.ts";
import { type Process, start } from "../support/processes.ts";

/** The size of the room, and what the probe sends. */
export interface FairnessOptions {
  /** The number of classic members, each of which receives every broadcast. */
  members: number;
  /** The number of sign-ins and greetings that are sent during the broadcasts, at even intervals. */
  requests: number;
  /** The number of messages that are sent, so that the server never stops broadcasting. */
  messages: number;
  cores: Cores;
  progress: (line: string) => void;
}

/** The result; times in milliseconds. */
export interface FairnessResult {
  members: number;
  /** What one member adds to the server's resident memory, in bytes. */
  memoryPerMember: number;
  /** The time of one broadcast when the server does nothing else. */
  broadcast: number;
  /** Copies that arrived, that the measuring program lost because its receive buffers were full, and that were due. */
  copies: { arrived: number; overflow: number; expected: number };
  /** Datagrams that the kernel dropped because the server's receive buffer was full; undefined off Linux. */
  dropped: number | undefined;
  requests: Answers;
  messages: Answers;
}

/** How many datagrams were sent and answered, and the delay of the answers in milliseconds. */
export interface Answers {
  sent: number;
  answered: number;
  median: number;
  p99: number;
}

/** The number of sockets that send requests. Each signs in first, and greets with its token from then on. */
const SOCKETS = 200;
/** How long the last answer may take, and how long a huge room may take to join, in milliseconds. */
const PATIENCE_MS = 20_000, JOINING_MS = 120_000;

/** Fills a room and probes it. */
export async function measureFairness({ competitors, load }: Toolchains, options: FairnessOptions) {
  const { members, requests, messages, cores, progress } = options;
  const ours = competitors.find(({ key }) => key === "ours")!;
  await using server = await startOnCore(ours.command, cores);
  const { port } = server;
  await using _place = await stayOffServer(cores);
  const empty = residentMemory(server.pid) ?? NaN;
  await using crowd = start([...cores.load, ...load, "hold", String(port), String(members)]);
  await crowd.stdout.until(/\{"members":\d+\}\n/, JOINING_MS);
  const memoryPerMember = ((residentMemory(server.pid) ?? NaN) - empty) / members;
  progress(`fairness: ${members} members have joined`);

  const alone = await broadcast(crowd, 1);
  await using probe = await openProbe(port);
  const droppedBefore = kernelDrops(port);
  // one broadcast to begin with; the probe's messages cause the others, which fill the time that the probe takes
  const firstBroadcast = broadcast(crowd, 2);
  const answers = await probe.run(requests, messages, alone.ms * (messages + 1));
  await firstBroadcast;
  const droppedAfter = kernelDrops(port);
  await crowd.endInput();
  await crowd.exitCode();
  const [end] = crowd.stdout.text().trim().split("\n").slice(-1);
  const { copies: arrived, overflow }: { copies: number; overflow: number } = JSON.parse(end);
  const result: FairnessResult = {
    members,
    memoryPerMember,
    broadcast: alone.ms,
    copies: { arrived, overflow, expected: members * (2 + messages) },
    dropped: droppedAfter === undefined ? undefined : droppedAfter - (droppedBefore ?? 0),
    ...answers,
  };
  return result;
}

/** Formats the result as a paragraph. */
export function formatFairness({ members, memoryPerMember, broadcast, copies, dropped, ...answers }: FairnessResult) {
  const share = ({ sent, answered, median, p99 }: Answers) =>
    `${answered} of ${sent} answered, median ${readable(median)} ms, p99 ${readable(p99)} ms`;
  const number = (value: number) => value.toLocaleString("en-US");
  return [
    `A broadcast to ${number(members)} members takes ${readable(broadcast)} ms; ` +
    `each member takes ${readable(memoryPerMember)} bytes of the server's memory.`,
    `While one follows another: sign-ins and greetings: ${share(answers.requests)};`,
    `messages: ${share(answers.messages)};`,
    `dropped by the kernel on the way in: ${dropped ?? "not known here"};`,
    `copies that arrived: ${number(copies.arrived)} of ${number(copies.expected)}, ` +
    `and ${number(copies.overflow)} found the receivers' buffers full.`,
  ].join("\n");
}

/** Lets a member of the crowd say something, for the `count`th time, and waits until all members have received it. */
async function broadcast(crowd: Process, count: number): Promise<{ copies: number; ms: number }> {
  await crowd.type("say\n");
  const [line] = (await crowd.stdout.until(new RegExp(`(?:\\{"copies".*"ms".*\\}\\n){${count}}`), PATIENCE_MS))
    .at(0)!.trim().split("\n").slice(-1);
  return JSON.parse(line);
}

/** Opens sockets that send requests and messages, and note when the answers arrive. */
async function openProbe(port: number) {
  const to: Deno.NetAddr = { transport: "udp", hostname: "127.0.0.1", port };
  const stream = randomHex64();
  const requestedAt = new Map<number, number>(), saidAt = new Map<number, number>();
  const delays = { requests: [] as number[], messages: [] as number[] };
  const tokens = Array.from({ length: SOCKETS }, () => randomHex64());
  const cookies: string[] = [], isNamed: boolean[] = [];
  let onAnswer = () => {};
  const receive = (packet: V1Packet, socket: number) => {
    if (packet.type === "WELCOME") isNamed[socket] = true;
    if (packet.type === "RETRY") cookies[socket] = packet.cookie;
    const isEcho = packet.type === "INCOMING" && packet.stream === stream;
    if (packet.type !== "WELCOME" && packet.type !== "RETRY" && !isEcho) return;
    const [sent, answered] = isEcho ? [saidAt, delays.messages] : [requestedAt, delays.requests];
    const at = sent.get(packet.id!);
    if (at === undefined || isEcho && socket > 0) return;
    sent.delete(packet.id!);
    answered.push(performance.now() - at);
    onAnswer();
  };
  const sockets = Array.from({ length: SOCKETS }, (_, socket) => {
    const conn = openSocket("127.0.0.1", 0);
    (async () => {
      for await (const { bytes } of datagrams(conn)) {
        const decoded = decode(bytes);
        if (decoded.ok && decoded.packet.dialect === "v1") receive(decoded.packet, socket);
      }
    })();
    return conn;
  });
  const send = (socket: number, packet: V1Packet) => void sockets[socket].send(encode(packet), to).catch(() => {});
  const request = (id: number) => {
    const socket = id % SOCKETS, token = tokens[socket], cookie = cookies[socket];
    requestedAt.set(id, performance.now());
    // a client joins when it sends back its cookie, so it signs in twice
    if (isNamed[socket]) send(socket, { dialect: "v1", type: "GREETING", id, token });
    else send(socket, { dialect: "v1", type: "SIGN-IN", id, token, cookie, name: `probe-${socket}` });
  };
  const say = (id: number) => {
    saidAt.set(id, performance.now());
    const text = `${"x".repeat(92)}ffffffff`; // ends in a number that the crowd does not wait for
    send(0, { dialect: "v1", type: "MESSAGE", token: tokens[0], stream, id, text });
  };
  /** Waits until all requests and messages are answered, or until `patience` milliseconds have passed. */
  const allAnswered = (patience: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patience);
      onAnswer = () => {
        if (requestedAt.size + saidAt.size > 0) return;
        clearTimeout(timer);
        resolve();
      };
      onAnswer();
    });

  const probe = {
    /** Sends so many requests and messages, at even intervals over `time` milliseconds, and waits for the answers. */
    async run(requests: number, messages: number, time: number) {
      await evenly(time, [[requests, (i) => request(2 * SOCKETS + i)], [messages, (i) => say(i + 1)]]);
      await allAnswered(PATIENCE_MS);
      const answers = (sent: number, delays: number[]): Answers => {
        return { sent, answered: delays.length, median: quantile(delays, 0.5), p99: quantile(delays, 0.99) };
      };
      return { requests: answers(requests, delays.requests), messages: answers(messages, delays.messages) };
    },
    [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.close();
      return Promise.resolve();
    },
  };
  // the first socket, which sends the messages, becomes a member before
  for (let greeting = 0; greeting < 2; greeting++) {
    request(greeting * SOCKETS);
    await allAnswered(PATIENCE_MS);
  }
  delays.requests.length = 0;
  return probe;
}

/** Calls each function `count` times, at even intervals, within `time` milliseconds. */
function evenly(time: number, jobs: [count: number, call: (i: number) => void][]): Promise<void> {
  const began = performance.now(), done = jobs.map(() => 0);
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const elapsed = (performance.now() - began) / time;
      jobs.forEach(([count, call], job) => {
        while (done[job] < Math.min(count, elapsed * count)) call(done[job]++);
      });
      if (elapsed < 1) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
}

/** How many datagrams the kernel has dropped at the IPv4 socket with a port; undefined if the system does not say. */
function kernelDrops(port: number): number | undefined {
  try {
    const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
    const sockets = Deno.readTextFileSync("/proc/net/udp").split("\n").map((line) => line.trim().split(/\s+/));
    const found = sockets.find((fields) => fields[1]?.endsWith(local));
    return found && Number(found.at(-1));
  } catch {
    return undefined;
  }
}
