/** The Python clients that PROTOCOL.md prints, packet by packet, against a server by hand. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { start } from "../../scripts/support/processes.ts";
import { openPeer } from "../support/classic_peer.ts";
import { linesOf, LOSE_NOTHING, pythonTest, SAY_AND_PRINT, startPython } from "../support/python.ts";
import { openServerByHand, type ServerByHand, withSum } from "../support/server_by_hand.ts";
import { stops } from "../support/signals.ts";

const OLD = "91c4be20d7a35f68", NEW = "0b2d95854f18c3a7";
const S = "c07d5f3be8192a64";

/** An event of the room. */
const incoming = (epoch: string, seq: number, text: string, fields = "") =>
  `INCOMING/1 epoch=${epoch} seq=${seq} at=1 from=192.0.2.1:7 ${fields}\n${text}`;

/** What anybody may send from a forged address. */
async function sendOdd(server: ServerByHand): Promise<void> {
  const utf8 = (text: string) => new TextEncoder().encode(text);
  await server.send(new Uint8Array(0));
  await server.send(new Uint8Array([0xff, 0xfe, 0x0a]));
  await server.send(new Uint8Array(2000).fill(0x20));
  await server.send(utf8("\n\n"));
  for (const kind of ["INCOMING", "ONLINE", "HEARTBEAT", "WELCOME", "RETRY", "GONE", "ACK", "ERROR", "CLOSING", "X"]) {
    for (const token of ["", ` token=${"0".repeat(16)}`]) {
      await server.send(utf8(`${kind}/1${token}`));
      await server.send(utf8(`${kind}/1${token} epoch=${OLD} seq=x id=${"9".repeat(999)} from=-1 to=- code=`));
      await server.send(
        utf8(`${kind}/1${token} epoch=${NEW} seq=11 id=1 from=1 to=2 keepalive=x cookie=bad stream=${S}`),
      );
      await server.send(utf8(`${kind}/1${token} no field`));
    }
  }
  await server.send(utf8("MESSAGE hello"));
}

pythonTest("say_and_print.py keeps alive, and bears whatever comes", async () => {
  await using server = openServerByHand(`epoch=${OLD} seq=10 keepalive=200`);
  await using python = startPython(SAY_AND_PRINT, "127.0.0.1", server.port);
  await server.until(/^GREETING\/1 id=\d+$/);
  await server.until(/^GREETING\/1 id=\d+ token=[0-9a-f]{16} cookie=a3d7e09b15c8f264$/);
  await server.until(/^GREETING\/1 id=\d+ token=[0-9a-f]{16}$/);
  assertMatch(server.received[0], /^GREETING\/1 id=\d+$/, "it tells its token only to who has answered");
  await sendOdd(server);
  await server.say(incoming(OLD, 11, "\x1b[2J\u202ehello\u2028\tthere", "name=Zoë"));
  await python.stdout.until("Zoë: ?[2J?hello??there\n");
  assertEquals(server.received.filter((packet) => /=bad\b/.test(packet)), []);
  await python.type("hello\nthere\n");
  await server.until(/^MESSAGE\/1 token=\S+ stream=[0-9a-f]{16} id=2.*\nthere$/);
  assert(!python.ended());
});

