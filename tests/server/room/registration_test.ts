/** How members protect their names, change the password, and give the protection up. */
import { assertEquals, assertNotEquals } from "@std/assert";
import { fromHex, toHex } from "../../../protocol/bytes.ts";
import { MemoryAccounts } from "../../../server/room/accounts.ts";
import {
  accountOf,
  answerTo,
  challengeFor,
  keysOf,
  prove,
  registrationFor,
  signInWith,
} from "../../support/accounts.ts";
import { textOf } from "../../support/fake_delivery.ts";
import { all, FakeRoom, one, type V1 } from "../../support/fake_room.ts";
import { largestMap } from "../../support/largest_map.ts";
import { clientProof, isProofRight, serverSignature, unpackKeys } from "../../../protocol/scram.ts";
import { open } from "../../../protocol/hpke.ts";
import { CRYPTO } from "../../../runtime/crypto.ts";

const A = "192.0.2.1:40001", B = "192.0.2.2:40002", TOKEN = "00000000000000aa", OTHER = "00000000000000bb";
const PASSWORD = "correct horse", ANOTHER = "battery staple";

function newRoom() {
  const accounts = new MemoryAccounts(), room = new FakeRoom({ accounts });
  room.move(A, TOKEN, "Alice");
  room.settle();
  return { accounts, room, me: { name: "Alice", token: TOKEN } };
}

/** Asks for what a registration takes. */
function ask(room: FakeRoom, id = 21, from = A, token = TOKEN): V1<"CHALLENGE"> {
  return one(room.v1(from, "REGISTER", { id, token }), "CHALLENGE");
}

Deno.test("registration: from then on the name takes a proof, on any device", () => {
  const { accounts, room, me } = newRoom();
  const challenge = ask(room);
  assertEquals([challenge.rounds, challenge.salt, challenge.nonce, challenge.address], [
    600_000,
    undefined,
    undefined,
    A,
  ]);
  const reply = one(room.v1(A, "REGISTER", registrationFor(challenge, me, PASSWORD)), "REPLY");
  assertEquals(reply.text, "The name Alice is yours now: only who knows its password gets it");
  assertEquals(accounts.get("alice"), accountOf("Alice", PASSWORD));
  const elsewhere = { room, from: B, token: OTHER, name: "Alice", password: PASSWORD };
  one(signInWith({ ...elsewhere, password: ANOTHER }), "ERROR");
  one(signInWith(elsewhere), "WELCOME");
});

Deno.test("registration: the REPLY proves that this server could open what was sealed, or knows the present password", () => {
  const { room, me } = newRoom();
  const first = registrationFor(ask(room), me, PASSWORD);
  const signature = serverSignature(keysOf(PASSWORD), `register ${TOKEN} ${A} ${first.key} ${first.sealed}`, CRYPTO);
  assertEquals(one(room.v1(A, "REGISTER", first), "REPLY").verifier, toHex(signature));
  // the next ones have a proof, which is answered under the key of before
  const challenge = ask(room, 23), second = registrationFor(challenge, me, ANOTHER, PASSWORD);
  const also = `${second.key} ${second.sealed}`;
  const changed = answerTo(challenge, { ...me, password: PASSWORD, word: "register", also });
  assertEquals(one(room.v1(A, "REGISTER", { ...second, id: 24 }), "REPLY").verifier, changed.verifier);
  const last = one(room.v1(A, "UNREGISTER", { id: 30, token: TOKEN }), "CHALLENGE");
  const gone = answerTo(last, { ...me, password: ANOTHER, word: "unregister" });
  const reply = one(room.v1(A, "UNREGISTER", { id: 31, token: TOKEN, ...gone.proof }), "REPLY");
  assertEquals(reply.verifier, gone.verifier);
});

Deno.test("registration: a repeat is answered in the same way and not done again", () => {
  const { accounts, room, me } = newRoom();
  const packet = registrationFor(ask(room), me, PASSWORD);
  const [first, second] = [1, 2].map(() => one(room.v1(A, "REGISTER", packet), "REPLY"));
  assertEquals(first, second);
  // without this, the repeat would need a proof
  accounts.remove("Alice");
  one(room.v1(A, "REGISTER", packet), "REPLY");
  assertEquals(accounts.size, 0);
});

