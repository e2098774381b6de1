/** Protected names, with the real server: its terminal, connections, and a state file. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { commandOf, start, startServer } from "../../scripts/support/processes.ts";
import { openPeer } from "../support/classic_peer.ts";

/** A connection that reads lines. */
async function connect(port: number) {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const decoder = new TextDecoder(), chunk = new Uint8Array(4096);
  let text = "";
  return {
    type: (line: string) => connection.write(new TextEncoder().encode(`${line}\n`)),
    /** Waits until a text has come, or throws at the end of the connection. */
    async until(pattern: RegExp): Promise<string> {
      const timer = setTimeout(() => connection.close(), 10_000);
      try {
        while (!pattern.test(text)) {
          const length = await connection.read(chunk);
          if (length === null) throw new Error(`it ended with ${text}`);
          text += decoder.decode(chunk.subarray(0, length), { stream: true });
        }
        return text;
      } finally {
        clearTimeout(timer);
      }
    },
    async ends(): Promise<string> {
      for (let length; (length = await connection.read(chunk)) !== null;) {
        text += decoder.decode(chunk.subarray(0, length));
      }
      return text;
    },
    [Symbol.dispose]: () => connection.close(),
  };
}

Deno.test("accounts: made at the server's terminal, they outlive a restart; nobody else gets in, and no password is shown twice", async () => {
  const folder = await Deno.makeTempDir({ prefix: "udp-chat-" });
  await using _ = { [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
  const flags = ["--state", `${folder}/room.db`, "--members-only", "--plain-passwords", "--trace"];
  await using first = await startServer("0", ...flags);
  await first.stdout.until(/^Only who has an account gets in; there is none yet: .*\n/m);
  await first.stdout.until(/^Passwords are taken over TCP .*read them.*\n/m);
  await first.type("account add Alice\n");
  const [, password] = await first.stdout.until(/^The password of Alice is (\S+) \(shown only now.*\n/m);
  {
    using alice = await connect(first.port);
    await alice.type("hello");
    await alice.until(/Log in first/);
    await alice.type("/login Alice wrong-password");
    await alice.until(/That is not the password of Alice/);
    await alice.type(`/login Alice ${password}`);
    await alice.until(/Signed in as Alice/);
    await alice.type("/whois Alice");
    await alice.until(/Alice is at 127\.0\.0\.1:\d+, registered/);
  }
  await using classic = openPeer();
  await classic.send("GREETING", first.port);
  await classic.until(/^INCOMING This server lets in only who has an account/);
  first.kill("SIGKILL");
  await first.exitCode();

  await using second = await startServer(String(first.port), ...flags);
  await second.stdout.until(/^Only who has an account gets in \(1 account\)\n/m);
  using again = await connect(second.port);
  await again.type(`/login alice ${password}`);
  await again.until(/Signed in as alice/);
  await second.type("account list\n");
  await second.stdout.until("1 account: Alice (here)\n");
  await second.type("account remove Alice\n");
  await second.stdout.until("The name Alice is not registered any more; who has it now keeps it until it leaves\n");
  const printed = first.stdout.text() + first.stderr.text() + second.stdout.text() + second.stderr.text();
  assertEquals(printed.split(password).length - 1, 1, printed);
  const file = new TextDecoder("latin1").decode(await Deno.readFile(`${folder}/room.db`));
  assert(!file.includes(password) && !/wrong-password/.test(printed), printed);
});

Deno.test("accounts: with --members-only alone a connection is told so and closed", async () => {
  const folder = await Deno.makeTempDir({ prefix: "udp-chat-" });
  await using _ = { [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
  await using server = await startServer("0", "--state", `${folder}/room.db`, "--members-only");
  using connection = await connect(server.port);
  assertMatch(
    await connection.ends(),
    /^This server lets in only who has an account, and only by the udp-chat client\r?\n$/,
  );
});

Deno.test("accounts: flags that need --state say so in one line, exit code 2", async () => {
  for (const flag of ["--members-only", "--plain-passwords"]) {
    await using server = start([...commandOf("server"), "0", flag]);
    assertEquals(await server.exitCode(), 2);
    assertMatch(server.stderr.text(), new RegExp(`^${flag} needs --state FILE, which keeps accounts\n`));
  }
});