pythonTest(
  "lose_nothing.py signs in, waits for what is missing, and prints nothing that is damaged or odd",
  async () => {
    await using server = openServerByHand(`epoch=${OLD} seq=10 keepalive=100`);
    await using python = startPython(LOSE_NOTHING, "127.0.0.1", server.port, "Zoë");
    await server.until(/^SIGN-IN\/1 id=\d+ token=[0-9a-f]{16} cookie=a3d7e09b15c8f264 name=Zoë$/);
    await server.until(/^SIGN-IN\/1 id=\d+ token=[0-9a-f]{16} name=Zoë$/);
    assertMatch(server.received[0], /^SIGN-IN\/1 id=\d+ name=Zoë$/, "it tells its token only to who has answered");

    server.welcome = `epoch=${OLD} seq=13 keepalive=100`;
    await server.say(incoming(OLD, 13, "third"));
    const asked = await server.until(/^RESEND\/1 token=(\S+) epoch=91c4be20d7a35f68 from=11 to=13$/);
    assertEquals(asked[1], server.token);
    // an ONLINE takes a place, and is not printed
    await server.say(`ONLINE/1 epoch=${OLD} seq=12 at=1\n192.0.2.9:9 Bob`);
    const damaged = new TextEncoder().encode(withSum(incoming(OLD, 11, "first")));
    damaged[damaged.length - 1] ^= 1;
    await server.send(damaged);
    await sendOdd(server);
    await using stranger = openPeer();
    await stranger.send(withSum(incoming(OLD, 11, "forged")), server.client);
    await server.say(incoming(OLD, 11, "\x1b[2Jfirst", "name=Bob"));
    await server.say(incoming(OLD, 13, "third"));
    await python.stdout.until("192.0.2.1:7: third\n");
    assertEquals(linesOf(python), ["Bob: ?[2Jfirst", "192.0.2.1:7: third"]);
    assertEquals(server.received.filter((packet) => /=bad\b|damaged/.test(packet)), []);
  },
);

pythonTest("lose_nothing.py goes on behind what is not kept any more, and takes an ACK for its words", async () => {
  await using server = openServerByHand(`epoch=${OLD} seq=10 keepalive=100`);
  await using python = startPython(LOSE_NOTHING, "127.0.0.1", server.port);
  await python.type("one\ntwo\nthree\n");
  await python.endInput();
  const [, stream] = await server.until(/^MESSAGE\/1 token=\S+ stream=(\S+) id=1.*\none$/);
  await server.say(incoming(OLD, 11, "one", `stream=${stream} id=1`));
  const before = server.received.length;
  await server.until(/ id=2.*\ntwo$/);
  await server.say(incoming(OLD, 14, "held"));
  server.welcome = `epoch=${OLD} seq=20 keepalive=100`;
  await server.say(`ACK/1 token=TOKEN stream=${stream} id=2`);
  await server.until(/ id=3.*\nthree$/);
  await server.until(/^RESEND\/1 \S+ \S+ from=12 to=20$/, before);
  await server.say(`GONE/1 token=TOKEN epoch=${OLD} from=12 to=19`);
  await server.until(/^RESEND\/1 \S+ \S+ from=20 to=20$/, before);
  // it does not leave while something is missing
  await server.say(incoming(OLD, 20, "last"));
  // in a room where the sender gets no copy, this ACK takes its place
  server.welcome = `epoch=${OLD} seq=21 keepalive=100`;
  await server.say(`ACK/1 token=TOKEN stream=${stream} id=3 epoch=${OLD} seq=21`);
  await server.until(/^LEAVE\/1 id=\d+ token=/);
  assertEquals(await python.exitCode(), 0, python.stderr.text());
  assertEquals(linesOf(python), ["one", "held", "last"].map((text) => `192.0.2.1:7: ${text}`));
});

pythonTest(
  "lose_nothing.py shows what it holds when the server has forgotten everything, and nothing twice",
  async () => {
    await using server = openServerByHand(`epoch=${OLD} seq=10 keepalive=100`);
    await using python = startPython(LOSE_NOTHING, "127.0.0.1", server.port);
    await python.type("mine\n");
    const [, stream] = await server.until(/^MESSAGE\/1 token=\S+ stream=(\S+) id=1.*\nmine$/);
    server.welcome = `epoch=${OLD} seq=15 keepalive=100`;
    await server.say(incoming(OLD, 11, "s1", `stream=${S} id=1`));
    await server.say(incoming(OLD, 15, "classic"));
    await server.say(incoming(OLD, 13, "s3", `stream=${S} id=3`));
    await server.until(/^RESEND\/1 \S+ \S+ from=12 to=15$/);
    assertEquals(linesOf(python), ["192.0.2.1:7: s1"]);

    server.welcome = `epoch=${NEW} seq=4 keepalive=100`;
    await server.until(/^RESEND\/1 \S+ epoch=0b2d95854f18c3a7 from=1 to=4$/);
    await server.until(new RegExp(`^MESSAGE/1 \\S+ stream=${stream} id=1.*\\nmine$`), server.received.length);
    // the sender has not heard that s1 and s3 were taken
    for (const id of [1, 2, 3]) await server.say(incoming(NEW, id, `s${id}`, `stream=${S} id=${id}`));
    await server.say(incoming(NEW, 4, "mine", `stream=${stream} id=1`));
    await python.stdout.until(": mine\n");
    assertEquals(linesOf(python), ["s1", "s3", "classic", "s2", "mine"].map((text) => `192.0.2.1:7: ${text}`));
  },
);