Deno.test("registration: another one with the same id is not taken for a repeat", () => {
  const { accounts, room, me } = newRoom();
  const challenge = ask(room);
  // a listener has the token and the id, and is faster
  one(room.v1(A, "REGISTER", registrationFor(challenge, me, "of a thief")), "REPLY");
  const packet = registrationFor(challenge, me, PASSWORD);
  assertEquals(one(room.v1(A, "REGISTER", packet), "CHALLENGE").salt, toHex(accounts.get("Alice")!.salt));
});

Deno.test("registration: another password takes a proof of the present one, bound to what is sealed", () => {
  const { accounts, room, me } = newRoom();
  accounts.put(accountOf("Alice", PASSWORD, true));
  const challenge = ask(room);
  const wrong = registrationFor(challenge, me, ANOTHER, "not the password");
  assertEquals(one(room.v1(A, "REGISTER", wrong), "ERROR").code, "wrong-password");
  const unproven = { ...registrationFor(challenge, me, ANOTHER), id: 23 };
  one(room.v1(A, "REGISTER", unproven), "CHALLENGE");
  const right = registrationFor(challenge, me, ANOTHER, PASSWORD);
  // what another one has sealed, with this proof
  const swapped = { ...right, ...registrationFor(challenge, me, "of a thief"), id: 24 };
  assertEquals(one(room.v1(A, "REGISTER", swapped), "ERROR").code, "wrong-password");
  assertEquals(accounts.get("Alice"), accountOf("Alice", PASSWORD, true));
  assertEquals(one(room.v1(A, "REGISTER", { ...right, id: 25 }), "REPLY").text, "The password of Alice is changed");
  assertEquals(accounts.get("Alice"), accountOf("Alice", ANOTHER, true));
  // its nonce is used up
  one(room.v1(A, "REGISTER", { ...right, id: 26 }), "CHALLENGE");
});

Deno.test("registration: a proof for one purpose is worth nothing for another one", () => {
  const { accounts, room, me } = newRoom();
  accounts.put(accountOf("Alice", PASSWORD));
  const claim = { ...me, password: PASSWORD };
  const unregister = answerTo(one(room.v1(A, "UNREGISTER", { id: 30, token: TOKEN }), "CHALLENGE"), {
    ...claim,
    word: "unregister",
  });
  const signIn = answerTo(challengeFor({ room, from: B, token: OTHER, name: "Alice" }), { ...claim, token: OTHER });
  one(prove({ room, from: B, token: OTHER, name: "Alice" }, unregister.proof), "CHALLENGE");
  one(room.v1(A, "UNREGISTER", { id: 31, token: TOKEN, ...signIn.proof }), "CHALLENGE");
  const sealed = registrationFor(ask(room, 32), me, ANOTHER);
  one(room.v1(A, "REGISTER", { ...sealed, id: 33, ...unregister.proof }), "CHALLENGE");
  assertEquals(accounts.get("Alice"), accountOf("Alice", PASSWORD));
});

Deno.test("unregistration: with a proof the name is everybody's again", () => {
  const { accounts, room, me } = newRoom();
  assertEquals(
    one(room.v1(A, "UNREGISTER", { id: 29, token: TOKEN }), "ERROR").text,
    "The name Alice is not registered",
  );
  accounts.put(accountOf("Alice", PASSWORD));
  const challenge = one(room.v1(A, "UNREGISTER", { id: 30, token: TOKEN }), "CHALLENGE");
  assertEquals(challenge.key, undefined);
  const claim = { ...me, password: ANOTHER, word: "unregister" } as const;
  const wrong = { id: 31, token: TOKEN, ...answerTo(challenge, claim).proof };
  for (const _ of "12") assertEquals(one(room.v1(A, "UNREGISTER", wrong), "ERROR").code, "wrong-password");
  const right = { id: 32, token: TOKEN, ...answerTo(challenge, { ...claim, password: PASSWORD }).proof };
  for (const _ of "12") {
    assertEquals(one(room.v1(A, "UNREGISTER", right), "REPLY").text, "The name Alice is not protected any more");
  }
  assertEquals(accounts.size, 0);
  room.v1(A, "LEAVE", { id: 33, token: TOKEN });
  assertEquals(room.move(B, OTHER, "Alice").name, "Alice");
});

