/**
 * Measures what it costs to sign in with a protected name: at the client the hashing of the password, at the server a
 * challenge and the check of a proof, and what a registration adds.
 *
 * @module
 */
import type { Packet, V1Packet } from "../../protocol.ts";
import { fromHex, toHex } from "../../protocol/bytes.ts";
import { seal } from "../../protocol/hpke.ts";
import { ROUNDS } from "../../protocol/passwords.ts";
import { authMessage, clientKeysOf, clientProof, packKeys, storedKeysOf } from "../../protocol/scram.ts";
import { CRYPTO, derive } from "../../runtime/crypto.ts";
import { MemoryJournal } from "../../server/journal/memory.ts";
import { MemoryAccounts } from "../../server/room/accounts.ts";
import type { Delivery } from "../../server/room/delivery.ts";
import { Room } from "../../server/room/room.ts";
import { markdownTable, median, quantile, readable } from "./table.ts";

/** What one step costs, in microseconds. */
export interface LoginResult {
  where: "client" | "server";
  step: string;
  median: number;
  p99: number;
}

const SALT = new Uint8Array(16).fill(7), NAME = "Alice", PASSWORD = "correct horse battery staple";

/** Hashes a password, and lets so many clients sign in at a room in this process, each with a proof. */
export async function measureLogin(
  hashes: number,
  logins: number,
  progress: (line: string) => void,
): Promise<LoginResult[]> {
  const hashing: number[] = [];
  let saltedPassword = new Uint8Array();
  for (let i = 0; i < hashes; i++) {
    const began = performance.now();
    saltedPassword = await derive({ password: PASSWORD, salt: SALT, rounds: ROUNDS }) as typeof saltedPassword;
    hashing.push(1000 * (performance.now() - began));
  }
  progress(`login: a password is hashed in ${readable(median(hashing) / 1000)} ms`);
  const times: Record<string, number[]> = { proof: [], challenge: [], check: [], registration: [] };
  const timed = <T>(step: string, act: () => T): T => {
    const began = performance.now(), result = act();
    times[step].push(1000 * (performance.now() - began));
    return result;
  };
  const keys = clientKeysOf(saltedPassword, CRYPTO), stored = storedKeysOf(keys, CRYPTO);
  const accounts = new MemoryAccounts([{ name: NAME, salt: SALT, rounds: ROUNDS, isOperator: false, ...stored }]);
  let sent: Packet[] = [];
  const delivery: Delivery = {
    join() {},
    leave() {},
    send: (_to, packet) => void sent.push(packet),
    broadcast() {},
  };
  const protection = { accounts, crypto: CRYPTO, beginDerivation: () => {} };
  const room = new Room({ delivery, journal: new MemoryJournal(), protection }, {}, 0);
  /** Hands a packet over, and returns the answer of a type. */
  const ask = <T extends V1Packet["type"]>(packet: V1Packet, address: string, now: number, type: T, step?: string) => {
    sent = [];
    const peer = { key: address, address, validated: false, direct: true };
    const act = () => room.receive(packet, peer, now, 400);
    step === undefined ? act() : timed(step, act);
    const answer = sent.find((packet) => packet.type === type);
    if (!answer) throw new Error(`The room did not answer with ${type}`);
    return answer as Extract<V1Packet, { type: T }>;
  };
  for (let i = 0; i < logins; i++) {
    // each from an address of its own, and one in a minute, so that nothing is held up
    const now = 60_000 * i, address = `10.${i >> 16 & 255}.${i >> 8 & 255}.${i & 255}:40000`;
    const token = i.toString(16).padStart(16, "0"),
      signIn = { dialect: "v1", type: "SIGN-IN", token, name: NAME } as const;
    const { cookie } = ask({ ...signIn, id: 1 }, address, now, "RETRY");
    const { salt, nonce, rounds } = ask({ ...signIn, id: 2, cookie }, address, now, "CHALLENGE", "challenge");
    const cnonce = toHex(CRYPTO.randomBytes(16));
    const proof = timed("proof", () => {
      const purpose = `sign-in ${token} ${address}`;
      const message = authMessage({ name: NAME, cnonce, nonce: nonce!, salt: fromHex(salt!), rounds, purpose });
      return toHex(clientProof(keys, message, CRYPTO));
    });
    ask({ ...signIn, id: 3, cookie, nonce, cnonce, proof }, address, now, "WELCOME", "check");
    // another name, which this member registers
    const name = `Member${i}x`;
    ask({ dialect: "v1", type: "SIGN-IN", id: 4, token, name }, address, now, "WELCOME");
    const { key } = ask({ dialect: "v1", type: "REGISTER", id: 5, token }, address, now, "CHALLENGE");
    const context = { info: "udp-chat register", additional: `${token} ${name}` };
    const box = seal(packKeys(SALT, stored), fromHex(key!), context, CRYPTO)!;
    const sealed = { key: toHex(box.key), sealed: toHex(box.sealed) };
    ask({ dialect: "v1", type: "REGISTER", id: 6, token, ...sealed }, address, now, "REPLY", "registration");
    ask({ dialect: "v1", type: "LEAVE", id: 7, token }, address, now, "ACK");
  }
  const result = (where: LoginResult["where"], step: string, costs: number[]): LoginResult => ({
    where,
    step,
    median: median(costs),
    p99: quantile(costs, 0.99),
  });
  return [
    result("client", `hashing the password, ${ROUNDS.toLocaleString("en")} rounds`, hashing),
    result("client", "the proof", times.proof),
    result("server", "a challenge", times.challenge),
    result("server", "checking the proof and letting in", times.check),
    result("server", "opening a registration", times.registration),
  ];
}

/** The results as a table. */
export function loginTable(results: readonly LoginResult[]): string {
  return markdownTable(
    ["Signing in with a password", "median, ms", "p99, ms"],
    results.map(({ where, step, median, p99 }) => [
      `${where}: ${step}`,
      readable(median / 1000),
      readable(p99 / 1000),
    ]),
  );
}
