/** Broadcasts of version 1 go before classic ones, whichever waits or is under way. */
import { assertEquals, assertLess } from "@std/assert";
import { NetworkEmulator } from "../../../server/doors/network_emulator.ts";
import { UdpDoor } from "../../../server/doors/udp.ts";
import type { Dialect } from "../../../protocol.ts";
import { FakeBatchSender } from "../../support/fake_batch_sender.ts";
import { FakeSocket } from "../../support/fake_socket.ts";
import { recipientOf } from "../../support/peer_of.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** A door that sends to many at once, with recipients of 10.0.0.1: version 1 from port 1 on, classic from 20,001 on. */
function openDoor(v1: number, classic: number, sent: (copies: number) => void = () => {}) {
  const fast = new FakeBatchSender({ sent });
  const door = new UdpDoor({ socket: new FakeSocket(), fast }, new NetworkEmulator(1));
  for (let port = 1; port <= v1; port++) door.join(recipientOf(`10.0.0.1:${port}`));
  for (let port = 1; port <= classic; port++) door.join(recipientOf(`10.0.0.1:${20_000 + port}`, "classic"));
  /** The dialect and the size of each portion. */
  const portions = () => fast.portions.map((ports) => `${ports[0] <= 20_000 ? "v1" : "classic"} ${ports.length}`);
  return { door, fast, portions };
}

Deno.test("broadcast queue: what is said in version 1 leaves at once while classic copies wait", async () => {
  const { door, portions } = openDoor(3, 5000);
  for (let i = 0; i < 10; i++) {
    door.broadcast(encode("x"), "v1");
    door.broadcast(encode("x"), "classic");
  }
  assertEquals(portions(), ["v1 3", "classic 512", ...Array(9).fill("v1 3")]);
  await door.idle();
  assertEquals(portions().slice(11), [
    ...Array(7).fill("classic 512"),
    "classic 904",
    ...Array(9).fill([...Array(8).fill("classic 512"), "classic 904"]).flat(),
  ]);
});

Deno.test("broadcast queue: a large broadcast of version 1 goes before the rest of a classic one, and both are whole", async () => {
  const { door, portions } = openDoor(2000, 2000);
  door.broadcast(encode("x"), "classic");
  door.broadcast(encode("x"), "v1");
  door.broadcast(encode("y"), "v1");
  await door.idle();
  const v1 = ["v1 512", "v1 512", "v1 976"];
  assertEquals(portions(), ["classic 512", ...v1, ...v1, "classic 512", "classic 976"]);
});

Deno.test("broadcast queue: version 1 that comes in the middle of a classic broadcast leaves before its next portion", async () => {
  let said = 0;
  const { door, portions } = openDoor(3, 3000, (copies) => {
    // a datagram that arrives while a portion is sent is handled when the event loop gets a turn
    if (copies > 3 && said++ < 3) queueMicrotask(() => door.broadcast(encode("x"), "v1"));
  });
  door.broadcast(encode("x"), "classic");
  await door.idle();
  assertEquals(portions().slice(0, 6), ["classic 512", "v1 3", "classic 512", "v1 3", "classic 512", "v1 3"]);
});

Deno.test("broadcast queue: a full classic queue drops nothing of version 1, and the other way round", async () => {
  const { door } = openDoor(3, 2000);
  for (let i = 0; i < 1005; i++) door.broadcast(encode("x"), "classic");
  assertEquals(door.statistics.dropped, 5 * 2000);
  for (let i = 0; i < 1005; i++) door.broadcast(encode("x"), "v1");
  assertEquals(door.statistics.dropped, 5 * 2000);
  door.prepareToClose();
  await door.close();

  const other = openDoor(2000, 3).door;
  for (let i = 0; i < 1005; i++) other.broadcast(encode("x"), "v1");
  assertEquals(other.statistics.dropped, 5 * 2000);
  other.broadcast(encode("x"), "classic");
  assertEquals(other.statistics.dropped, 5 * 2000);
  other.prepareToClose();
  await other.close();
});

Deno.test("broadcast queue: copies that are sent one by one go before classic ones too, and each dialect keeps its order", async () => {
  const socket = new FakeSocket();
  const door = new UdpDoor({ socket, fast: { reason: "this is a test" } }, new NetworkEmulator(1));
  const dialects: Dialect[] = ["v1", "classic", "classic-line"];
  for (const dialect of dialects) {
    for (let i = 0; i < 200; i++) door.join(recipientOf(`10.0.0.${1 + dialects.indexOf(dialect)}:${1 + i}`, dialect));
  }
  for (const said of ["a", "b", "c"]) {
    for (const dialect of dialects.toReversed()) door.broadcast(encode(said), dialect);
  }
  await door.idle();
  const sent = socket.transmitted.map(({ to, text }) => `${dialects[Number(to[7]) - 1]} ${text}`);
  const runs = sent.filter((copy) => copy.startsWith("v1"));
  assertEquals(runs, ["a", "b", "c"].flatMap((said) => Array(200).fill(`v1 ${said}`)));
  assertLess(sent.lastIndexOf("v1 c"), 600 + 2 * 64, "only what was under way goes before");
  const classic = sent.filter((copy) => !copy.startsWith("v1"));
  assertEquals(
    classic,
    ["a", "b", "c"].flatMap((said) => ["classic-line", "classic"].flatMap((to) => Array(200).fill(`${to} ${said}`))),
  );
});

Deno.test("broadcast queue: a broadcast that is for nobody leaves nothing behind, whatever is under way", async () => {
  const { door, portions } = openDoor(2000, 0);
  const only = recipientOf("10.0.0.1:20001", "classic");
  door.join(only);
  door.broadcast(encode("x"), "v1");
  for (let i = 0; i < 2; i++) door.broadcast(encode("x"), "classic", only);
  door.broadcast(encode("x"), "classic");
  await door.idle();
  assertEquals(portions(), ["v1 512", "v1 512", "v1 976", "classic 1"]);
  door.broadcast(encode("x"), "classic");
  assertEquals(portions().length, 5, "nothing is waited for");
});
