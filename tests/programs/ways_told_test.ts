/** What the client tells of the ways to others, as the server says it. */
import { assertEquals } from "@std/assert";
import { commandOf, startClient } from "../../scripts/support/processes.ts";
import { openServerByHand } from "../support/server_by_hand.ts";
import { HAS_TMUX, quoted, startTmux } from "../support/tmux.ts";

const WELCOME = "epoch=91c4be20d7a35f68 seq=0 keepalive=100 join=192.168.1.10:9091";
const HINT = /^-- Others see you at 127\.0\.0\.1, .*\. To change that, leave and join by 192\.168\.1\.10 9091$/m;

Deno.test({
  name: `ways told: on a terminal, by which address to join instead, once${HAS_TMUX ? "" : " (skipped: no tmux)"}`,
  ignore: !HAS_TMUX,
  async fn() {
    await using server = openServerByHand(WELCOME);
    await using tmux = await startTmux();
    const command = [...commandOf("client"), "127.0.0.1", String(server.port)].map(quoted).join(" ");
    const terminal = await tmux.open(command, { columns: 200 });
    await terminal.until(HINT);
    await server.until(/^GREETING\/1 id=\d+ token=/, server.received.length);
    await terminal.type("/list");
    await terminal.press("Enter");
    const [, page] = await server.until(/^LIST\/1 id=(\d+) token=\S+$/);
    await server.say(`USERS/1 id=${page} token=TOKEN total=0 unnamed=1`);
    const screen = await terminal.until(/Signed In Users: none/);
    assertEquals(screen.match(new RegExp(HINT, "gm"))?.length, 1);
  },
});

Deno.test("ways told: in a pipe, who is reached through the server only, but not by which address to join", async () => {
  await using server = openServerByHand(WELCOME);
  await using client = startClient("127.0.0.1", server.port);
  await client.type("/list\n");
  const [, page] = await server.until(/^LIST\/1 id=(\d+) token=\S+$/);
  await server.say(`USERS/1 id=${page} token=TOKEN total=3 unnamed=1 more=1\nAlice relay\nBob`);
  const [, end] = await server.until(/^LIST\/1 id=(\d+) .*after=Bob$/);
  await server.say(`USERS/1 id=${end} token=TOKEN total=3 unnamed=1\nTim relay\n`);
  await client.stdout.until(
    "<- Signed In Users: Alice, Bob, Tim (and 1 unnamed)\n<- Only through the server: Alice, Tim\n",
  );
  await client.type("/whois Tim\n");
  const [, who] = await server.until(/^LOOKUP\/1 id=(\d+) .*name=Tim$/);
  await server.say(`PEER/1 id=${who} token=TOKEN address=10.0.0.7:9 name=Tim since=0 relay=1 norelay=1`);
  await client.stdout.until(/^<- Tim is at 10\.0\.0\.7:9 since \d\d:\d\d, you can't write to it alone\n/m);
  // by now it has greeted again
  await server.until(/^GREETING\/1 id=\d+ token=/, server.received.length);
  assertEquals(client.stderr.text(), "");
});