Deno.test("registration: without a name, or without accounts, it is refused in words", () => {
  const { room } = newRoom();
  room.move(B, OTHER);
  assertEquals(one(room.v1(B, "REGISTER", { id: 1, token: OTHER }), "ERROR").code, "no-name");
  const none = new FakeRoom();
  none.move(A, TOKEN, "Alice");
  const { code, text } = one(none.v1(A, "REGISTER", { id: 1, token: TOKEN }), "ERROR");
  assertEquals([code, text], ["no-accounts", "This server protects no names: it runs without --state"]);
});

Deno.test("registration: what was sealed for an old key is asked for again, and nobody has that key any more", () => {
  const { accounts, room, me } = newRoom();
  const keepAlive = () => room.v1(A, "GREETING", { id: 9, token: TOKEN });
  const first = ask(room), early = registrationFor(first, me, PASSWORD);
  for (let i = 0; i < 12; i++, keepAlive()) room.pass(26_000);
  const second = ask(room, 40);
  assertNotEquals(second.key, first.key);
  // the previous one still does
  one(room.v1(A, "REGISTER", { ...registrationFor(first, me, ANOTHER), id: 41 }), "REPLY");
  accounts.remove("Alice");
  for (let i = 0; i < 24; i++, keepAlive()) room.pass(26_000);
  assertNotEquals(one(room.v1(A, "REGISTER", early), "CHALLENGE").key, first.key);
  assertEquals(accounts.size, 0);
});

Deno.test("registration: old key pairs are dropped without any registration, and then the room is not woken for them", () => {
  const { room } = newRoom();
  ask(room);
  room.v1(A, "LEAVE", { id: 9, token: TOKEN });
  room.pass(600_001);
  assertEquals(room.room.nextWake, undefined);
});

Deno.test("registration: bytes that are no keys are answered, and the room goes on", () => {
  const { accounts, room } = newRoom();
  for (const digits of ["00", "01", "ff"]) {
    const packet = { id: 50, token: TOKEN, key: digits.repeat(32), sealed: digits.repeat(96) };
    one(room.v1(A, "REGISTER", packet), "CHALLENGE");
  }
  assertEquals(accounts.size, 0);
});

Deno.test("registration: from one address five names at once, then one a minute; none more than 10,000 in all", () => {
  const { accounts, room } = newRoom();
  const register = (i: number) => {
    const from = `192.0.2.7:${20_000 + i}`, token = `${i}`.padStart(16, "0"), name = `Member${"abcdefgh"[i]}`;
    room.move(from, token, name);
    room.delivery.take();
    const sent = room.v1(from, "REGISTER", registrationFor(ask(room, 1, from, token), { name, token }, PASSWORD));
    return all(sent, "ERROR")[0]?.code ?? one(sent, "REPLY").type;
  };
  assertEquals([0, 1, 2, 3, 4, 5].map(register), [...Array(5).fill("REPLY"), "too-many-tries"]);
  room.pass(60_000);
  assertEquals(register(6), "REPLY");
  for (let i = accounts.size; i < 10_000; i++) accounts.put(accountOf(`n${i}`, PASSWORD));
  room.pass(59_999);
  room.pass(1);
  assertEquals(register(7), "too-many-tries");
});

Deno.test("registration: 100 names at once in all, then one in 30 s, also at this machine; passwords are changed as ever", () => {
  const { accounts, room, me } = newRoom();
  const register = (i: number) => {
    const from = `127.0.0.1:${20_000 + i}`, token = `${i}`.padStart(16, "0"), name = `Member${i}`;
    room.move(from, token, name);
    room.delivery.take();
    const sent = room.v1(from, "REGISTER", registrationFor(ask(room, 1, from, token), { name, token }, PASSWORD));
    const [error] = all(sent, "ERROR");
    return error ? `${error.code}: ${error.text}` : one(sent, "REPLY").type;
  };
  for (let i = 100; i < 200; i++) assertEquals(register(i), "REPLY");
  assertEquals(register(200), "too-many-tries: Too many names were registered here; try again in 30 s");
  accounts.put(accountOf("Alice", PASSWORD));
  one(room.v1(A, "REGISTER", registrationFor(ask(room), me, ANOTHER, PASSWORD)), "REPLY");
  room.pass(30_000);
  assertEquals(register(201), "REPLY");
});

