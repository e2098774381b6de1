/**
 * Keeps the runtime's event loop out of the way while a socket sends: it is not told of every datagram that left.
 *
 * Deno waits for its sockets with epoll(7). A socket in an epoll set reports to it each time that there is room in its
 * send buffer again, which on a loopback or a fast interface is after every single datagram: measured, 5 % of the time
 * of a sendmmsg to 1,000 addresses, and what a C program that blocks in recvmsg does not pay. So the socket is taken out
 * of the set before a long call and put back after it, in one synchronous function, so that the loop can't miss it:
 * EPOLL_CTL_ADD looks at the socket afresh, and what arrived in between is reported at once (epoll_ctl(2)).
 *
 * What is put back is what was there: the kernel tells the events asked for, and the 64 bits that the runtime wants to
 * see with them, in /proc/self/fdinfo (proc(5)). Where it doesn't, nothing is taken out.
 *
 * ```text
 * struct epoll_event   x86_64, 12 bytes   aarch64, 16 bytes
 *   events, bits            0, 4               0, 4
 *   data, opaque            4, 8               8, 8
 * ```
 *
 * @module
 */
import { type C, GAP, identityCheck, isOpen } from "./libc.ts";

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const O_RDONLY_CLOEXEC = 0x80000;

/** A socket in an epoll set. */
export interface Watch {
  /** Takes the socket out of the set; does nothing where it is not, or no longer, in it. */
  pause(): void;
  /** Puts back what `pause` took out. */
  resume(): void;
}

/** One entry of an epoll set. */
interface Entry {
  set: number;
  event: Uint8Array<ArrayBuffer>;
  out: boolean;
}

/** The entries of a socket in the process's epoll sets, or undefined where none can be seen. */
export function openWatch(c: C, fd: number): Watch | undefined {
  const same = identityCheck(c, fd);
  const entries = readEntries(c, fd);
  const watch: Watch = {
    pause() {
      // when the runtime has closed the socket its number may be another's, whose entry is not ours to take
      if (!same()) entries.length = 0;
      for (const entry of entries) entry.out ||= c.epoll_ctl(entry.set, EPOLL_CTL_DEL, fd, entry.event) === 0;
    },
    resume() {
      for (const entry of entries) {
        if (entry.out) entry.out = c.epoll_ctl(entry.set, EPOLL_CTL_ADD, fd, entry.event) !== 0;
      }
    },
  };
  // a set with two descriptors is seen twice, and gives the entry up once
  watch.pause();
  const single = entries.filter(({ out }) => out);
  watch.resume();
  entries.splice(0, entries.length, ...single);
  return entries.length > 0 ? watch : undefined;
}

function readEntries(c: C, fd: number): Entry[] {
  const entries: Entry[] = [];
  for (let set = 0, gap = 0; gap < GAP; set++) {
    gap = isOpen(c, set) ? 0 : gap + 1;
    if (gap > 0) continue;
    for (const line of textOf(c, `/proc/self/fdinfo/${set}`).split("\n")) {
      const [, target, events, data] = /^tfd:\s*(\d+) events:\s*([0-9a-f]+) data:\s*([0-9a-f]+)/.exec(line) ?? [];
      if (Number(target) === fd) entries.push({ set, event: encodeEvent(parseInt(events, 16), data), out: false });
    }
  }
  return entries;
}

function encodeEvent(events: number, data: string): Uint8Array<ArrayBuffer> {
  const packed = Deno.build.arch === "x86_64";
  const event = new Uint8Array(packed ? 12 : 16);
  const view = new DataView(event.buffer);
  view.setUint32(0, events, true);
  view.setBigUint64(packed ? 4 : 8, BigInt(`0x${data}`), true);
  return event;
}

/** A file that the kernel writes, or nothing; Deno itself would want every permission for it. */
function textOf(c: C, path: string): string {
  const file = c.open(new TextEncoder().encode(`${path}\0`), O_RDONLY_CLOEXEC);
  if (file < 0) return "";
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(16_384);
  let text = "";
  for (let length; (length = Number(c.read(file, chunk, BigInt(chunk.length)))) > 0;) {
    text += decoder.decode(chunk.subarray(0, length), { stream: true });
  }
  c.close(file);
  return text;
}
