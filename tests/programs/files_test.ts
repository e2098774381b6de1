/** Files between real clients on one machine: in scripts and pipes, killed in the middle, on a full disk, at signals. */
import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { format as formatBytes } from "@std/fmt/bytes";
import { type Process, startClient, startServer } from "../../scripts/support/processes.ts";
import { openFolder, startReceiving, startSending } from "../support/file_programs.ts";
import { signalTest, stops } from "../support/signals.ts";
import { signIn } from "../support/signed_in.ts";

/** So much takes long enough to do something in the middle. In bytes. */
const LARGE = 12_000_000;
/** By then it is under way, in bytes. */
const BEGUN = 500_000;

/** Asserts how a program has ended: by its exit code, its only line for people, and the path that it may print. */
async function assertEnd(program: Process, code: number, line: RegExp): Promise<void> {
  const ended = await program.exitCode();
  assertMatch(program.stderr.text(), new RegExp(`^${line.source}\n$`));
  const [, path] = / is here: (.*\n)$/.exec(program.stderr.text()) ?? [];
  assertEquals([ended, program.stdout.text()], [code, path ?? ""], program.stderr.text());
}

Deno.test("files: from script to script, by the name or a number behind it, one line at each end", async () => {
  await using server = await startServer();
  await using folder = await openFolder();
  const path = await folder.make("notes of today.tar.gz", 2_000_000), { downloads } = folder;
  await using bob = startReceiving("Bob", downloads, "alice", { ...server, flags: ["--keep"] });
  for (const name of ["notes of today.tar.gz", "notes of today.tar (2).gz"]) {
    await using alice = startSending("Alice", path, "bob", server);
    await assertEnd(alice, 0, /-- notes of today\.tar\.gz \(2 MB, [\d.]+ m?s, [\d.]+ [kMG]B\/s\) has reached Bob/);
    await folder.assertSame(path, name);
    // who left gives the name back a moment later
    await server.stdout.until(/left at .* as Alice\n/);
  }
  assertEquals(folder.received().length, 2);
  if (!await stops(bob)) return;
  const line = (file: string) => `-- notes of today\\.tar\\.gz \\(.*\\) from Alice is here: .*downloads.${file}\n`;
  const lines = line("notes of today\\.tar\\.gz") + line("notes of today\\.tar \\(2\\)\\.gz");
  assertMatch(bob.stderr.text(), new RegExp(`^${lines}$`));
});

Deno.test("files: what can't be is said in one line, with the exit code of what is wrong", async () => {
  await using server = await startServer();
  await using folder = await openFolder();
  const path = await folder.make("notes.pdf", 1000), { downloads } = folder;
  await using alone = startSending("Alice", path, "Bob", { ...server, flags: ["--wait", "1"] });
  await using missing = startSending("Carole", folder.path("none.pdf"), "Bob", server);
  await using noFile = startSending("Carole", downloads, "Bob", server);
  await using noFolder = startReceiving("Dave", path, "Alice", server);
  await using nowhere = startReceiving("Dave", folder.path("nowhere"), "Alice", server);
  await assertEnd(missing, 2, /There is no file '.*none\.pdf'/);
  await assertEnd(noFile, 2, /'.*downloads' is a folder; --send takes a file/);
  await assertEnd(noFolder, 2, /'.*notes\.pdf' is no folder/);
  await assertEnd(nowhere, 2, /There is no folder '.*nowhere'/);
  await assertEnd(alone, 1, /notes\.pdf did not get to Bob: nobody here has that name/);
  // none of the others has joined
  assertEquals(server.arrivals().length, 1);
  assertEquals([...Deno.readDirSync(downloads)], []);
});

Deno.test("files: in a pipe the client stays after the end of its input until the file has arrived", async () => {
  await using server = await startServer();
  await using folder = await openFolder();
  const path = await folder.make("lecture 3.pdf", 5_000_000);
  await using bob = await signIn(server.port, "Bob", { flags: ["--downloads", folder.downloads] });
  await using alice = startClient("-u", "Alice", "127.0.0.1", server.port);
  await alice.type(`/file Bob ${path}\n`);
  await alice.endInput();
  await bob.stdout.until(/^-- Alice offers you lecture 3\.pdf \(5 MB\), for .*downloads: \/accept 1 /m);
  assertEquals([...Deno.readDirSync(folder.downloads)], [], "something was written before it was accepted");
  await bob.type("/accept\nafter the file\n");
  assertEquals(await alice.exitCode(), 0, alice.stderr.text());
  assertMatch(
    alice.stderr.text(),
    /^-- Bob is asked whether to take lecture 3\.pdf\n-- lecture 3.pdf \(5 MB, .*\) has reached Bob\n$/,
  );
  await bob.stderr.until(/^-- lecture 3\.pdf \(5 MB, .*\) from Alice is here: .*downloads.lecture 3\.pdf\n/m);
  await folder.assertSame(path, "lecture 3.pdf");

  // one that is declined is a failure
  await using carole = startClient("-u", "Carole", "127.0.0.1", server.port);
  await carole.type(`/sendfile Bob ${path}\n`);
  await carole.endInput();
  await bob.stdout.until(/^-- Carole offers you .*\/decline 2$/m);
  await bob.type("/decline\n");
  assertEquals(await carole.exitCode(), 1, carole.stderr.text());
  assertMatch(
    carole.stderr.text(),
    /\n!! lecture 3\.pdf did not get to Bob: Bob does not want it\n1 file not handed over\n$/,
  );
  assertEquals(folder.received(), ["lecture 3.pdf"]);
});

