/** What a call of recvfrom gives: the sender's address as text, in the form that Deno has for it. */
import { assertEquals, assertLess } from "@std/assert";
import { AF_INET6, type C } from "../../../../runtime/libc.ts";
import { Senders, takeArrivedFrom } from "../../../../server/doors/linux/recvfrom.ts";

const AF_INET = 2;

/** A socket address as the kernel writes it. */
function socketAddress(address: number[], port: number): Uint32Array<ArrayBuffer> {
  const bytes = new Uint8Array(new ArrayBuffer(28));
  bytes.set([address.length === 4 ? AF_INET : AF_INET6, 0, port >> 8, port & 0xff]);
  bytes.set(address, address.length === 4 ? 4 : 8);
  return new Uint32Array(bytes.buffer);
}

/** 16 bytes that begin and end with the given ones. */
const ipv6 = (
  first: number[],
  last: number[],
) => [...first, ...Array(16 - first.length - last.length).fill(0), ...last];

Deno.test("recvfrom: an IPv6 address is written in its shortest form, an IPv4-mapped one as IPv4", () => {
  const senders = new Senders(AF_INET6);
  const text = (address: number[], port = 9) => senders.textOf(socketAddress(address, port));
  assertEquals(text(ipv6([], [1])), "[::1]:9");
  assertEquals(text(ipv6([0xfe, 0x80], [0, 1]), 65_535), "[fe80::1]:65535");
  assertEquals(text(ipv6([], [0xff, 0xff, 10, 0, 0, 1])), "10.0.0.1:9");
  // no IPv4-mapped one, though it looks similar (RFC 4291, section 2.5.5.1)
  assertEquals(text(ipv6([], [10, 0, 0, 1])), "[::a00:1]:9");
  assertEquals(text(ipv6([0x20, 1, 0, 0, 0, 1], [0, 1])), "[2001:0:1::1]:9");
});

Deno.test("recvfrom: among more senders than are remembered each has its own address, also when heard again", () => {
  const senders = new Senders(AF_INET);
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 50_000; i++) {
      const address = [10, i >> 16, i >> 8 & 0xff, i & 0xff], port = 1 + i % 65_535;
      for (let again = 0; again < 2; again++) {
        const text = senders.textOf(socketAddress(address, port));
        if (text !== `${address.join(".")}:${port}`) assertEquals(text, `${address.join(".")}:${port}`);
      }
    }
  }
});

Deno.test("recvfrom: the ports of one address are told apart, and addresses with one port", () => {
  const senders = new Senders(AF_INET6);
  for (let i = 1; i < 3000; i++) {
    assertEquals(senders.textOf(socketAddress(ipv6([0x20], [1]), i)), `[2000::1]:${i}`);
    const last = i.toString(16);
    assertEquals(senders.textOf(socketAddress(ipv6([0x20], [i >> 8, i & 0xff]), 9)), `[2000::${last}]:9`);
  }
});

/** Whether a sender is not remembered, and its address is put into words. */
function isWritten(senders: Senders, address: Uint32Array<ArrayBuffer>): boolean {
  const { buffer } = address;
  let isRead = false;
  // its bytes are read only to write it as a text
  Object.defineProperty(address, "buffer", { get: () => (isRead = true, buffer) });
  senders.textOf(address);
  return isRead;
}

/** How many of these addresses are not remembered when each is heard again. */
function writtenAgain(senders: Senders, addresses: Uint32Array<ArrayBuffer>[]): number {
  for (const address of addresses) senders.textOf(address);
  return addresses.filter((address) => isWritten(senders, address)).length;
}

Deno.test("recvfrom: of some hundred senders nearly all are remembered, of one network or of many, by IPv4 and by IPv6", () => {
  const of = (address: (i: number) => number[], port = (_: number) => 9) =>
    Array.from({ length: 200 }, (_, i) => socketAddress(address(i), port(i)));
  const v4 = [
    of((i) => [10, 0, 0, i]),
    of((i) => [10, i, 0, 1]),
    of(() => [127, 0, 0, 1], (i) => 40_000 + i),
    of((i) => [10, 0, 0, i], (i) => 40_000 + i),
  ];
  for (const addresses of v4) assertLess(writtenAgain(new Senders(AF_INET), addresses), 40);
  const v6 = [
    of((i) => ipv6([0x20, 1], [i])),
    of((i) => ipv6([0x20, 1, i], [1])),
    of(() => ipv6([], [1]), (i) => 40_000 + i),
    of((i) => ipv6([], [0xff, 0xff, 10, 0, 0, i])),
  ];
  for (const addresses of v6) assertLess(writtenAgain(new Senders(AF_INET6), addresses), 40);
});

Deno.test("recvfrom: a sender is the same whatever scope its address has, which is not in the text", () => {
  const senders = new Senders(AF_INET6), [one, other] = [1, 2].map(() => socketAddress(ipv6([0xfe, 0x80], [1]), 9));
  other[6] = 3;
  assertEquals([senders.textOf(one), isWritten(senders, other), isWritten(new Senders(AF_INET6), one)], [
    "[fe80::1]:9",
    false,
    true,
  ]);
});

Deno.test("recvfrom: a datagram from port 0 is taken and not passed on, an error takes nothing", () => {
  const arrived: [text: string, port: number][] = [["from 0", 0], ["", 5], ["hello", 6]];
  const c = {
    recvfrom(_fd: number, into: Uint8Array, _size: bigint, _flags: number, sender: Uint32Array) {
      const [text, port] = arrived.shift() ?? [];
      if (text === undefined) return -1n;
      sender.set(socketAddress([10, 0, 0, 1], port!));
      return BigInt(new TextEncoder().encodeInto(text, into).written);
    },
  } as unknown as C;
  const take = takeArrivedFrom(c, 3, AF_INET);
  const heard: string[] = [];
  const pass = (bytes: Uint8Array, from: string) => void heard.push(`${from} ${new TextDecoder().decode(bytes)}`);
  assertEquals([take(pass), take(pass), take(pass), take(pass)], [true, true, true, false]);
  assertEquals(heard, ["10.0.0.1:5 ", "10.0.0.1:6 hello"]);
});
