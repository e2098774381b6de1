/** The system's buffers of connections. */
import { assertEquals } from "@std/assert";
import { findDescriptor, openLibrary, readSocketOption } from "../../../../runtime/libc.ts";
import { limitBuffers } from "../../../../server/doors/linux/socket_buffers.ts";

const SO_SNDBUF = 7, SO_RCVBUF = 8;

/** The buffers of a connection, for sending and for receiving, in bytes. */
async function limitedBuffers(): Promise<(number | undefined)[]> {
  // its connections have another address of their own than it has
  using listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  assertEquals(limitBuffers(listener.addr), undefined);
  const hostname = "127.0.0.1", { port } = listener.addr;
  using _client = await Deno.connect({ hostname, port });
  using _conn = await listener.accept();
  const library = openLibrary(Deno.build.arch);
  if (typeof library === "string") throw new Error(library);
  try {
    const fd = findDescriptor(library.symbols, { transport: "tcp", hostname, port });
    if (typeof fd !== "number") throw new Error(fd.reason);
    return [SO_SNDBUF, SO_RCVBUF].map((option) => readSocketOption(library.symbols, fd, option, 4)?.[0]);
  } finally {
    library.close();
  }
}

Deno.test("socket buffers: a connection has those of its listener, which the system makes no larger", async () => {
  if (Deno.build.os !== "linux") {
    return console.log("Skipped: it is Linux that gives connections the listener's buffers");
  }
  assertEquals(await limitedBuffers(), [256 << 10, 128 << 10]);
});

Deno.test("socket buffers: without a socket there is a reason", () => {
  const address = { transport: "tcp", hostname: "127.0.0.1", port: 1 } as const;
  assertEquals(typeof limitBuffers(address), "string");
});
