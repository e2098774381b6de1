/** Files as people hand them to each other: typed in a terminal, with the keys that they press. */
import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { commandOf, type Server, startServer, TESTS_BINARIES } from "../../scripts/support/processes.ts";
import { type Folder, openFolder } from "../support/file_programs.ts";
import { signIn } from "../support/signed_in.ts";
import { HAS_TMUX, quoted, startTmux, type Terminal, type Tmux } from "../support/tmux.ts";

/** What lets a server take a while for a file: a member with an IPv4 and one with an IPv6 address go through it. */
const SLOW = ["--host", "::", "--relay-rate", "2M"];

/** Shows rows as they are broken. */
const ROWS = { rows: true };

/** A test that needs a terminal. */
function terminalTest(name: string, fn: () => Promise<void>): void {
  const reason = HAS_TMUX ? "" : " (skipped: tmux is not installed)";
  Deno.test({ name: `files, terminal: ${name}${reason}`, ignore: !HAS_TMUX, fn });
}

/** How a client is started. */
interface JoinOptions {
  flags?: string[];
  command?: string[];
  host?: string;
}

/** Opens a terminal with a client that signs in with a name. */
async function join(
  tmux: Tmux,
  server: Server,
  name: string,
  { flags = [], command = commandOf("client"), host = "127.0.0.1" } = {} as JoinOptions,
): Promise<Terminal> {
  const words = [...command, "-u", name, ...flags, host, String(server.port)];
  const terminal = await tmux.open(words.map(quoted).join(" "), { columns: 150 });
  await server.stdout.until(`as ${name}\n`);
  await terminal.until(/^\+>$/m);
  return terminal;
}

async function enter(terminal: Terminal, line: string): Promise<void> {
  await terminal.type(line);
  await terminal.press("Enter");
}

/** Types what offers a file to Bob, its path completed by Tab. */
async function offer(terminal: Terminal, folder: Folder, begun: string, whole: string): Promise<void> {
  await terminal.type(`/file Bob ${folder.path(begun)}`);
  await terminal.press("Tab");
  await terminal.until(new RegExp(`^\\+> /file Bob \\S*/${whole}$`, "m"));
  await terminal.press("Enter");
}

terminalTest(
  "Tab completes the path, the offer is shown, and a line tells how far it is while another is typed",
  async () => {
    await using server = await startServer(...SLOW);
    await using folder = await openFolder();
    await using tmux = await startTmux();
    const path = await folder.make("notes.pdf", 3_000_000);
    const [alice, bob] = await Promise.all([
      join(tmux, server, "Alice"),
      join(tmux, server, "Bob", { flags: ["--downloads", folder.downloads], host: "::1" }),
    ]);
    await enter(alice, "/files");
    await alice.until(/^-- No file is offered or under way$/m);
    await offer(alice, folder, "no", "notes\\.pdf");
    await alice.until(/^-- Bob is asked whether to take notes\.pdf$/m);
    await bob.until(
      /^-- Alice offers you notes\.pdf \(3 MB\), for \S*downloads: \/accept 1 or \/decline 1$/m,
    );
    await enter(alice, "/files");
    await alice.until(/^-- 1\. notes\.pdf \(3 MB\) to Bob: waits for Bob to accept it$/m);
    await enter(bob, "/files");
    await bob.until(/^-- 1\. notes\.pdf \(3 MB\) from Alice: waits for your \/accept 1 or \/decline 1$/m);
    await alice.type("half a");

    await enter(bob, "/accept");
    // right above the line that is being typed, at both ends
    const progress = String.raw`: \d+%, [\d.]+ [kM]?B of 3 MB, .*B/s, \d+ s left \(through the server\)\n\+>`;
    await Promise.all([
      alice.until(new RegExp(`^-> notes\\.pdf to Bob${progress} half a$`, "m")),
      bob.until(new RegExp(`^<- notes\\.pdf from Alice${progress}$`, "m")),
    ]);
    await alice.type(" line");
    const [there, here] = await Promise.all([
      alice.until(/^-- notes\.pdf \(3 MB, .*\) has reached Bob\n\+> half a line$/m),
      bob.until(/^-- notes\.pdf \(3 MB, .*\) from Alice is here: \S*downloads\/notes\.pdf\n\+>$/m),
    ]);
    assertNotMatch(there + here, /\d%/);
    await folder.assertSame(path, "notes.pdf");
    // what was typed is said, and nothing else
    await alice.press("Enter");
    assertMatch(await bob.until(/:Alice>: half a line$/m), /^\d\d:\d\d <From \S*:Alice>: half a line$/m);
  },
);