signalTest(
  "files: kill -9 of the receiver or of the sender: offered again, the file goes on where it was",
  async () => {
    await using server = await startServer("--timeout", "3");
    await using ours = await openFolder();
    await using theirs = await openFolder();
    const path = await ours.make("capture.pcap", LARGE), other = await theirs.make("video.mp4", LARGE);
    await using bob = startReceiving("Bob", ours.downloads, "Alice", server);
    await using alice = startSending("Alice", path, "Bob", server);
    await using dave = startReceiving("Dave", theirs.downloads, "Carole", { ...server, flags: ["--keep"] });
    await using carole = startSending("Carole", other, "Dave", server);
    await Promise.all([
      ours.partialBeyond(BEGUN).then(() => bob.kill("SIGKILL")),
      theirs.partialBeyond(BEGUN).then(() => carole.kill("SIGKILL")),
    ]);
    await Promise.all([bob.exitCode(), carole.exitCode()]);
    const had = ours.partial()!;
    assertEquals([ours.received(), theirs.received()], [[], []]);
    // both names are free again when the server has not heard of them for its --timeout
    const goesOn = "offered again, it goes on where it was";
    await assertEnd(alice, 1, new RegExp(`capture\\.pcap did not get to Bob: Bob has left; ${goesOn}`));
    await dave.stderr.until(/^!! video\.mp4 from Carole did not get here: Carole has left.*\n/m);
    const hadToo = theirs.partial()!;

    await using aliceAgain = startSending("Alice", path, "Bob", server);
    await using bobAgain = startReceiving("Bob", ours.downloads, "Alice", server);
    await using caroleAgain = startSending("Carole", other, "Dave", server);
    await assertEnd(
      aliceAgain,
      0,
      new RegExp(`-- capture\\.pcap \\(12 MB, ${inWords(had)} of it before, .*\\) has reached Bob`),
    );
    await assertEnd(
      bobAgain,
      0,
      new RegExp(`-- capture\\.pcap \\(12 MB, ${inWords(had)} of it before, .*\\) from Alice is here: .*`),
    );
    await assertEnd(
      caroleAgain,
      0,
      new RegExp(`-- video\\.mp4 \\(12 MB, ${inWords(hadToo)} of it before, .*\\) has reached Dave`),
    );
    await ours.assertSame(path, "capture.pcap");
    await theirs.assertSame(other, "video.mp4");
    assertEquals([ours.partial(), theirs.partial()], [undefined, undefined]);
  },
);

signalTest("files: Ctrl-C of either in the middle ends it at both ends at once", async () => {
  await using server = await startServer();
  await using ours = await openFolder();
  await using theirs = await openFolder();
  const path = await ours.make("capture.pcap", LARGE), other = await theirs.make("video.mp4", LARGE);
  await using bob = startReceiving("Bob", ours.downloads, "Alice", server);
  await using alice = startSending("Alice", path, "Bob", server);
  await ours.partialBeyond(BEGUN);
  bob.kill("SIGINT");
  await assertEnd(bob, 1, /What Alice was sending is not all here: interrupted/);
  await assertEnd(alice, 1, /capture\.pcap did not get to Bob: Bob has left; offered again, it goes on where it was/);

  await using dave = startReceiving("Dave", theirs.downloads, "Carole", server);
  await using carole = startSending("Carole", other, "Dave", server);
  await theirs.partialBeyond(BEGUN);
  carole.kill("SIGTERM");
  await assertEnd(carole, 1, /\S*video\.mp4 was not sent: interrupted/);
  await assertEnd(
    dave,
    1,
    /video\.mp4 from Carole did not get here: Carole has left; offered again, it goes on where it was/,
  );
  assertEquals([ours.received(), theirs.received()], [[], []]);
  assertGreater(theirs.partial()!, BEGUN);
});

Deno.test("files: a full disk is said at both ends, and with room on it the file goes on", async () => {
  await using server = await startServer();
  await using folder = await openFolder();
  const path = await folder.make("big.iso", 3_000_000), { downloads } = folder;
  const mount = (...options: string[]) => succeeds("mount", "-t", "tmpfs", ...options, downloads);
  if (Deno.build.os !== "linux" || !await mount("-o", "size=1M", "udp-chat")) {
    return console.log("Skipped: no small disk can be mounted here: that takes Linux and root");
  }
  try {
    await using bob = startReceiving("Bob", downloads, "Alice", server);
    await using alice = startSending("Alice", path, "Bob", server);
    await assertEnd(bob, 1, /big\.iso from Alice did not get here: the disk is full: make room for \S*big\.iso\S*/);
    await assertEnd(
      alice,
      1,
      /big\.iso did not get to Bob: the disk of Bob is full; offered again, it goes on where it was/,
    );
    assertEquals(folder.received(), []);
    const had = folder.partial()!;
    assertGreater(had, 500_000);

    assert(await mount("-o", "remount,size=8M"));
    await using bobAgain = startReceiving("Bob", downloads, "Alice", server);
    await using aliceAgain = startSending("Alice", path, "Bob", server);
    assertEquals(await bobAgain.exitCode(), 0, bobAgain.stderr.text());
    await assertEnd(
      aliceAgain,
      0,
      new RegExp(`-- big\\.iso \\(3 MB, ${inWords(had)} of it before, .*\\) has reached Bob`),
    );
    await folder.assertSame(path, "big.iso");
  } finally {
    assert(await succeeds("umount", downloads));
  }
});

async function succeeds(command: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

/** A number of bytes as the client says it, in a pattern. */
function inWords(bytes: number): string {
  return formatBytes(bytes).replace(".", "\\.");
}
