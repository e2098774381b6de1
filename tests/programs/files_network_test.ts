/** Files between two homes, each behind its own NAT, with the server outside: directly, through the server, and both. */
import { assert, assertEquals, assertNotMatch } from "@std/assert";
import { commandOf, start } from "../../scripts/support/processes.ts";
import { openFolder, startReceiving } from "../support/file_programs.ts";
import { openHomes } from "../support/homes.ts";
import { signIn } from "../support/signed_in.ts";

const PORT = 9090;
/** Makes a NAT drop what is not from or to the server, once so much of it has passed. */
const CUT = `
table ip cut {
  chain direct {
    type filter hook forward priority -1;
    udp sport ${PORT} accept
    udp dport ${PORT} accept
    quota over 1 mbytes drop
  }
}`;
const RELAYED = "-- Bob can't be reached directly; sending through the server. /direct only forbids that\n";

Deno.test("files, nat: a file passes two NATs directly; the way is cut in the middle, and it goes on through the server", async () => {
  const homes = await openHomes();
  if (typeof homes === "string") return console.log(`Skipped: ${homes}`);
  await using _ = homes;
  await using folder = await openFolder();
  await using server = start(homes.inside("server", [...commandOf("server"), String(PORT), "--relay-rate", "2M"]));
  await server.stdout.until(new RegExp(`client.*${PORT}\n`));
  const path = await folder.make("lecture.pdf", 3_000_000);
  await using bob = await signIn(PORT, "Bob", { ...homes.at("bob"), flags: ["--downloads", folder.downloads] });
  await using alice = await signIn(PORT, "Alice", homes.at("alice"));
  await homes.nft("bob_nat", CUT);
  await alice.type(`/file Bob ${path}\n`);
  await bob.stdout.until(/^-- Alice offers you lecture\.pdf/m);
  await bob.type("/accept\n");
  await folder.partialBeyond(300_000);
  assertNotMatch(alice.stderr.text(), /through the server/);
  await alice.stderr.until(RELAYED);
  await folder.partialBeyond(1_200_000);
  await bob.type("/files\n");
  await bob.stderr.until(/^-- 1\. lecture\.pdf .*\(through the server\)\n/m);
  await alice.stderr.until(/^-- lecture\.pdf \(3 MB, .*\) has reached Bob\n/m);
  await bob.stderr.until(/^-- lecture\.pdf \(3 MB, .*\) from Alice is here: /m);
  await folder.assertSame(path, "lecture.pdf");
});

Deno.test("files, nat: between two symmetric NATs a file goes through the server", async () => {
  const homes = await openHomes({ isSymmetric: true });
  if (typeof homes === "string") return console.log(`Skipped: ${homes}`);
  await using _ = homes;
  await using folder = await openFolder();
  await using server = start(homes.inside("server", [...commandOf("server"), String(PORT), "--relay-rate", "2M"]));
  await server.stdout.until(new RegExp(`client.*${PORT}\n`));
  const path = await folder.make("lecture.pdf", 700_000);
  await using bob = startReceiving("Bob", folder.downloads, "Alice", { ...homes.at("bob"), port: PORT });
  await server.stdout.until("as Bob\n");
  await using alice = await signIn(PORT, "Alice", homes.at("alice"));
  await alice.type(`/file Bob ${path}\n`);
  await alice.endInput();
  assertEquals([await alice.exitCode(), await bob.exitCode()], [0, 0], alice.stderr.text() + bob.stderr.text());
  assert(alice.stderr.text().includes(RELAYED), alice.stderr.text());
  await folder.assertSame(path, "lecture.pdf");
});
