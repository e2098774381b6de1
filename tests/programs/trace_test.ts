/** --trace with real programs: what it says of typical mistakes, that a flood hides none, and that no secret is shown. */
import { assert, assertEquals, assertGreater, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { encode } from "../../protocol.ts";
import { type Server, startClient, startServer, TESTS_BINARIES } from "../../scripts/support/processes.ts";
import { DEADLINE_MS } from "../../scripts/support/waiting.ts";
import { openPeer, type Peer } from "../support/classic_peer.ts";
import { openGateway } from "../support/gateway.ts";
import { openServerByHand, withSum } from "../support/server_by_hand.ts";
import { stops } from "../support/signals.ts";
import { signIn } from "../support/signed_in.ts";
import { joinV1 } from "../support/v1_peer.ts";

const STREAM = "c07d5f3be8192a64", PASS = "8e02b6c4d1f7a935", TOKEN = "5f1c0d9a7be2e604";

Deno.test("trace: the server says what is wrong with a half-finished client, from --trace on or when it is typed", async () => {
  for (const isTyped of [false, true]) {
    await using server = await startServer(...(isTyped ? [] : ["--trace"]));
    await using peer = openPeer();
    if (isTyped) {
      await server.type("trace on\n");
      await server.stdout.until("What is ignored is printed; trace off ends that\n");
    }
    const mistakes: [datagram: string, line: string][] = [
      [
        "MESSAGE hello",
        'Ignored "MESSAGE hello" from FROM: no greeting came from this address before: send GREETING first',
      ],
      ["INCOMING hello\n", String.raw`Ignored "INCOMING hello\n" from FROM: no client sends INCOMING to a server`],
      [
        "GREETING/1 ID=100",
        'Ignored "GREETING/1 ID=100" from FROM: nothing is known of ID, and the field id is missing',
      ],
      [
        "MESSAGE/1 token=123\nhi",
        String.raw`Ignored "MESSAGE/1 token=(hidden)\n(hidden)" from FROM: the field token is malformed: `,
      ],
      [
        "GREETING/1 sum=00000000 id=1",
        'Ignored "GREETING/1 sum=00000000 id=1" from FROM: the checksum does not match: it is sum=00000000, and was computed as sum=',
      ],
      ["x".repeat(5000), `Ignored "${"x".repeat(72)}"… from FROM: it is too long: 5000 bytes, at most 4096\n`],
    ];
    for (const [datagram, line] of mistakes) {
      await peer.send(datagram, server.port);
      await server.stdout.until(line.replace("FROM", peer.address));
    }
    await server.type("trace off\n");
    await server.stdout.until("What is ignored is not printed\n");
    await peer.send("MESSAGE not traced", server.port);
    await peer.send("GREETING", server.port);
    await server.arrival(1);
    assert(!server.stdout.text().includes("not traced"));
  }
});

Deno.test("trace: the server says which connections it has closed because of what they speak, and sums up a flood", async () => {
  await using server = await startServer("--trace");
  for (let i = 0; i < 30; i++) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    await conn.write(new TextEncoder().encode(i === 0 ? "SSH-2.0-OpenSSH\r\n" : "GET / HTTP/1.1\r\n\r\n"));
    while (await conn.read(new Uint8Array(1000)) !== null);
    const { port } = conn.localAddr as Deno.NetAddr;
    conn.close();
    const line = `Closed the connection of 127.0.0.1:${port}: it began as ${i === 0 ? "SSH" : "HTTP"}\n`;
    if (i < 2) await server.stdout.until(line);
  }
  await server.stdout.until(/^… and \d+ more in the last second\n/m);
  assertLess(server.stdout.text().match(/Closed the connection/g)!.length, 30);
});

