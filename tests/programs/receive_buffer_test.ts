/** What the client asks of its socket before a file comes (Linux, with `--allow-ffi`). */
import { assertEquals, assertGreater } from "@std/assert";
import { startServer, TESTS_BINARIES } from "../../scripts/support/processes.ts";
import { openFolder, startReceiving, startSending } from "../support/file_programs.ts";

/** The receive buffer of the only UDP socket of a process, in bytes; undefined if the system does not say. */
async function receiveBuffer(pid: number): Promise<number | undefined> {
  try {
    const { stdout } = await new Deno.Command("ss", { args: ["-H", "-O", "-u", "-a", "-n", "-p", "-m"] }).output();
    const line = new TextDecoder().decode(stdout).split("\n").find((line) => line.includes(`pid=${pid},`));
    const [, bytes] = /skmem:\(r\d+,rb(\d+),/.exec(line ?? "") ?? [];
    return bytes === undefined ? undefined : Number(bytes);
  } catch {
    return undefined;
  }
}

Deno.test("files: whoever takes one lets more wait at its socket than others", async () => {
  if (TESTS_BINARIES) return console.log("Skipped: a compiled client may not call the C library");
  await using server = await startServer();
  await using folder = await openFolder();
  await using bob = startReceiving("Bob", folder.downloads, "Alice", { ...server, flags: ["--keep"] });
  await server.arrival(1);
  const before = await receiveBuffer(bob.pid);
  if (before === undefined) return console.log("Skipped: there is no 'ss', which says how large a socket's buffer is");
  await using alice = startSending("Alice", await folder.make("notes.pdf", 1000), "Bob", server);
  assertEquals(await alice.exitCode(), 0);
  assertGreater((await receiveBuffer(bob.pid))!, before);
});