pythonTest("lose_nothing.py bears what others forge, what the server refuses, and a range without end", async () => {
  await using server = openServerByHand(`epoch=${OLD} seq=10 keepalive=100`);
  await using python = startPython(LOSE_NOTHING, "127.0.0.1", server.port);
  await python.type("one\n");
  const [, stream] = await server.until(/^MESSAGE\/1 token=\S+ stream=(\S+) id=1.*\none$/);
  // of another line, of a later id, or without the token: none of these says that the server has it
  await server.say(incoming(NEW, 11, "one", `stream=${stream} id=1`));
  await server.say(incoming(OLD, 13, "forged", `stream=${stream} id=999999`));
  await server.say(`ACK/1 stream=${stream} id=1`);
  await server.until(/ id=1.*\none$/, server.received.length);
  // a member of a new server has used the stream first
  await server.say(`ERROR/1 token=TOKEN code=stream-taken id=1 stream=${stream}\nnot yours`);
  const [, other] = await server.until(new RegExp(`stream=(?!${stream})(\\S+) id=1.*\\none$`));
  await server.say("ERROR/1 token=TOKEN code=room-full id=1\nThe room is \x1b[2Jfull");
  await server.say(`ERROR/1 token=TOKEN code=quota id=1 stream=${other}\nNo more`);
  await python.stderr.until("The room is ?[2Jfull\nNo more\n");
  await python.type("two\n");
  await server.until(/ id=2.*\ntwo$/);
  // to count this range one by one would take years
  server.welcome = `epoch=${OLD} seq=9007199254740991 keepalive=100`;
  await server.until(/^RESEND\/1 \S+ \S+ from=11 to=42$/);
  await server.say(`GONE/1 token=TOKEN epoch=${OLD} from=11 to=9007199254740990`);
  await server.until(/^RESEND\/1 \S+ \S+ from=9007199254740991 to=9007199254740991$/);
  await server.say(incoming(OLD, 9007199254740991, "last"));
  await python.stdout.until(": last\n");
});

pythonTest("the programs print what their terminal can't show as ?, and go on", async () => {
  for (const file of [SAY_AND_PRINT, LOSE_NOTHING]) {
    await using server = openServerByHand(`epoch=${OLD} seq=10 keepalive=100`);
    await using python = start(["python3", file, "127.0.0.1", String(server.port)], {
      env: { PYTHONIOENCODING: "cp1252" },
    });
    await server.until(/^GREETING\/1 id=\d+ token=[0-9a-f]{16}$/);
    await server.say(incoming(OLD, 11, "plain 😀"));
    await server.say(incoming(OLD, 12, "after"));
    await python.stdout.until("192.0.2.1:7: after\n");
    assertEquals(linesOf(python), ["192.0.2.1:7: plain ?", "192.0.2.1:7: after"]);
  }
});

