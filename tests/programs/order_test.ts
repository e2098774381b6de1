/** A server on which order is kept: by its terminal and by an operator, over any door, and over a restart. */
import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { decode, encode, type V1Packet } from "../../protocol.ts";
import { commandOf, type Process, start, startServer } from "../../scripts/support/processes.ts";
import { openState } from "../../server/journal/state_file.ts";
import { accountOf, answerTo } from "../support/accounts.ts";
import { openPeer, type Peer } from "../support/classic_peer.ts";
import type { Body, V1 } from "../support/fake_room.ts";
import { openHall, SERVER_ADDRESS } from "../support/hall.ts";
import { signIn } from "../support/signed_in.ts";
import { openFolder } from "../support/state_files.ts";
import { TcpProgram } from "../support/tcp_room.ts";
import { joinV1 } from "../support/v1_peer.ts";

const TOKEN = "a11ce00000000001", STREAM = "c07d5f3be8192a64", PASSWORD = "correct horse battery";
let lastId = 5000;

/** Sends a packet in version 1 until the answer with its id comes, and returns that. */
async function ask<T extends V1Packet["type"]>(peer: Peer, port: number, type: T, body: Omit<Body<T>, "id">) {
  const id = ++lastId;
  await peer.send(encode({ dialect: "v1", type, id, ...body } as unknown as V1Packet), port);
  const { text } = await peer.until(new RegExp(`^(?!ACK)[A-Z]+/1 .*\\bid=${id}\\b`));
  const decoded = decode(new TextEncoder().encode(text));
  if (!decoded.ok) throw new Error(decoded.reason);
  return decoded.packet as V1Packet;
}

/** Signs Alice in with her password. */
async function signAliceIn(peer: Peer, port: number): Promise<V1<"WELCOME">> {
  const name = "Alice", retry = await ask(peer, port, "SIGN-IN", { name }) as V1<"RETRY">;
  const greeting = { name, token: TOKEN, cookie: retry.cookie };
  const challenge = await ask(peer, port, "SIGN-IN", greeting) as V1<"CHALLENGE">;
  const { proof } = answerTo(challenge, { name, token: TOKEN, password: PASSWORD });
  return await ask(peer, port, "SIGN-IN", { ...greeting, ...proof }) as V1<"WELCOME">;
}

/** Lets Alice give an order, and returns what she reads. */
async function order(peer: Peer, port: number, text: string): Promise<string> {
  const answer = await ask(peer, port, "COMMAND", { token: TOKEN, text });
  return "text" in answer ? answer.text : answer.type;
}

async function connect(port: number): Promise<TcpProgram> {
  return new TcpProgram(await Deno.connect({ hostname: "127.0.0.1", port }));
}

