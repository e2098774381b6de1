/** The recipients that are set aside: who is tried again when, and who is back. */
import { assertEquals } from "@std/assert";
import { AbsentRecipients } from "../../../server/doors/absent_recipients.ts";
import { Neighbours } from "../../../server/doors/neighbours.ts";
import { recipientOf } from "../../support/peer_of.ts";

/** Absent recipients, and the system's table of neighbours, which is looked at every 100 ms. */
function open(table = new Map<string, boolean>()) {
  const neighbours = new Neighbours({ read: () => table, localNetworks: () => [] });
  neighbours.look(0);
  return { table, neighbours, absent: new AbsentRecipients(neighbours, 0) };
}

const at = (host: string, port = 1) => recipientOf(`${host}:${port}`);
const hostsOf = (recipients: { address: string }[]) => recipients.map(({ address }) => address.split(":")[0]);

Deno.test("absent recipients: members that were validated, and neighbours that were once there, have turns of their own", () => {
  const { absent, table, neighbours } = open(new Map([["10.0.0.8", true]]));
  table.set("10.0.0.8", false);
  neighbours.look(100);
  for (let i = 0; i < 20; i++) absent.add(at(`10.0.1.${i}`), 100);
  absent.add({ ...at("10.0.0.7"), validated: true }, 100);
  absent.add(at("10.0.0.8"), 100);
  assertEquals(hostsOf(absent.takeTurns(5100)), [
    ...["10.0.0.7", "10.0.0.8"],
    ...["10.0.1.0", "10.0.1.1", "10.0.1.2", "10.0.1.3"],
  ]);
});

Deno.test("absent recipients: of one address another is tried where the first is left out, and nobody is counted twice", () => {
  const { absent } = open();
  const recipients = [at("10.0.0.7", 1), at("10.0.0.7", 2)];
  for (const recipient of recipients) absent.add(recipient, 0);
  assertEquals([absent.size, absent.list()], [2, recipients]);
  assertEquals(absent.takeTurns(5000, recipients[0]), [recipients[1]]);
  assertEquals([absent.delete(recipients[1]), absent.delete(recipients[1])], [true, false]);
  assertEquals(absent.takeTurns(10_000, recipients[0]), []);
  absent.delete(recipients[0]);
  // an address of which nobody is left has no turn any more
  for (let i = 0; i < 4; i++) absent.add(at(`10.0.1.${i}`), 10_000);
  assertEquals(hostsOf(absent.takeTurns(15_000)), ["10.0.1.0", "10.0.1.1", "10.0.1.2", "10.0.1.3"]);
  assertEquals(absent.size, 4);
});

Deno.test("absent recipients: all of an address are back at once", () => {
  const { absent, table, neighbours } = open(new Map([["10.0.0.7", false], ["10.0.0.8", false]]));
  const recipients = [at("10.0.0.7", 1), at("10.0.0.7", 2), at("10.0.0.8")];
  for (const recipient of recipients) absent.add(recipient, 0);
  table.set("10.0.0.7", true);
  neighbours.look(100);
  assertEquals([absent.takePresent(), absent.size], [recipients.slice(0, 2), 1]);
});
