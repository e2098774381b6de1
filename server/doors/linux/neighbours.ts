/**
 * Asks Linux at which addresses of the networks nearby a machine has answered, and at which none does: the neighbour
 * tables of ARP and of IPv6 neighbour discovery (RTM_GETNEIGH, rtnetlink(7)).
 *
 * ```text
 * struct nlmsghdr, 16                 struct ndmsg, 12                  struct rtattr, 4 and the value
 *    0  nlmsg_len    number   4          0  ndm_family   number   1        0  rta_len    number   2
 *    4  nlmsg_type   number   2          1  (padding)             3        2  rta_type   number   2
 *    6  nlmsg_flags  bits     2          4  ndm_ifindex  number   4        4  value, then padding to a multiple of 4
 *    8  nlmsg_seq    number   4          8  ndm_state    bits     2
 *   12  nlmsg_pid    number   4         10  ndm_flags    bits     1
 *                                       11  ndm_type     number   1
 * ```
 *
 * @module
 */
import type { NeighbourTable } from "../neighbours.ts";
import { AF_INET6, type C, formatIPAddress, MSG_DONTWAIT } from "../../../runtime/libc.ts";

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 0x80003;
const NETLINK_ROUTE = 0;
const RTM_NEWNEIGH = 28;
const RTM_GETNEIGH = 30;
const NLM_F_REQUEST_DUMP = 0x301;
const NDA_DST = 1;
/** Neighbours in these states have not answered: NUD_INCOMPLETE and NUD_FAILED. */
const ABSENT_STATES = 0x01 | 0x20;

const HEADER_BYTES = 16;
const NDMSG_BYTES = 12;
/** The kernel puts as many entries into one answer as fit, and 32 KiB at most. */
const ANSWER_BYTES = 32_768;
/** The most answers that are read. A table has 1,024 entries by default, of about 90 bytes. */
const MAX_ANSWERS = 1000;

/** Reads the neighbour tables. Returns undefined if the kernel does not show them. */
export function readNeighbours(c: C): NeighbourTable | undefined {
  const fd = c.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return undefined;
  try {
    const request = new Uint8Array(HEADER_BYTES + NDMSG_BYTES);
    const view = new DataView(request.buffer);
    view.setUint32(0, request.length, true);
    view.setUint16(4, RTM_GETNEIGH, true);
    view.setUint16(6, NLM_F_REQUEST_DUMP, true);
    if (Number(c.send(fd, request, BigInt(request.length), 0)) !== request.length) return undefined;
    const table = new Map<string, boolean>();
    const answer = new Uint8Array(ANSWER_BYTES);
    for (let i = 0; i < MAX_ANSWERS; i++) {
      // the kernel answers at once: when nothing is left, there is no more to come
      const length = Number(c.recv(fd, answer, BigInt(answer.length), MSG_DONTWAIT));
      if (length <= 0) return i === 0 ? undefined : table;
      if (!readAnswer(new DataView(answer.buffer, 0, length), table)) return table;
    }
    return table;
  } finally {
    c.close(fd);
  }
}

/** Reads the entries of one answer into the table. Returns false behind the last one. */
function readAnswer(answer: DataView, table: Map<string, boolean>): boolean {
  for (let at = 0; at + HEADER_BYTES <= answer.byteLength;) {
    const length = answer.getUint32(at, true);
    if (length < HEADER_BYTES || at + length > answer.byteLength) return false;
    // any other message is the end, or an error
    if (answer.getUint16(at + 4, true) !== RTM_NEWNEIGH) return false;
    const address = readDestination(answer, at + HEADER_BYTES, at + length);
    if (address !== undefined) {
      const isPresent = (answer.getUint16(at + HEADER_BYTES + 8, true) & ABSENT_STATES) === 0;
      // the address may be looked for on several interfaces
      table.set(address, isPresent || table.get(address) === true);
    }
    at += length + 3 & ~3;
  }
  return true;
}

function readDestination(answer: DataView, from: number, end: number): string | undefined {
  const family = answer.getUint8(from);
  for (let at = from + NDMSG_BYTES; at + 4 <= end;) {
    const length = answer.getUint16(at, true);
    if (length < 4 || at + length > end) return undefined;
    if (answer.getUint16(at + 2, true) === NDA_DST) {
      const isWhole = length - 4 === (family === AF_INET6 ? 16 : 4);
      return isWhole ? formatIPAddress(new Uint8Array(answer.buffer, at + 4, length - 4)) : undefined;
    }
    at += length + 3 & ~3;
  }
}