Deno.test("order: an operator mutes, kicks and bans whoever it is, and after a crash bans, operator and topic are there", async () => {
  using folder = openFolder();
  const { accountTable, close } = openState(folder.file());
  accountTable.put(accountOf("Alice", PASSWORD));
  close();
  const first = await startServer("--state", folder.file());
  await using _ = first;
  const { port } = first;
  await using alice = openPeer();
  assertEquals((await signAliceIn(alice, port)).name, "Alice");
  assertEquals(
    await order(alice, port, "topic Sockets"),
    "Only an operator may do that; who runs the server makes one by op NAME",
  );
  await first.type("op Alice\n");
  await first.stdout.until("[Server] Alice is an operator now\n");
  await alice.until(/^NOTICE\/1 .*\nAlice is an operator now$/);

  await using v1 = openPeer();
  const token = await joinV1(v1, port, { name: "Vera" });
  await using classic = openPeer();
  await classic.send("SIGN-IN Carol", port);
  await classic.until(/Signed in as Carol/);
  await using tcp = await connect(port);
  await tcp.write("/name Tom\n");
  await tcp.until("Signed in as Tom\n");

  for (const name of ["Vera", "Carol", "Tom"]) {
    assertEquals(await order(alice, port, `mute ${name} 5`), "", "the notice says it");
    await first.stdout.until(`[Server] ${name} was muted by Alice for 5 minutes\n`);
  }
  await first.type("status\n");
  await first.stdout.until("3 members muted; mutes lists them\n");
  await tcp.until("!! You were muted by Alice for 5 minutes\n");
  await tcp.until("[Server] Tom was muted by Alice for 5 minutes\n");
  await classic.until(/^INCOMING \[Server\] Carol was muted by Alice for 5 minutes\n$/);
  await v1.send(encode({ dialect: "v1", type: "MESSAGE", token, stream: STREAM, id: 1, text: "from Vera" }), port);
  await classic.send("MESSAGE from Carol", port);
  await tcp.write("from Tom\n");
  await v1.until(/^ERROR\/1 .*code=muted id=1 stream=\w+\nYou are muted for 5 more minutes$/);
  await classic.until(/^INCOMING !! Not said: you are muted for 5 more minutes\n$/);
  await tcp.until("!! Not said: you are muted for 5 more minutes\n");
  await first.type("unmute Tom\n");
  await tcp.until("[Server] Tom was unmuted\n");
  await tcp.write("at last\n");
  await alice.until(/^INCOMING\/1 .*\nat last$/);
  assertNotMatch(alice.received.map(({ text }) => text).join("\n"), /\nfrom (Vera|Carol|Tom)/);

  assertEquals(await order(alice, port, "kick Vera too loud"), "");
  await v1.until(/^ERROR\/1 .*code=kicked\nYou were kicked by Alice: too loud$/);
  assertEquals(await order(alice, port, "ban Carol"), "Carol is banned");
  await classic.until(/^INCOMING !! You were banned by Alice\n$/);
  assertEquals(await order(alice, port, "ban Tom 60"), "Tom is banned for 60 minutes");
  assertMatch(await tcp.end(), /!! You were banned by Alice for 60 minutes\n$/);
  assertEquals(await order(alice, port, "topic Sockets"), "");
  assertMatch(await order(alice, port, "ban 127.0.0.1"), /own machine, which no ban hits$/);

  first.kill("SIGKILL");
  await first.exitCode();
  await using second = await startServer(String(port), "--state", folder.file());
  await second.stdout.until("[Server] The server was started anew: whoever was muted may speak again\n");
  await second.type("bans\n");
  await second.stdout.until(/^Tom is banned for 60 more minutes\nCarol is banned until you type unban Carol\n/m);
  const welcome = await ask(alice, port, "GREETING", { token: TOKEN }) as V1<"WELCOME">;
  assertEquals([welcome.name, welcome.topic], ["Alice", "Sockets"]);
  await using again = await connect(port);
  await again.write("/name Tom\n");
  await again.until("The name Tom is banned for 60 more minutes; choose another\n");
  assertEquals(await order(alice, port, "unban Tom"), "");
  await again.write("/name Tom\n");
  await again.until("Signed in as Tom\n");
  assertEquals(await order(alice, port, "lock"), "");
  await using late = await connect(port);
  assertEquals(await late.end(), "!! The room is locked: nobody new may come in now\n");
});

Deno.test("order: in a hall a flooding client is kicked by its name, and banned by its address; the others go on", async () => {
  const hall = await openHall();
  if (typeof hall === "string") return console.log(`Skipped: ${hall}`);
  await using _ = hall;
  const port = 9002;
  await using server = start(hall.inside("server", [...commandOf("server"), String(port)]));
  await server.stdout.until(new RegExp(`client.*${port}\n`));
  const join = (name: string, place: "alice" | "bob") =>
    signIn(port, name, { host: SERVER_ADDRESS, inside: (command) => hall.inside(place, command) });
  await using alice = await join("Alice", "alice");
  const flood = async (client: Process, text: string) => {
    await client.type(`${text}\n`.repeat(400));
    await alice.stdout.until(`: ${text}\n`);
  };
  await using bob = await join("Bob", "bob");
  await flood(bob, "buy");
  await server.type("kick Bob flooding\n");
  await server.stdout.until("[Server] Bob was kicked: flooding\n");
  await alice.stdout.until("[Server] Bob was kicked: flooding\n");
  await bob.stderr.until("You were kicked: flooding");

  await using rob = await join("Rob", "bob");
  await flood(rob, "sell");
  await server.type(`ban ${SERVER_ADDRESS}\n`);
  await server.stdout.until(`${SERVER_ADDRESS} is this server's own machine, which no ban hits\n`);
  await server.type("ban 10.73.0.12 30\n");
  await server.stdout.until("10.73.0.12 is banned for 30 minutes: Rob had to go\n");
  await rob.stderr.until("Your IP address was banned for 30 minutes");
  const command = [...commandOf("client"), "-u", "Other", SERVER_ADDRESS, String(port)];
  await using nobody = start(hall.inside("bob", command));
  await nobody.stderr.until("Your IP address is banned for 30 more minutes");
  // what the flood had said before may still be on its way
  await alice.type("peace\n");
  await alice.stdout.until(`<From ${alice.address}:Alice>: peace\n`);
  await server.type("unban 10.73.0.12\n");
  await server.stdout.until("[Server] 10.73.0.12 was unbanned\n");
  await using back = await join("Bert", "bob");
  await back.type("sorry\n");
  await alice.stdout.until(`<From ${back.address}:Bert>: sorry\n`);
});
