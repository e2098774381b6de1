/** Files between a real client and members that do not do as they should, and those whose programs can't take files. */
import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { createHash } from "node:crypto";
import { randomHex64 } from "../../protocol/fields.ts";
import { type Process, start, startClient, startServer } from "../../scripts/support/processes.ts";
import { openPeer } from "../support/classic_peer.ts";
import { openFilePeer } from "../support/file_peer.ts";
import { openFolder, startSending } from "../support/file_programs.ts";
import { signIn } from "../support/signed_in.ts";
import { hasProgram } from "../support/tcp_peers.ts";

/** What no line on a terminal may have: controls but for the line feed, and what turns the direction of a text. */
// deno-lint-ignore no-control-regex
const HARMFUL = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const CONTENT = new TextEncoder().encode("0123456789".repeat(100));
const HASH = createHash("sha256").update(CONTENT).digest("hex");

Deno.test("files, hostile: whatever a sender sends, nothing gets out of the folder, and a proper file still comes", async () => {
  await using server = await startServer();
  await using folder = await openFolder();
  await using bob = await signIn(server.port, "Bob", { flags: ["--downloads", folder.downloads] });
  let offers = 0;

  /** Has a member offer a file, and Bob take it. */
  async function taken(mallory: Awaited<ReturnType<typeof openFilePeer>>, name: string, size = 1000, hash = HASH) {
    const file = await mallory.offer(name, size, hash);
    await bob.stdout.until(`/accept ${++offers} `);
    await bob.type(`/accept ${offers}\n`);
    await mallory.hear("SACK", file, "next=0");
    return {
      data: (id: number, offset: number, octets: Uint8Array) => mallory.say({ type: "DATA", file, id, offset, octets }),
      end: async () => /code=(\S+)/.exec(await mallory.hear("END", file))![1],
    };
  }

  await using mallory = await openFilePeer(server.port, "Mallory");
  await mallory.meet("Bob");
  const names = {
    "../../.bashrc": "bashrc",
    "C:\\Windows\\CON": "_CON",
    "\x1b]0;owned\x07\x1b[2J\u202efdp.exe\u2066\r": "]0;owned[2Jfdp.exe",
  };
  for (const name of Object.keys(names)) {
    const { data, end } = await taken(mallory, name);
    // a number as great as there are
    await data(Number.MAX_SAFE_INTEGER, 0, CONTENT);
    assertEquals(await end(), "done");
  }
  const beyond = await taken(mallory, "beyond");
  await beyond.data(1, 500, CONTENT.subarray(0, 501));
  assertEquals(await beyond.end(), "wrong-data");
  const far = await taken(mallory, "far");
  await far.data(1, Number.MAX_SAFE_INTEGER, CONTENT.subarray(0, 1));
  assertEquals(await far.end(), "wrong-data");

  await using trudy = await openFilePeer(server.port, "Trudy");
  await trudy.meet("Bob");
  const short = await taken(trudy, "short", 999);
  await short.data(1, 0, CONTENT.subarray(0, 999));
  assertEquals(await short.end(), "wrong-hash");
  const other = await taken(trudy, "other", 1000, "5e".repeat(32));
  await other.data(1, 0, CONTENT);
  assertEquals(await other.end(), "wrong-hash");
  const endless = await taken(trudy, "endless", Number.MAX_SAFE_INTEGER);
  await bob.type("/cancel\n");
  assertEquals(await endless.end(), "cancelled");

  const flood = Array.from({ length: 20_000 }, () => randomHex64());
  for (const file of flood) await trudy.say({ type: "OFFER", file, size: 1, hash: HASH, text: "flood" });
  const path = await folder.make("proper.pdf", 1_000_000);
  await using alice = startSending("Alice", path, "Bob", server);
  const [, number] = await bob.stdout.until(/^-- Alice offers you proper\.pdf \(1 MB\), .*: \/accept (\d+) /m);
  await bob.type(`/accept ${number}\n`);
  assertEquals(await alice.exitCode(), 0, alice.stderr.text());
  await folder.assertSame(path, "proper.pdf");

  assertEquals(folder.received(), [...Object.values(names), "proper.pdf"].sort());
  assertEquals(folder.partial(), undefined);
  assertEquals([...Deno.readDirSync(folder.path("."))].map(({ name }) => name).sort(), ["downloads", "proper.pdf"]);
  assertNotMatch(bob.stdout.text() + bob.stderr.text(), HARMFUL);
  const shown = bob.stdout.text().match(/^-- Trudy offers you/mg)!.length;
  assert(shown <= 10, `${shown} offers of one member were shown`);
});

