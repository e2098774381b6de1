import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { readCommandLine } from "../../runtime/command_line.ts";
import { Failure, UsageError } from "../../runtime/program.ts";
import { announcement } from "../../server/announcement.ts";
import { openDoors, parseTcp, TCP_VALUE, type TcpChoice } from "../../server/tcp_flag.ts";

const parse = (...args: string[]) =>
  parseTcp(readCommandLine(args, { string: ["tcp"], values: { tcp: TCP_VALUE }, positional: 0 }));

Deno.test("tcp flag: a port, off, or that of UDP", () => {
  assertEquals(parse(), undefined);
  assertEquals(parse("--tcp", "9091"), 9091);
  assertEquals(parse("--tcp", "0"), 0);
  assertEquals(parse("--tcp", "OFF"), "off");
  for (const wrong of [["--tcp"], ...["on", "65536", "-1", "1e3", ""].map((value) => ["--tcp", value])]) {
    const { message } = assertThrows(() => parse(...wrong), UsageError);
    assertEquals(message, "--tcp takes a port from 0 to 65535, or off");
  }
});

/** Opens both doors; that of UDP is only an address, and the first `failures` ports are taken. */
function open(host: string, port: number, tcp: TcpChoice, failures = 0) {
  return openDoors({ host, port, tcp }, (port) => {
    if (failures-- > 0) throw new Failure(`Port ${port} is in use`);
    return { address: { transport: "udp", hostname: host, port } as Deno.NetAddr };
  });
}

Deno.test("tcp flag: the door has the port of UDP unless another is given; a port that is taken is told", async () => {
  const { udp, tcp } = open("127.0.0.1", 0, undefined);
  const { port } = udp.address;
  try {
    assert(port !== 0);
    assertEquals(tcp?.address, { transport: "tcp", hostname: "127.0.0.1", port });
    const second = open("127.0.0.1", port, undefined);
    assertEquals(second.tcp, undefined);
    assertMatch(second.problem!, new RegExp(`^TCP is off: another program has its port ${port}; --tcp PORT .*$`));
    const other = open("127.0.0.1", port, 0);
    assert(other.tcp && other.tcp.address.port !== port);
    await other.tcp.close();
    assertEquals(open("127.0.0.1", port, "off"), { udp: other.udp });
  } finally {
    await tcp?.close();
  }
});

Deno.test("tcp flag: a free port of TCP may be taken for UDP, then UDP chooses; if UDP has none, that is thrown", async () => {
  const { udp, tcp, problem } = open("127.0.0.1", 0, undefined, 1);
  assertEquals([udp.address.port, problem], [0, undefined]);
  await tcp?.close();
  assertThrows(() => open("127.0.0.1", 0, undefined, 2), Failure);
});

Deno.test({
  name: "tcp flag: without the permission for it, the door is not opened, and nobody is asked",
  permissions: { net: ["127.0.0.1:1"] },
  fn() {
    assertMatch(open("127.0.0.1", 1, 9091).problem!, /^TCP is off: .* add --allow-net=127\.0\.0\.1:9091 /);
  },
});

Deno.test("announcement: nc stands beside the client, where the server listens on TCP too", () => {
  const address = { transport: "udp", hostname: "127.0.0.1", port: 9090 } as const;
  assertEquals(announcement("127.0.0.1", address, 9091).slice(-3), [
    "  deno run -A client.ts 127.0.0.1 9090",
    "or, with nothing of udp-chat (then type a line; /help lists the commands):",
    "  nc 127.0.0.1 9091",
  ]);
  assertEquals(
    announcement("127.0.0.1", address, undefined, true).at(-1),
    "  deno run -A client.ts -u NAME 127.0.0.1 9090",
    "nobody gets in without a name",
  );
  assert(!announcement("127.0.0.1", address).some((line) => / nc |with nothing/.test(line)));
});
