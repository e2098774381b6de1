/** Tests of what is special about the compiled programs, which UDP_CHAT_SERVER and UDP_CHAT_CLIENT name. */
import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { commandOf, joinRoom, start, startServer } from "../../scripts/support/processes.ts";

const COMPILED = Deno.env.has("UDP_CHAT_SERVER") && Deno.env.has("UDP_CHAT_CLIENT");
const REASON = COMPILED ? "" : " (skipped: 'deno task test-binaries' runs it)";

/** A test of compiled programs. */
function binaryTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `binaries: ${name}${REASON}`, ignore: !COMPILED, fn });
}

binaryTest("--version prints the version, Deno and the target, like the source", async () => {
  for (const program of ["server", "client"] as const) {
    await using compiled = start([...commandOf(program), "--version"]);
    assertEquals(await compiled.exitCode(), 0, compiled.stderr.text());
    // another version of Deno may have compiled the program
    const [, before, after] = /^(.*\(Deno )[\d.]+(,.*\n)$/.exec(compiled.stdout.text()) ?? [];
    assertEquals([before, after], [`udp-chat ${program} ${config.version} (Deno `, `, ${Deno.build.target})\n`]);
  }
});

binaryTest("the commands that they print for users start binaries, not deno run", async () => {
  await using server = await startServer();
  assertMatch(server.stdout.text(), new RegExp(`^ {2}\\./udp-chat-client \\S+ ${server.port}$`, "m"));
  for (const program of ["server", "client"] as const) {
    await using help = start([...commandOf(program), "--help"]);
    assertEquals(await help.exitCode(), 0);
    assertMatch(help.stdout.text(), new RegExp(`^Usage: \\./udp-chat-${program} `, "m"));
    assertNotMatch(help.stdout.text(), /deno run/);
  }
});

binaryTest("the server has the permissions for its own addresses, and for sendmmsg", async () => {
  await using server = await startServer("--verbose");
  const isFast = Deno.build.os === "linux";
  await server.stdout.until(isFast ? /^Sending to many at once by sendmmsg$/m : /^Sending one by one: /m);
  const shown = server.stdout.text();
  const own = Deno.networkInterfaces().filter(({ family, address }) => family === "IPv4" && !/^127\./.test(address));
  for (const { address } of own) assert(shown.includes(`  ./udp-chat-client ${address} ${server.port}\n`), shown);
});

binaryTest("server and client chat without a prompt for a permission or a warning", async () => {
  await using server = await startServer();
  await using client = await joinRoom(server);
  await client.type("hello\n");
  await client.stdout.until(/^<From .*>: hello\n/m);
  await client.endInput();
  assertEquals(await client.exitCode(), 0);
  assertEquals(client.stderr.text() + server.stderr.text(), "");
});
