/** Direct messages from homes whose NATs take another port for each destination, with the server outside. */
import { assertEquals, assertGreater, assertMatch, assertNotEquals } from "@std/assert";
import { commandOf, start } from "../../scripts/support/processes.ts";
import { openCapture } from "../support/capture.ts";
import { ALICE_OUTSIDE, ALICE_WIRE, openHomes } from "../support/homes.ts";
import { hasPython } from "../support/python.ts";
import { signIn } from "../support/signed_in.ts";

const PORT = 9090;

Deno.test("symmetric nat: between two of them a direct message passes through the server, with an open network it does not", async () => {
  if (!await hasPython()) return console.log("Skipped: there is no python3");
  const homes = await openHomes({ isSymmetric: true });
  if (typeof homes === "string") return console.log(`Skipped: ${homes}`);
  await using _ = homes;
  await using wire = await openCapture(ALICE_WIRE, (command) => homes.inside("server", command));
  await using server = start(homes.inside("server", [...commandOf("server"), String(PORT)]));
  await server.stdout.until(new RegExp(`client.*${PORT}\n`));
  await using alice = await signIn(PORT, "Alice", homes.at("alice"));
  await using bob = await signIn(PORT, "Bob", homes.at("bob"));

  await alice.type("send Bob one\nsend Bob two\n");
  await bob.stdout.until(`<- <From ${alice.address}:Alice> (through the server): two\n`);
  await alice.stderr.until("-- Delivered to Bob (through the server): two\n");
  await bob.type("/reply three\n");
  await alice.stdout.until(`<- <From ${bob.address}:Bob> (through the server): three\n`);
  assertEquals([...bob.stdout.text().matchAll(/^<- .*: (.*)$/mg)].map(([, text]) => text), ["one", "two"]);

  // it has been tried: from another port than the one that the server sees, so no punched hole could fit
  await wire.until("three");
  const toBob = wire.datagrams().filter(({ to }) => to === bob.address.replace(":", "|"));
  assertGreater(toBob.length, 0);
  for (const { from } of toBob) {
    assertMatch(from, new RegExp(`^${ALICE_OUTSIDE.replaceAll(".", "\\.")}\\|`));
    assertNotEquals(from, alice.address.replace(":", "|"));
  }

  // with somebody whose network is open all goes directly, whoever begins
  const outside = homes.at("server");
  await using carole = await signIn(PORT, "Carole", { ...outside, flags: ["--no-relay"] });
  await carole.type("send Alice four\nsend Alice five\n");
  await alice.stdout.until(`<- <From ${carole.address}:Carole>: five\n`);
  await carole.stderr.until("-- Delivered to Alice: five\n");
  await alice.type("/reply six\n");
  await carole.stdout.until(`<- <From ${alice.address}:Alice>: six\n`);
  // who begins is answered there
  await using dave = await signIn(PORT, "Dave", outside);
  await bob.type("send Dave seven\n");
  await dave.stdout.until(`<- <From ${bob.address}:Bob>: seven\n`);
  await dave.type("/reply eight\n");
  await bob.stdout.until(`<- <From ${dave.address}:Dave>: eight\n`);
});