Deno.test("files, hostile: a receiver that says what is not so gets nothing more, and one that takes nothing no flood", async () => {
  await using server = await startServer();
  await using folder = await openFolder();
  // text, as the members below take nothing else
  const size = 2_000_000, path = folder.path("notes.txt");
  await Deno.writeTextFile(path, "x".repeat(size));

  /** A member that Alice sends the file to, and the name of the transfer. */
  async function receiver(name: string) {
    const peer = await openFilePeer(server.port, name);
    const sender = startSending(`to-${name}`, path, name, server);
    const { text } = await peer.until(/^OFFER\/1 /);
    await peer.meet(`to-${name}`);
    return {
      ...{ peer, sender, file: / file=([0-9a-f]+)/.exec(text)![1] },
      async [Symbol.asyncDispose]() {
        for (const each of [peer, sender]) await each[Symbol.asyncDispose]();
      },
    };
  }

  const fails = async (sender: Process, why: string) => {
    assertEquals(await sender.exitCode(), 1, sender.stderr.text());
    assertEquals(sender.stderr.text(), `notes.txt did not get to ${why}\n`);
  };
  const begun = ["Early", "Liar", "Idle"].map(receiver);
  await using early = await begun[0];
  await using liar = await begun[1];
  await using idle = await begun[2];
  for (const { peer, file } of [early, liar]) {
    await peer.say({ type: "SACK", file, next: 0, room: 10_000 });
    await peer.hear("DATA", file);
  }
  await idle.peer.say({ type: "SACK", file: idle.file, next: 0, room: 0 });
  await early.peer.say({ type: "END", file: early.file, code: "done" });
  await liar.peer.say({ type: "SACK", file: liar.file, next: size, room: 10_000 });
  await fails(early.sender, "Early: the program of Early does not do as it should");
  await fails(liar.sender, "Liar: the program of Liar says that it has what it can't have");
  assertMatch(await liar.peer.hear("END", liar.file), /code=wrong-data/);
  // the others took some octets, and it has been there as long
  assert(idle.peer.received.filter(({ text }) => text.startsWith("DATA/1")).length < 5);
  assert(!idle.sender.ended(), idle.sender.stderr.text());
});

Deno.test("files, others: members with nc or a classic program are told that a file is offered, and the sender that they can't take it", async () => {
  await using server = await startServer();
  await using folder = await openFolder();
  const path = await folder.make("notes.pdf", 28_600);
  await using dave = openPeer();
  await dave.send("SIGN-IN Dave", server.port);
  const others = [await server.arrival(1)];
  const hasNc = await hasProgram("nc");
  if (!hasNc) console.log("Skipped in part: there is no nc");
  await using nc = hasNc ? start(["nc", "127.0.0.1", String(server.port)]) : undefined;
  if (nc) others.push(await server.arrival(2));
  await using alice = startClient("-u", "Alice", "127.0.0.1", server.port);
  await alice.type(others.map((address) => `/file ${address} ${path}\n`).join(""));
  await alice.endInput();
  assertEquals(await alice.exitCode(), 1, alice.stderr.text());
  const offered =
    /<From \S*:Alice>.*: \* Alice offers you the file "notes\.pdf" \(28\.6 kB\); your program can't take it/;
  await dave.until(offered);
  await nc?.stdout.until(offered);
  assertEquals(
    alice.stderr.text().match(/^!! notes\.pdf did not get to \S+: the program of \S+ can't take files$/mg)?.length,
    others.length,
  );
});
