/** Names with passwords in a network that exists in memory only, and loses three datagrams in ten each way. */
import { assert, assertEquals } from "@std/assert";
import { encode } from "../protocol.ts";
import { toBase64, toHex } from "../protocol/bytes.ts";
import { MemoryAccounts } from "../server/room/accounts.ts";
import { accountOf, keysOf, quickDerive } from "./support/accounts.ts";
import { BAD, type FakeClient, FakeNetwork } from "./support/fake_network.ts";

const PASSWORD = "correct horse", OTHER = "battery staple";
const SEEDS = Array.from({ length: Number(Deno.env.get("RUNS") ?? 20) }, (_, i) => i + 1);

/** Whether bytes are sent anywhere, as they are or as digits. */
function isIn(datagrams: string[], bytes: Uint8Array): boolean {
  const forms = [String.fromCharCode(...bytes), toHex(bytes), toBase64(bytes)];
  return datagrams.some((datagram) => forms.some((form) => datagram.includes(form)));
}

/** A network with accounts, and all that clients have sent to the server. */
function openNetwork(seed: number, accounts: MemoryAccounts): { network: FakeNetwork; sent: string[] } {
  const network = new FakeNetwork({ seed, up: BAD, down: BAD, accounts });
  const sent: string[] = [];
  network.toServer = (packet) => sent.push(String.fromCharCode(...encode(packet)));
  return { network, sent };
}

/** Answers each question for a password until a condition is true. */
function answerUntil(network: FakeNetwork, client: FakeClient, password: string, condition: () => boolean): void {
  for (let tries = 0; tries < 20 && !condition(); tries++) {
    network.passUntil(() => condition() || client.session.wantsPassword !== undefined);
    if (!condition()) client.act((session, now) => session.givePassword(password, now));
  }
  assert(condition(), `${client.session.state}: ${client.notices.join(" | ")}`);
}

Deno.test("accounts: a name is registered and taken elsewhere, whatever the network loses", () => {
  for (const seed of SEEDS) {
    const accounts = new MemoryAccounts(), { network, sent } = openNetwork(seed, accounts);
    const alice = network.connect({ name: "Alice" });
    network.passUntil(() => alice.session.state === "joined");
    // when no answer comes for five seconds, the user does it again
    const register = () => alice.act((session, now) => session.changeAccount("register", now));
    register();
    answerUntil(network, alice, PASSWORD, () => {
      if (accounts.get("Alice")) return true;
      if (!alice.session.expectsPassword) register();
      return false;
    });
    const { salt } = accounts.get("Alice")!;

    const elsewhere = network.connect({ name: "Alice" });
    answerUntil(network, elsewhere, OTHER, () => elsewhere.notices.some((text) => text.startsWith("That is not")));
    assert(elsewhere.session.state !== "joined");
    answerUntil(network, elsewhere, PASSWORD, () => elsewhere.session.state === "joined");
    assertEquals(elsewhere.session.name, "Alice");
    assertEquals(network.passUntil(() => alice.session.state === "expelled") === undefined, false);

    // nobody is asked again, whether the server remembers its members or not
    for (const remember of [true, false]) {
      network.stopServer();
      network.pass(7000);
      network.startServer({ remember });
      elsewhere.say(`here again, ${remember}`);
      network.passUntil(() => elsewhere.session.state === "joined" && elsewhere.session.waiting === 0);
      assertEquals([elsewhere.session.state, elsewhere.session.waiting], ["joined", 0], `seed ${seed}`);
    }

    const clientKeys = keysOf(PASSWORD, salt);
    const hashed = quickDerive({ password: PASSWORD, salt });
    for (const secret of [new TextEncoder().encode(PASSWORD), hashed, ...Object.values(clientKeys)]) {
      assertEquals(isIn(sent, secret), false);
    }
  }
});

Deno.test("accounts: in a pipe all is delivered with the right password, and nothing with a wrong one", () => {
  for (const seed of SEEDS) {
    const accounts = new MemoryAccounts(), { network } = openNetwork(seed, accounts);
    accounts.put(accountOf("Alice", PASSWORD));
    for (const password of [OTHER, PASSWORD]) {
      const client = network.connect({ name: "Alice", password });
      client.say(`by ${password}`);
      network.passUntil(() => client.session.state === "joined" || client.session.state === "refused");
      client.act((session, now) => session.drain(now));
      network.passUntil(() => client.session.state === "closed");
      const expected = password === PASSWORD ? undefined : "That is not the password of Alice; 1 message not delivered";
      assertEquals(client.session.failure, expected);
    }
    assertEquals(network.said.map(({ name, text }) => `${name}: ${text}`), [`Alice: by ${PASSWORD}`]);
  }
});