pythonTest(
  "what the server refuses ends lose_nothing.py with its words; a signal ends both, without a traceback",
  async () => {
    {
      await using server = openServerByHand(`epoch=${OLD} seq=10 keepalive=100`);
      await using python = startPython(LOSE_NOTHING, "127.0.0.1", server.port, "Zoë");
      await server.until(/ token=\S+ name=Zoë$/);
      await server.say("ERROR/1 token=TOKEN code=not-joined\nGreet first");
      await server.say("ERROR/1 token=TOKEN code=name-taken\nThe name Zoë is taken");
      assertEquals(await python.exitCode(), 1);
      assertEquals(python.stderr.text(), "The name Zoë is taken\n");
    }
    for (const file of [SAY_AND_PRINT, LOSE_NOTHING]) {
      for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
        await using server = openServerByHand(`epoch=${OLD} seq=10 keepalive=100`);
        await using python = startPython(file, "127.0.0.1", server.port);
        await server.until(/ token=\S+$/);
        if (!await stops(python, signal, code)) return;
        assertEquals(python.stderr.text(), "");
      }
    }
  },
);

pythonTest("who has to go, or can't have the name, is told why, and the programs end", async () => {
  const toAll = ["kicked", "banned", "locked", "signed-in-elsewhere", "name-wanted"];
  const codes = [...toAll.flatMap((code) => [[SAY_AND_PRINT, code], [LOSE_NOTHING, code]]), [LOSE_NOTHING, "bad-name"]];
  await Promise.all(codes.map(async ([file, code]) => {
    await using server = openServerByHand(`epoch=${OLD} seq=10 keepalive=100`);
    await using python = startPython(file, "127.0.0.1", server.port);
    await server.until(/^GREETING\/1 id=\d+ token=[0-9a-f]{16}$/);
    // one with a token that is not its own says nothing
    await server.say(`ERROR/1 token=${"0".repeat(16)} code=${code}\nForged`);
    await server.until(/^GREETING\/1/, server.received.length);
    await server.say(`ERROR/1 token=TOKEN code=${code}\n\x1b[2JYou may not: ${code}`);
    assertEquals(await python.exitCode(), 1, file);
    assertEquals(python.stderr.text(), `?[2JYou may not: ${code}\n`, file);
    assertEquals(server.received.filter((packet) => packet.startsWith("LEAVE")), []);
  }));
});

pythonTest("lose_nothing.py says that a name needs a password, and ends", async () => {
  await using server = openServerByHand(`epoch=${OLD} seq=10 keepalive=100`);
  server.challenge = `address=127.0.0.1:9 salt=${"4b".repeat(16)} rounds=600000 nonce=${"b8".repeat(16)}`;
  await using python = startPython(LOSE_NOTHING, "127.0.0.1", server.port, "Zoë");
  assertEquals(await python.exitCode(), 1);
  assertEquals(python.stderr.text(), "This name needs a password, which this program can't give: choose another\n");
});

pythonTest(
  "lose_nothing.py prints a classic line also when a member has called its stream like the epoch",
  async () => {
    await using server = openServerByHand(`epoch=${OLD} seq=10 keepalive=100`);
    await using python = startPython(LOSE_NOTHING, "127.0.0.1", server.port);
    await server.until(/^GREETING\/1 id=\d+ token=[0-9a-f]{16}$/);
    await server.say(incoming(OLD, 11, "odd", `stream=${OLD} id=12`));
    await server.say(incoming(OLD, 12, "classic"));
    await server.say(incoming(OLD, 13, "last"));
    await python.stdout.until(": last\n");
    assertEquals(linesOf(python), ["odd", "classic", "last"].map((text) => `192.0.2.1:7: ${text}`));
  },
);

pythonTest("the programs end when nobody reads what they print any more", async () => {
  const intoBrokenPipe = "import os, sys\nread, write = os.pipe()\nos.close(read)\nos.dup2(write, 1)\n" +
    "os.execvp('python3', ['python3', *sys.argv[1:]])";
  for (const file of [SAY_AND_PRINT, LOSE_NOTHING]) {
    await using server = openServerByHand(`epoch=${OLD} seq=10 keepalive=100`);
    await using python = start(["python3", "-c", intoBrokenPipe, file, "127.0.0.1", String(server.port)]);
    await server.until(/^GREETING\/1 id=\d+ token=[0-9a-f]{16}$/);
    await server.say(incoming(OLD, 11, "first"));
    await python.exitCode();
    assert(!/Traceback|Fatal/.test(python.stderr.text()), python.stderr.text());
  }
});
