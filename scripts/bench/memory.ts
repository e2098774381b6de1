/**
 * Measures the memory of one member: fills a huge room, collects the garbage, and divides by the number of members.
 *
 * Run by itself, with `--v8-flags=--expose-gc`, it fills one room in its own process and prints the result as JSON.
 *
 * @module
 */
import type { Dialect, Packet, V1Packet } from "../../protocol.ts";
import { randomHex64 } from "../../protocol/fields.ts";
import { output } from "./competitors.ts";
import { readable } from "./table.ts";
import { openSendmmsg } from "../../server/doors/linux/sendmmsg.ts";
import { Doors } from "../../server/doors/doors.ts";
import { NetworkEmulator } from "../../server/doors/network_emulator.ts";
import { UdpDoor } from "../../server/doors/udp.ts";
import { MemoryJournal } from "../../server/journal/memory.ts";
import { Room } from "../../server/room/room.ts";

/** The memory that one member of a dialect adds, in bytes. */
export interface MemoryResult {
  dialect: Dialect;
  members: number;
  /** In the JavaScript heap: the member, its texts, its entries in the tables. */
  heap: number;
  /** Outside the heap: the headers and addresses that the kernel reads. */
  kernelTables: number;
}

/** The dialects whose members are measured. */
const DIALECTS = ["classic", "v1"] as const;

/** Fills one room for each dialect, each in a process of its own. */
export async function measureMemory(members: number, progress: (line: string) => void): Promise<MemoryResult[]> {
  const results: MemoryResult[] = [];
  for (const dialect of DIALECTS) {
    const command = ["run", "-A", "--v8-flags=--expose-gc", "scripts/bench/memory.ts", dialect, String(members)];
    const printed = await output([Deno.execPath(), ...command]);
    if (printed === undefined) throw new Error(`The memory of ${dialect} members can't be measured here`);
    const result: MemoryResult = JSON.parse(printed);
    results.push(result);
    progress(`memory: ${readable(result.heap + result.kernelTables)} bytes for a ${dialect} member`);
  }
  return results;
}

/** Formats the results, a line each. */
export function formatMemory(results: readonly MemoryResult[]): string {
  return results.map(({ dialect, members, heap, kernelTables }) =>
    `In a room of ${members.toLocaleString("en-US")} a ${dialect} member takes ${readable(heap)} bytes of the heap, ` +
    `and ${readable(kernelTables)} in the tables that the kernel reads.`
  ).join("\n");
}

/** Doors with the real tables of addresses. They send nothing, because no socket has these addresses. */
class SilentDoors extends Doors {
  /** The cookie in the last RETRY. */
  cookie = "";
  override send(_: unknown, packet: Packet): void {
    if (packet.type === "RETRY") this.cookie = packet.cookie;
  }
  override broadcast(_: V1Packet): void {}
}

/** Fills a room in this process, and measures the memory when only the members are left. */
function fill(dialect: typeof DIALECTS[number], members: number): MemoryResult {
  const conn = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const sendmmsg = openSendmmsg(conn);
  if ("reason" in sendmmsg) throw new Error(sendmmsg.reason);
  const door = new UdpDoor({ socket: conn, fast: sendmmsg }, new NetworkEmulator(1));
  const delivery = new SilentDoors([door]);
  // the window of events has a limit of its own, whatever the number of members, so it is kept as small as possible
  const joinedAt = Date.now();
  const room = new Room({ delivery, journal: new MemoryJournal({ events: 1 }) }, { classic: { members } }, joinedAt);
  const before = memoryAfterGc();
  for (let i = 0; i < members; i++) {
    const address = `127.${i >> 16 & 255}.${i >> 8 & 255}.${i & 255}:${10_000 + i % 50_000}`;
    const peer = { key: address, address, validated: false, direct: true };
    if (dialect === "classic") {
      room.receive({ dialect, type: "GREETING", line: false }, peer, joinedAt, 8);
    } else {
      room.receive({ dialect, type: "GREETING", id: 1 }, peer, joinedAt, 28);
      // two more greetings, as from a member that stays
      const { cookie } = delivery, token = randomHex64();
      for (const id of [2, 3]) {
        room.receive({ dialect, type: "GREETING", id, token, cookie }, peer, joinedAt, 75);
      }
    }
  }
  // broadcasts the arrivals now, so that no waiting arrival takes memory
  room.wake(joinedAt + 10_000);
  const after = memoryAfterGc();
  if (room.size !== members) throw new Error(`Only ${room.size} of ${members} have joined`);
  door.close();
  return {
    dialect,
    members,
    heap: (after.heapUsed - before.heapUsed) / members,
    kernelTables: (after.external - before.external) / members,
  };
}

/** The memory in use after garbage collection. */
function memoryAfterGc(): Deno.MemoryUsage {
  const { gc } = globalThis as { gc?: () => void };
  if (!gc) throw new Error("Start this with --v8-flags=--expose-gc");
  for (let i = 0; i < 5; i++) gc();
  return Deno.memoryUsage();
}

if (import.meta.main) {
  const [dialect, members] = Deno.args;
  console.log(JSON.stringify(fill(dialect as typeof DIALECTS[number], Number(members))));
}
