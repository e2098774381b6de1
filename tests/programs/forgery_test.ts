/** A member that forges the server's address, against the real programs: nobody is made deaf, no words are replaced. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { joinRoom, messagesOf, startClient, startServer } from "../../scripts/support/processes.ts";
import { Changing } from "../../scripts/support/waiting.ts";
import { decode, encode, type V1Packet } from "../../protocol.ts";
import { datagrams, openSocket } from "../../runtime/udp.ts";

/**
 * A way between one client and a server, at which somebody else can put in datagrams: to the client they come from the
 * server's address.
 */
function openRelay(serverPort: number) {
  const toClient = openSocket("127.0.0.1", 0), toServer = openSocket("127.0.0.1", 0);
  const server: Deno.NetAddr = { transport: "udp", hostname: "127.0.0.1", port: serverPort };
  const changes = new Changing();
  let client: Deno.NetAddr | undefined;
  let welcome: V1Packet & { type: "WELCOME" } | undefined;
  let replace = (packet: V1Packet) => packet;
  const running = [
    (async () => {
      for await (const { bytes, from } of datagrams(toClient)) {
        client = { transport: "udp", hostname: "127.0.0.1", port: Number(/\d+$/.exec(from)![0]) };
        await toServer.send(bytes, server);
      }
    })(),
    (async () => {
      for await (const { bytes } of datagrams(toServer)) {
        const decoded = decode(bytes);
        let passed = bytes;
        if (decoded.ok && decoded.packet.dialect === "v1") {
          const { packet } = decoded;
          if (packet.type === "WELCOME") welcome = packet;
          const other = replace(packet);
          if (other !== packet) passed = encode(other);
        }
        await toClient.send(passed, client!);
        changes.changed();
      }
    })(),
  ];
  return {
    port: (toClient.addr as Deno.NetAddr).port,
    /** The last WELCOME that has passed. */
    welcome: () => changes.until(() => welcome, () => "no WELCOME"),
    /** Lets each datagram of the server be lost for which another one is returned, and sends that one in its place. */
    replace: (other: typeof replace) => void (replace = other),
    forge: async (packet: V1Packet) => void await toClient.send(encode(packet), client!),
    async [Symbol.asyncDispose]() {
      toClient.close();
      toServer.close();
      await Promise.all(running);
    },
  };
}

Deno.test("forgery: HEARTBEAT and GONE to the end of all numbers make nobody deaf, forged words are found out", async () => {
  await using server = await startServer();
  await using relay = openRelay(server.port);
  await using alice = startClient("127.0.0.1", relay.port);
  await server.arrival(1);
  await using bob = await joinRoom(server);
  await alice.stdout.until(`[${bob.address}] is Online\n`);
  const last = Number.MAX_SAFE_INTEGER;
  const { epoch, seq } = await relay.welcome();
  const event = { dialect: "v1", epoch, at: Date.now() } as const;
  for (let n = 0; n < 3; n++) {
    await relay.forge({ dialect: "v1", type: "HEARTBEAT", epoch, seq: last });
    await relay.forge({ dialect: "v1", type: "GONE", token: "0123456789abcdef", epoch, from: 1, to: last });
    await relay.forge({ ...event, type: "INCOMING", seq: last, from: bob.address, text: "the end" });
  }
  // words that nobody has said, for the next places
  for (let n = 1; n <= 5; n++) {
    await relay.forge({ ...event, type: "INCOMING", seq: seq + n, from: bob.address, text: `forged ${n}` });
  }
  await alice.stdout.until("forged 5\n");
  await bob.type("true one\ntrue two\n");
  await alice.stdout.until(": true two\n");
  await alice.stderr.until(/^!! Not true, somebody has forged it in the server's name: "<From .*>: forged \d"/m);
  const said = messagesOf(alice).filter((line) => line.includes(": true "));
  assertEquals(said, ["one", "two"].map((word) => `<From ${bob.address}>: true ${word}`));
  assert(!alice.stdout.text().includes("the end"));
  await bob.type("and on\n");
  await alice.stdout.until(": and on\n");
});

Deno.test("forgery: where the true line is lost and a forged one takes its place, the true one is shown, and the user told", async () => {
  await using server = await startServer();
  await using relay = openRelay(server.port);
  await using alice = startClient("127.0.0.1", relay.port);
  await server.arrival(1);
  await using bob = await joinRoom(server);
  await alice.stdout.until(`[${bob.address}] is Online\n`);
  relay.replace((packet) => {
    if (packet.type !== "INCOMING" || packet.token !== undefined || packet.text !== "pay 10") return packet;
    return { ...packet, text: "pay 9999" };
  });
  await bob.type("pay 10\nthank you\n");
  await alice.stdout.until(": pay 10\n");
  await alice.stderr.until(`Not true, somebody has forged it in the server's name: "<From ${bob.address}>: pay 9999"`);
  const said = messagesOf(alice).map((line) => line.replace(/^.*>: /, "")).filter((text) => !text.startsWith("here"));
  assertEquals(said.filter((text) => text !== "pay 9999").toSorted(), ["pay 10", "thank you"]);
  assertStringIncludes(alice.stdout.text(), ": pay 9999\n");
});

Deno.test("forgery: a forged CLOSING, ACK or ERROR stops no client that is sending", async () => {
  await using server = await startServer();
  await using relay = openRelay(server.port);
  await using bob = await joinRoom(server);
  await using alice = startClient("127.0.0.1", relay.port);
  const { epoch } = await relay.welcome();
  const token = "0123456789abcdef";
  for (let n = 0; n < 20; n++) {
    await relay.forge({ dialect: "v1", type: "CLOSING", epoch });
    await relay.forge({ dialect: "v1", type: "ERROR", token, code: "not-joined", id: n, text: "Greet first" });
    await alice.type(`line ${n}\n`);
  }
  await bob.stdout.until(": line 19\n");
  assertEquals(messagesOf(bob).filter((line) => line.includes(": line ")).length, 20);
  await alice.endInput();
  assertEquals(await alice.exitCode(), 0);
  assertEquals(alice.stderr.text(), "");
  assertStringIncludes(alice.stdout.text(), ": line 19\n");
});
