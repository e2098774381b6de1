/** Protected names at random: packets are lost, repeated, held back, and forged from parts of others. */
import { assert, assertEquals } from "@std/assert";
import type { V1Packet } from "../../../protocol.ts";
import { seededRandom } from "../../../server/doors/network_emulator.ts";
import { MemoryAccounts } from "../../../server/room/accounts.ts";
import { accountOf, answerTo } from "../../support/accounts.ts";
import { FakeRoom } from "../../support/fake_room.ts";

type SignIn = Omit<V1Packet & { type: "SIGN-IN" }, "dialect" | "type">;

/** Who knows a password: what it sends next, and whether it is in. */
interface Client {
  from: string;
  token: string;
  name: string;
  password: string;
  packet: SignIn;
  /** What the WELCOME must have. */
  verifier?: string;
  isIn: boolean;
}

/** How many random schedules are played. */
const RUNS = 60;
const NAMES = ["Alice", "Bob", "Carol"];
const MALLORY = { from: "192.0.2.66:6", token: "f".repeat(16) };

function newClient(name: string, i: number): Client {
  const token = `${i + 1}`.repeat(16), packet = { id: 1, token, name };
  return { from: `192.0.2.${i + 1}:40001`, token, name, password: `password of ${name}`, packet, isIn: false };
}

Deno.test("login, at random: the owners get in at 30% loss each way, and nobody else by anything that was heard", () => {
  for (let run = 0; run < RUNS; run++) {
    const random = seededRandom(run), pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)];
    const accounts = new MemoryAccounts(NAMES.map((name) => accountOf(name, `password of ${name}`)));
    const room = new FakeRoom({ accounts }), clients = NAMES.map(newClient);
    const heard: SignIn[] = [], letIn = new Set<string>();

    /** Sends what a client has to send next, and hands it the answers, unless they are lost. */
    const step = (client: Client) => {
      client.packet = { ...client.packet, id: client.packet.id + 1 };
      heard.push(client.packet);
      if (random() < 0.3) return;
      for (const { to, packet } of room.v1(client.from, "SIGN-IN", client.packet)) {
        if (packet.dialect !== "v1" || to !== client.from) continue;
        if (packet.type === "WELCOME") letIn.add(client.token);
        if (random() < 0.3) continue;
        if (packet.type === "RETRY") client.packet = { ...client.packet, cookie: packet.cookie };
        if (packet.type === "CHALLENGE") {
          const { proof, verifier } = answerTo(packet, client);
          Object.assign(client, { packet: { ...client.packet, ...proof }, verifier });
        }
        if (packet.type !== "WELCOME") continue;
        assertEquals([packet.name, packet.verifier], [client.name, client.verifier], `run ${run}`);
        client.isIn = true;
      }
    };

    /** Mallory sends what she has heard, with parts of other packets, or a nonce or a token of her own. */
    const forge = () => {
      const forged = { ...pick(heard) }, own = random();
      for (const key of ["token", "name", "nonce", "cnonce", "proof"] as const) {
        const { [key]: value } = pick(heard);
        if (random() < 0.3 && value !== undefined) forged[key] = value;
      }
      if (own < 0.7) forged.token = MALLORY.token;
      forged.cookie = room.cookie(MALLORY.from);
      if (own < 0.3 && forged.proof !== undefined) {
        const [answer] = room.v1(MALLORY.from, "SIGN-IN", {
          ...forged,
          nonce: undefined,
          cnonce: undefined,
          proof: undefined,
        });
        if (answer?.packet.type === "CHALLENGE") forged.nonce = answer.packet.nonce;
      }
      for (const { to, packet } of room.v1(MALLORY.from, "SIGN-IN", forged)) {
        if (to !== MALLORY.from || packet.type !== "WELCOME") continue;
        // with the token of a member a listener moves it, but even then the server signs nothing
        assert(letIn.has(forged.token!), `run ${run}: ${JSON.stringify(forged)}`);
        assertEquals(packet.dialect === "v1" && packet.verifier, undefined, `run ${run}`);
      }
    };

    for (let i = 0; i < 400 && clients.some(({ isIn }) => !isIn); i++) {
      for (const client of clients) if (!client.isIn) step(client);
      // Mallory does not wait for long, but slows nobody else down
      if (random() < 0.5) forge();
      room.pass(700);
    }
    assertEquals(clients.map(({ isIn }) => isIn), [true, true, true], `run ${run}`);
    assertEquals(room.room.users().names.filter((name) => !NAMES.includes(name)), [], `run ${run}`);
  }
});
