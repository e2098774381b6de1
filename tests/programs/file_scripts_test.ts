/** Files in scripts: one client sends, another one receives, and nobody types anything. */
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { commandOf, start, startServer } from "../../scripts/support/processes.ts";

Deno.test("file scripts: a file arrives, and the exit codes say so; one for who is not there does not", async () => {
  await using server = await startServer();
  const folder = await Deno.makeTempDir({ prefix: "udp-chat-" });
  try {
    const file = join(folder, "lecture 3.pdf"), downloads = join(folder, "downloads");
    await Deno.mkdir(downloads);
    await Deno.writeTextFile(file, "notes\n".repeat(20_000));
    const client = (...args: string[]) => start([...commandOf("client"), ...args, "127.0.0.1", String(server.port)]);

    // the sender waits for the receiver
    await using alice = client("-u", "Alice", "--send", file, "--to", "Bob");
    await using bob = client("-u", "Bob", "--receive", downloads, "--from", "alice");
    assertEquals([await alice.exitCode(), await bob.exitCode()], [0, 0], alice.stderr.text() + bob.stderr.text());
    assertMatch(alice.stderr.text(), /^-- lecture 3\.pdf \(120 kB, .*\) has reached Bob\n$/);
    const path = join(downloads, "lecture 3.pdf");
    // and nothing else, so that a script can read it
    assertEquals([alice.stdout.text(), bob.stdout.text()], ["", `${path}\n`]);
    assertMatch(bob.stderr.text(), /^-- lecture 3\.pdf \(120 kB, .*\) from Alice is here: .*lecture 3\.pdf\n$/);
    assertEquals(await Deno.readTextFile(path), await Deno.readTextFile(file));

    await using late = client("-u", "Alice", "--send", file, "--to", "Bob", "--wait", "0");
    assertEquals(await late.exitCode(), 1);
    assertMatch(late.stderr.text(), /^[^\n]*lecture 3\.pdf did not get to Bob: [^\n]*\n$/);

    await using missing = client("--send", join(folder, "nothing"), "--to", "Bob");
    assertEquals(await missing.exitCode(), 2);
    assertMatch(missing.stderr.text(), /^There is no file '.*nothing'\n$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