Deno.test("trace: no token, cookie, pass or direct text is shown, of damaged packets, of mistakes and in a flood", async () => {
  await using server = await startServer("--trace", "--corrupt", "15%", "--seed=4");
  await using gateway = openGateway(server.port);
  await using alice = await signIn(gateway.port, "Alice", { flags: ["--trace"] });
  await using bob = await signIn(gateway.port, "Bob", { flags: ["--trace"] });
  await alice.type("send Bob the word is Xyzzy\n");
  await bob.stdout.until(": the word is Xyzzy\n");
  for (let k = 0; k < 40; k++) await alice.type(`to all ${k}\n`);
  await bob.stdout.until(": to all 39\n");

  // the emulator damages these too
  await using student = openPeer();
  for (const text of mistakesWithSecrets()) await student.send(text, server.port);
  await using flooder = openPeer();
  for (let i = 0; i < 3000; i++) await flooder.send(`JUNK token=${TOKEN} /send Bob Xyzzy ${i}`, server.port);
  await server.stdout.until(/^… and \d+ more in the last (second|\d+ seconds)\n/m);
  await using latecomer = openPeer();
  await mistakeIsTraced(latecomer, server);

  const secrets = new Set([TOKEN, PASS, "Xyzzy"]);
  for (const { text } of gateway.recorded) {
    for (const [, secret] of text.matchAll(/\b(?:token|cookie|pass)=([0-9a-f]{16})/g)) secrets.add(secret);
  }
  // two tokens, two cookies, a pass
  assertGreater(secrets.size, 7);
  const isStopped = await stops(server);
  const traced = (server.stdout.text() + alice.stderr.text() + bob.stderr.text()).split("\n")
    .filter((line) => /^(?:-- )?(?:Ignored|Held) /.test(line));
  assertGreater(traced.length, 10);
  assertLess(traced.filter((line) => line.includes("JUNK")).length, 60);
  assert(traced.some((line) => line.startsWith("-- Ignored ")), "the clients have got damaged packets");
  assert(traced.some((line) => line.includes("checksum does not match")));
  for (const secret of secrets) {
    assertEquals(traced.filter((line) => line.toLowerCase().includes(secret.toLowerCase())), []);
  }
  if (isStopped) assertMatch(server.stdout.text(), /^Closed: .*; ignored: /m);
});

Deno.test("trace: a private command that is misspelt is told without what stands behind it", async () => {
  await using server = await startServer("--trace");
  await using student = openPeer();
  for (const text of ["PASS Xyzzy", "sned Bob Xyzzy", "/password Xyzzy Xyzzy", "password=Xyzzy", "HELO there"]) {
    await student.send(text, server.port);
  }
  await server.stdout.until(/^Ignored "HELO there" from /m);
  const traced = server.stdout.text();
  for (const start of ["PASS ", "sned ", "/password ", "password "]) assertStringIncludes(traced, `"${start}(hidden)"`);
  assert(!traced.includes("Xyzzy"), traced);
});

/** Mistakes of which each has a secret, or a text for one member alone. */
function mistakesWithSecrets(): string[] {
  return [
    `GREETING/1 id=x token=${TOKEN} cookie=${PASS}`,
    `LIST/1 id=1 tokn=${TOKEN}`,
    `MESSAGE/1 pass=${PASS} stream=${STREAM} id=1\nXyzzy`,
    `MESSAGE/1 pas=${PASS} stream=${STREAM} id=1 text=Xyzzy`,
    `LOOKUP/1 id=1 token=${TOKEN.toUpperCase()} name=Bob`,
    ...["SEND Bob Xyzzy", "/send Bob Xyzzy", "/msg Bob Xyzzy", "/login Bob Xyzzy", "/register Bob Xyzzy"],
    "/password Bob Xyzzy",
  ];
}

/** Makes a mistake until the server's trace shows it: the emulator may damage it, and the flood may not be over yet. */
async function mistakeIsTraced(peer: Peer, server: Server): Promise<void> {
  const line = `"HELO there" from ${peer.address}: `, end = performance.now() + DEADLINE_MS;
  while (!server.stdout.text().includes(line) && performance.now() < end) {
    await peer.send("HELO there", server.port);
    await server.stdout.until(line, 200).catch(() => {});
  }
  assert(server.stdout.text().includes(line), server.stdout.text());
}

