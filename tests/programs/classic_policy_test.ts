/** Who may speak the classic dialect, as the flags of the server say. */
import { assertEquals, assertMatch } from "@std/assert";
import { commandOf, joinRoom, start, startServer } from "../../scripts/support/processes.ts";
import { openPeer } from "../support/classic_peer.ts";

Deno.test("classic policy: with --classic off a greeting brings nothing but one line on the server", async () => {
  await using server = await startServer("--classic", "off");
  await using peer = openPeer();
  await using client = await joinRoom(server);
  for (let i = 0; i < 3; i++) await peer.send("GREETING", server.port);
  await server.stdout.until("Ignored a classic client at 127.0.0.1: the classic dialect is off; start without");
  await client.type("hello\n");
  await client.stdout.until(": hello\n");
  assertEquals(peer.received, []);
  assertEquals(server.stdout.text().match(/Ignored a classic client/g)?.length, 1);
});

Deno.test("classic policy: --classic-members limits how many join, and the first of the others is told of", async () => {
  await using server = await startServer("--classic-members", "1", "--classic", "203.0.113.0/24,2001:db8::/32");
  await using first = openPeer();
  await using second = openPeer();
  await first.send("GREETING", server.port);
  await server.stdout.until(" connected at ");
  await second.send("GREETING", server.port);
  await server.stdout.until("too many classic members are here; --classic-members sets how many may be\n");
  await first.send("MESSAGE hello", server.port);
  await first.until(/: hello$/);
  assertEquals(second.received, []);
});

Deno.test("classic policy: a bad network is one line and exit code 2", async () => {
  for (const value of ["10.0.0.0/33", "off,any"]) {
    await using program = start([...commandOf("server"), "0", "--classic", value]);
    assertEquals(await program.exitCode(), 2);
    assertMatch(program.stderr.text(), /^--classic [^\n]+\n$/);
  }
});
