import { assertEquals } from "@std/assert";
import { findDescriptor, openLibrary, readSocketOption } from "../../runtime/libc.ts";
import { setBuffers } from "../../runtime/socket_buffers.ts";
import { openSocket } from "../../runtime/udp.ts";

const SO_SNDBUF = 7, SO_RCVBUF = 8;

Deno.test("socket buffers: a socket for datagrams gets what is asked for, and keeps the rest", () => {
  if (Deno.build.os !== "linux") return console.log("Skipped: buffers are set on Linux only");
  const conn = openSocket("0.0.0.0", 0);
  const address = conn.addr as Deno.NetAddr, library = openLibrary(Deno.build.arch);
  if (typeof library === "string") throw new Error(library);
  try {
    const fd = findDescriptor(library.symbols, address);
    if (typeof fd !== "number") throw new Error(fd.reason);
    const sizes = () => [SO_SNDBUF, SO_RCVBUF].map((option) => readSocketOption(library.symbols, fd, option, 4)?.[0]);
    const [before] = sizes();
    assertEquals(setBuffers(address, { receive: 50_000 }), undefined);
    assertEquals(sizes(), [before, 100_000]);
  } finally {
    library.close();
    conn.close();
  }
});

Deno.test("socket buffers: where there is no such socket there is a reason", () => {
  assertEquals(typeof setBuffers({ transport: "udp", hostname: "127.0.0.1", port: 1 }, { receive: 50_000 }), "string");
});