terminalTest("an offer is declined, a transfer is cancelled by either, and chat goes on meanwhile", async () => {
  await using server = await startServer(...SLOW);
  await using folder = await openFolder();
  await using tmux = await startTmux();
  await folder.make("notes.pdf", 3_000_000);
  const [alice, bob] = await Promise.all([
    join(tmux, server, "Alice"),
    join(tmux, server, "Bob", { flags: ["--downloads", folder.downloads], host: "::1" }),
  ]);
  await offer(alice, folder, "no", "notes\\.pdf");
  await bob.until(/\/decline 1$/m);
  await enter(bob, "/decline");
  await bob.until(/^-- You have declined notes\.pdf from Alice$/m);
  await alice.until(/^!! notes\.pdf did not get to Bob: Bob does not want it$/m);
  await enter(bob, "/accept");
  await bob.until(/^!! No file is offered to you$/m);

  for (const [n, [canceller, other]] of [[alice, bob], [bob, alice]].entries()) {
    await offer(alice, folder, "no", "notes\\.pdf");
    await bob.until(new RegExp(`/decline ${n + 2}$`, "m"));
    await enter(bob, "/accept");
    await folder.partialBeyond(500_000 * (1 + 4 * n));
    await enter(canceller, "/cancel");
    await enter(other, `chat ${n}`);
    await canceller.until(/^-- You have ended the transfer of notes\.pdf (?:from Alice|to Bob)\n/m);
    const told = canceller === alice
      ? /^!! notes\.pdf from Alice did not get here: Alice has ended it; offered again, it goes on where it was\n/m
      : /^!! notes\.pdf did not get to Bob: Bob has ended it; offered again, it goes on where it was\n/m;
    await other.until(told);
    for (const each of [alice, bob]) await each.until(new RegExp(`>: chat ${n}\\n`));
  }
  assertEquals(folder.received(), []);
});

terminalTest(
  "without the permissions for files the client chats and asks for nothing, and says which is missing",
  async () => {
    if (TESTS_BINARIES) return console.log("Skipped: a compiled client has the permissions");
    await using server = await startServer();
    await using folder = await openFolder();
    await using tmux = await startTmux();
    await folder.make("notes.pdf", 1000);
    // older Denos ask for the variable TERM as soon as there is a terminal
    const command = [Deno.execPath(), "run", "--allow-net", "--allow-env", "client.ts"];
    await using carole = await signIn(server.port, "Carole");
    const [alice, bob] = await Promise.all([
      join(tmux, server, "Alice", { command }),
      join(tmux, server, "Bob", { command }),
    ]);
    await enter(alice, "hello");
    await bob.until(/:Alice>: hello\n/);
    await alice.type(`/file Bob ${folder.path("no")}`);
    await alice.press("Tab");
    // what comes all at once counts as pasted, and then a tab stays one
    await alice.type("tes.pdf");
    await alice.press("Enter");
    await alice.until(
      /^!! \S*no\s*tes\.pdf did not get to Bob: Deno was not given the permission to read files: start with --allow-read \(or -A\)$/m,
    );
    await carole.type(`/file Bob ${folder.path("notes.pdf")}\n`);
    await bob.until(/^-- Carole offers you notes\.pdf .*$/m);
    await enter(bob, "/accept");
    await bob.until(
      /^!! notes\.pdf from Carole did not get here: Deno was not given the permission to (?:read|write) files: start with --allow-(?:read|write) \(or -A\)$/m,
    );
    await carole.stderr.until("!! notes.pdf did not get to Bob: Bob may not write files where it wants them\n");
    await enter(bob, "still here");
    for (const terminal of [alice, bob]) {
      assertNotMatch(await terminal.until(/:Bob>: still here$/m), /Deno requests|Allow\?/);
    }
  },
);

terminalTest("scripts tell there what they wait for, and no word of why they fail is broken", async () => {
  await using server = await startServer();
  await using folder = await openFolder();
  await using tmux = await startTmux();
  const path = await folder.make("notes.pdf", 10);
  const script = (...flags: string[]) => {
    const words = [...commandOf("client"), ...flags, "127.0.0.1", String(server.port)];
    return tmux.open(`${words.map(quoted).join(" ")}; cat`, { columns: 40 });
  };
  const bob = await script("-u", "Bob", "--receive", folder.downloads, "--from", "Alice");
  await bob.until(/^-- Waiting for a file from Alice;\n\| Ctrl-C ends$/m, ROWS);
  const alice = await script("-u", "Alice", "--send", path, "--to", "Bob");
  await alice.until(/^-- Bob is asked whether to take\n\| notes\.pdf$/m, ROWS);
  const shown = await bob.until(/is here:/, ROWS);
  assertMatch(shown, /^-- notes\.pdf from Alice is coming into$/m);
  const late = await script("-u", "Carole", "--send", path, "--to", "Nobody", "--wait", "0");
  await late.until(/^\| [^|]*name$/m, ROWS);
});
