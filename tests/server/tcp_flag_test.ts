import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { readCommandLine } from "../../runtime/command_line.ts";
import { UsageError } from "../../runtime/program.ts";
import { announcement } from "../../server/announcement.ts";
import { openChosenTcp, parseTcp } from "../../server/tcp_flag.ts";

const parse = (...args: string[]) => parseTcp(readCommandLine(args, { string: ["tcp"], positional: 0 }));

Deno.test("tcp flag: a port, off, or that of UDP", () => {
  assertEquals(parse(), undefined);
  assertEquals(parse("--tcp", "9091"), 9091);
  assertEquals(parse("--tcp", "0"), 0);
  assertEquals(parse("--tcp", "OFF"), "off");
  for (const wrong of ["on", "65536", "-1", "1e3"]) assertThrows(() => parse("--tcp", wrong), UsageError, wrong);
});

Deno.test("tcp flag: the door has the port of UDP unless another is given; a port that is taken is told", async () => {
  const udp = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const { port } = udp.addr as Deno.NetAddr;
  const { door } = openChosenTcp(undefined, "127.0.0.1", port);
  try {
    assertEquals(door?.address, { transport: "tcp", hostname: "127.0.0.1", port });
    const second = openChosenTcp(undefined, "127.0.0.1", port);
    assertEquals(second.door, undefined);
    assertMatch(second.problem!, new RegExp(`^TCP is off: another program has its port ${port}; --tcp PORT .*$`));
    const { door: other } = openChosenTcp(0, "127.0.0.1", port);
    assert(other && other.address.port !== port);
    await other.close();
    assertEquals(openChosenTcp("off", "127.0.0.1", port), {});
  } finally {
    await door?.close();
    udp.close();
  }
});

Deno.test({
  name: "tcp flag: without the permission for it, the door is not opened, and nobody is asked",
  permissions: { net: ["127.0.0.1:1"] },
  fn() {
    assertMatch(openChosenTcp(9091, "127.0.0.1", 1).problem!, /^TCP is off: .* add --allow-net=127\.0\.0\.1:9091 /);
  },
});

Deno.test("announcement: nc stands beside the client, where the server listens on TCP too", () => {
  const address = { transport: "udp", hostname: "127.0.0.1", port: 9090 } as const;
  assertEquals(announcement("127.0.0.1", address, 9091).slice(-3), [
    "  deno run -A client.ts 127.0.0.1 9090",
    "or, with nothing of udp-chat:",
    "  nc 127.0.0.1 9091",
  ]);
  assert(!announcement("127.0.0.1", address).some((line) => / nc |with nothing/.test(line)));
});