Deno.test("registration: what a listener has recorded does not register a name again that was given up", () => {
  const { accounts, room, me } = newRoom();
  const { order } = room.room,
    giveUps = [
      () => {
        const challenge = one(room.v1(A, "UNREGISTER", { id: 30, token: TOKEN }), "CHALLENGE");
        const { proof } = answerTo(challenge, { ...me, password: PASSWORD, word: "unregister" });
        one(room.v1(A, "UNREGISTER", { id: 31, token: TOKEN, ...proof }), "REPLY");
      },
      () => void order.call(room.room, "account remove Alice", room.now),
    ];
  for (const giveUp of giveUps) {
    const recorded = registrationFor(ask(room), me, PASSWORD);
    one(room.v1(A, "REGISTER", recorded), "REPLY");
    giveUp();
    one(room.v1(A, "REGISTER", { ...recorded, id: 99 }), "CHALLENGE");
    assertEquals(accounts.size, 0);
  }
});

Deno.test("registration: floods of forged packets take no memory", () => {
  const { accounts, room } = newRoom();
  accounts.put(accountOf("Bob", PASSWORD));
  const proof = { nonce: "0".repeat(32), cnonce: "0".repeat(32), proof: "0".repeat(64) };
  const largest = largestMap(() => {
    // a few more than there is place for
    for (let i = 0; i < 10_100; i++) {
      const from = `10.${i >> 16}.${i >> 8 & 255}.${i & 255}:4000`, token = i.toString(16).padStart(16, "0");
      room.v1(from, "REGISTER", { id: 1, token, key: "0".repeat(64), sealed: "0".repeat(192) });
      const { cookie } = one(room.v1(from, "SIGN-IN", { id: 1, token, name: "Bob", ...proof }), "RETRY");
      // and from addresses that it has
      const { nonce } = one(room.v1(from, "SIGN-IN", { id: 2, token, cookie, name: "Bob", ...proof }), "CHALLENGE");
      room.v1(from, "SIGN-IN", { id: 3, token, cookie, name: "Bob", ...proof, nonce });
    }
  });
  assertEquals([room.room.size, largest <= 10_001], [1, true], `${largest}`);
});

Deno.test("recorded: who has all packets of a registration and of logins can't sign in", () => {
  const { room, me } = newRoom();
  const wire: string[] = [];
  const { v1 } = room;
  room.v1 = (from, type, body) => {
    const sent = v1.call(room, from, type, body as never);
    wire.push(JSON.stringify(body), ...sent.map(textOf));
    return sent;
  };
  const challenge = ask(room), registration = registrationFor(challenge, me, PASSWORD);
  one(room.v1(A, "REGISTER", registration), "REPLY");
  const person = { room, from: B, token: OTHER, name: "Alice", password: PASSWORD };
  const login = challengeFor(person), { proof, message } = answerTo(login, person);
  one(prove(person, proof), "WELCOME");
  /** Whether somebody who holds 32 bytes for the StoredKey makes a ClientKey with them that the server takes. */
  const opensWith = (storedKey: Uint8Array) => {
    if (!isProofRight(fromHex(proof.proof), { storedKey }, message, CRYPTO)) return false;
    const signature = CRYPTO.hmacSha256(storedKey, new TextEncoder().encode(message));
    const clientKey = fromHex(proof.proof).map((byte, i) => byte ^ signature[i]);
    const thief = { room, from: "192.0.2.66:1", token: "00000000000000cc", name: "Alice" };
    const own = challengeFor(thief), { message: ownMessage } = answerTo(own, { ...thief, password: "" });
    const made = toHex(clientProof({ clientKey, serverKey: clientKey }, ownMessage, CRYPTO));
    return one(prove(thief, { ...proof, nonce: own.nonce, proof: made }), "WELCOME").name === "Alice";
  };
  const runs = wire.join("\n").matchAll(/[0-9a-f]{64,}/g).flatMap(([digits]) =>
    Array.from({ length: (digits.length - 64) / 2 + 1 }, (_, i) => digits.slice(2 * i, 2 * i + 64))
  );
  const candidates = [...new Set(runs)];
  assertEquals(candidates.length > 60, true);
  assertEquals(candidates.filter((digits) => opensWith(fromHex(digits))), []);
  // the test can fail: whoever opens the sealed part has what it takes
  const pair = CRYPTO.newX25519KeyPair();
  const readable = registrationFor({ ...challenge, key: toHex(pair.publicKey) }, me, PASSWORD);
  const box = { key: fromHex(readable.key!), sealed: fromHex(readable.sealed!) };
  const context = { info: "udp-chat register", additional: `${TOKEN} Alice` };
  const { storedKey } = unpackKeys(open(box, pair, context, CRYPTO)!)!;
  assertEquals(storedKey, accountOf("Alice", PASSWORD).storedKey);
  assertEquals(opensWith(storedKey), true);
  assertEquals(keysOf(PASSWORD).clientKey.length, 32);
});