Deno.test("trace: a message that waits for an earlier one is told, and what it waits for", async () => {
  await using server = await startServer("--trace");
  await using peer = openPeer();
  const token = await joinV1(peer, server.port);
  await peer.send(
    encode({ dialect: "v1", type: "MESSAGE", token, stream: STREAM, id: 2, first: 1, text: "hi" }),
    server.port,
  );
  await server.stdout.until(/^Held "MESSAGE\/1 .*the message with the id=1 of this stream has to come first\n/m);
  assert(!server.stdout.text().includes(token));
});

Deno.test("trace: the client says what is wrong with a half-finished server, and what comes from elsewhere", async () => {
  await using server = openServerByHand("epoch=91c4be20d7a35f68 seq=0 keepalive=1000");
  await using client = startClient("--trace", "127.0.0.1", server.port);
  await server.until(/^GREETING\/1 .* cookie=/);
  const address = server.client;
  const said: [packet: string, line: string][] = [
    ["USERS/1 id=1 token=00000000000000aa total=0 unnamed=1", "its token is not the one that this client greets with"],
    ["LIST/1 id=1 token=00000000000000aa", "no server sends LIST/1 to a client"],
  ];
  for (const [packet, line] of said) {
    await server.say(packet);
    await client.stderr.until(line);
  }
  await server.send(new TextEncoder().encode("HELLO you"));
  await client.stderr.until(/^-- Ignored "HELLO you" from 127\.0\.0\.1:\d+: the server has answered in version 1/m);
  await using stranger = openPeer();
  await stranger.send("INCOMING <From me>: hi", address);
  await client.stderr.until(
    `from ${stranger.address}: it does not come from the server, which is at 127.0.0.1:${server.port}\n`,
  );
  // a direct message that is damaged, and one that never had a pass
  const direct = encode({ dialect: "v1", type: "MESSAGE", pass: PASS, stream: STREAM, id: 1, text: "Xyzzy" });
  await stranger.send(direct.with(direct.length - 1, 0x21), address);
  await client.stderr.until("checksum does not match");
  await stranger.send(`MESSAGE/1 stream=${STREAM} id=1\nXyzzy`, address);
  await client.stderr.until("lacks the pass");
  for (let i = 0; i < 200; i++) await stranger.send(`JUNK ${i}`, address);
  await client.stderr.until(/^-- … and \d+ more in the last (second|\d+ seconds)\n/m);
  for (const secret of [server.token, PASS, "Xyzz", "00000000000000aa"]) {
    assert(!client.stderr.text().includes(secret), client.stderr.text());
  }
  assertEquals(client.stdout.text().split("\n").length, 3, client.stdout.text());
});

Deno.test("trace: a client that gets answers with mistakes says no word of a firewall, and with --trace what is wrong", async () => {
  if (TESTS_BINARIES) return console.log("Skipped: it waits for long, and is tested from the sources");
  const mistakes: [answer: (id: number) => string, why: string][] = [
    [
      (id) => `WELCOME/1 id=${id} address=127.0.0.1:5 token=${TOKEN} epoch=91c4be20d7a35f68 seq=0`,
      "the field keepalive is missing",
    ],
    [(id) => `RETRY/1 id=${id + 1_000_000} cookie=${PASS}`, "no greeting had this id"],
  ];
  await Promise.all(mistakes.flatMap(([answer, why]) =>
    [["--trace"], []].map(async (flags) => {
      const toEach = (greeting: string) => {
        const [, id] = / id=(\d+)/.exec(greeting) ?? [];
        return id === undefined ? [] : [new TextEncoder().encode(withSum(answer(Number(id))))];
      };
      await using server = openPeer("127.0.0.1", toEach);
      await using client = startClient(...flags, "127.0.0.1", server.port);
      await client.type("hello\n");
      await client.endInput();
      const said = `What 127.0.0.1:${server.port} answers is not understood; --trace says why`;
      await client.stderr.until(`!! ${said}. Trying again; Ctrl-C or /quit stops\n`);
      assertEquals(await client.exitCode(30_000), 1);
      assertMatch(client.stderr.text(), new RegExp(`\n${said}; 1 message`));
      assert(!client.stderr.text().includes("firewall"));
      assertEquals(client.stderr.text().includes(why), flags.length > 0, client.stderr.text());
    })
  ));
});