Deno.test("registration: a right proof over a nonce that is used, old or invented is worth nothing", () => {
  const { accounts, room, me } = newRoom();
  const newChallenge = (type: "REGISTER" | "UNREGISTER") =>
    one(room.v1(A, type, { id: 60, token: TOKEN }), "CHALLENGE");
  const change = (challenge: V1<"CHALLENGE">, password: string, id: number) =>
    room.v1(A, "REGISTER", { ...registrationFor(challenge, me, ANOTHER, password), id });
  const giveUp = (challenge: V1<"CHALLENGE">, password: string, id: number) => {
    const { proof } = answerTo(challenge, { ...me, password, word: "unregister" });
    return room.v1(A, "UNREGISTER", { id, token: TOKEN, ...proof });
  };
  accounts.put(accountOf("Alice", PASSWORD));
  const [used, usedHere] = [newChallenge("UNREGISTER"), newChallenge("REGISTER")];
  one(change(usedHere, PASSWORD, 61), "REPLY");
  one(giveUp(used, ANOTHER, 62), "CHALLENGE");
  one(change(usedHere, ANOTHER, 63), "CHALLENGE");
  const old = [newChallenge("UNREGISTER"), newChallenge("REGISTER")];
  for (let i = 0; i < 9; i++) {
    room.pass(20_000);
    room.v1(A, "GREETING", { id: 64 + i, token: TOKEN });
  }
  one(giveUp(old[0], ANOTHER, 80), "CHALLENGE");
  one(change(old[1], ANOTHER, 81), "CHALLENGE");
  for (const nonce of ["0".repeat(32), "f".repeat(32)]) {
    one(giveUp({ ...newChallenge("UNREGISTER"), nonce }, ANOTHER, 82), "CHALLENGE");
    one(change({ ...newChallenge("REGISTER"), nonce }, ANOTHER, 83), "CHALLENGE");
  }
  assertEquals(accounts.get("Alice"), accountOf("Alice", ANOTHER));
  one(giveUp(newChallenge("UNREGISTER"), ANOTHER, 84), "REPLY");
});

Deno.test("registration: a name that looks like a registered one is refused, whoever has it", () => {
  const { accounts, room, me } = newRoom();
  const challenge = ask(room);
  // it was registered since she came, which the server's terminal does not do
  accounts.put(accountOf("AIice", PASSWORD));
  const { code, text } = one(room.v1(A, "REGISTER", registrationFor(challenge, me, PASSWORD)), "ERROR");
  assertEquals([code, text], ["name-taken", "The name Alice looks like AIice, which is registered"]);
  assertEquals(accounts.size, 1);
});

Deno.test("registration: what takes time to open counts as 20 requests, and the last eight answers are kept", () => {
  const { room } = newRoom();
  const sealed = (id: number) => ({ id, token: TOKEN, key: "00".repeat(32), sealed: "00".repeat(96) });
  let answered = 0;
  for (let id = 100; id < 1100; id++) answered += all(room.v1(A, "REGISTER", sealed(id)), "CHALLENGE").length;
  // the room has taken some for what was asked before
  assertEquals([answered > 40, answered <= 50], [true, true], `${answered}`);
  room.pass(10_000);
  const largest = largestMap(() => {
    for (let id = 2000; id < 2200; id++) one(room.v1(A, "UNREGISTER", { id, token: TOKEN }), "ERROR");
  });
  assertEquals(largest, 9, "one more for a moment");
});
