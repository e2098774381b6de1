/** Protected names: who gets one, and by which proof. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { MemoryAccounts } from "../../../server/room/accounts.ts";
import { accountOf, answerTo, challengeFor, type Person, prove, signInWith } from "../../support/accounts.ts";
import { textOf } from "../../support/fake_delivery.ts";
import { FakeNames } from "../../support/fake_names.ts";
import { all, FakeRoom, type FakeRoomOptions, one, to } from "../../support/fake_room.ts";

const A = "192.0.2.1:40001", B = "192.0.2.2:40002", C = "192.0.2.3:40003";
const TOKEN = "00000000000000aa", OTHER = "00000000000000bb";
const PASSWORD = "correct horse";

/** A room in which Alice is registered. */
function newRoom(options: FakeRoomOptions = {}): { room: FakeRoom; accounts: MemoryAccounts; alice: Person } {
  const accounts = new MemoryAccounts([accountOf("Alice", PASSWORD)]);
  const room = new FakeRoom({ accounts, ...options });
  return { room, accounts, alice: { room, from: A, token: TOKEN, name: "Alice", password: PASSWORD } };
}

Deno.test("login: a registered name takes a proof, and the server proves itself in turn", () => {
  const { room, alice } = newRoom();
  const challenge = challengeFor(alice);
  assertEquals([challenge.address, challenge.rounds, challenge.token, room.room.size], [A, 600_000, TOKEN, 0]);
  const { proof, verifier } = answerTo(challenge, alice);
  const welcome = one(prove(alice, proof), "WELCOME");
  assertEquals([welcome.name, welcome.verifier], ["Alice", verifier]);
  // it has the name now
  const keepAlive = one(room.v1(A, "SIGN-IN", { id: 9, token: TOKEN, name: "Alice" }), "WELCOME");
  assertEquals([keepAlive.name, keepAlive.verifier], ["Alice", undefined]);
});

Deno.test("login: each challenge has another nonce, so nobody sees by it who has signed in; all are good until then", () => {
  const { room, alice } = newRoom();
  const stranger = { ...alice, from: B, token: OTHER };
  const nonces = [1, 2].map(() => challengeFor(stranger).nonce!);
  const mine = [1, 2].map(() => answerTo(challengeFor(alice), alice).proof);
  one(prove(alice, mine[0]), "WELCOME");
  nonces.push(challengeFor(stranger).nonce!);
  assertEquals(new Set(nonces).size, 3);
  // half of one does not do with half of another
  room.v1(A, "LEAVE", { id: 9, token: TOKEN });
  one(prove(alice, mine[1]), "CHALLENGE");
  const [one1, one2] = [1, 2].map(() => challengeFor(stranger)),
    mixed = one1.nonce!.slice(0, 16) + one2.nonce!.slice(16);
  one(prove(stranger, answerTo({ ...one1, nonce: mixed }, stranger).proof), "CHALLENGE");
  one(prove(stranger, answerTo(one1, stranger).proof), "WELCOME");
});

Deno.test("login: the WELCOME was lost: the same packet is answered in the same way, another one is not", () => {
  const { room, alice } = newRoom();
  const { proof, verifier } = answerTo(challengeFor(alice), alice);
  one(prove(alice, proof), "WELCOME");
  for (const id of [4, 5]) {
    assertEquals(
      one(room.v1(A, "SIGN-IN", { id, token: TOKEN, name: "Alice", ...proof }), "WELCOME").verifier,
      verifier,
    );
  }
  // never sign what is not proven
  const other = { ...proof, cnonce: "0".repeat(32) };
  one(room.v1(A, "SIGN-IN", { id: 6, token: TOKEN, name: "Alice", ...other }), "CHALLENGE");
});

Deno.test("login: repeats of the packet that was taken use nothing up, however many: another device gets in meanwhile", () => {
  const { room, alice } = newRoom();
  const { proof, verifier } = answerTo(challengeFor(alice), alice);
  one(prove(alice, proof), "WELCOME");
  const bob = { ...alice, from: B, token: OTHER }, challenge = challengeFor(bob);
  for (let id = 4; id < 100; id++) {
    const sent = room.v1(A, "SIGN-IN", { id, token: TOKEN, name: "Alice", ...proof });
    if (sent.length > 0) assertEquals(one(sent, "WELCOME").verifier, verifier);
  }
  one(to(prove(bob, answerTo(challenge, bob).proof), B), "WELCOME");
});

Deno.test("login: a wrong proof is refused, and says so; whoever has no proof is challenged again and again", () => {
  const { room, alice } = newRoom();
  const error = one(signInWith({ ...alice, password: "battery staple" }), "ERROR");
  assertEquals([error.code, error.text], ["wrong-password", "That is not the password of Alice"]);
  for (let i = 0; i < 3; i++) challengeFor(alice);
  assertEquals(room.room.size, 0);
  one(signInWith(alice), "WELCOME");
});

Deno.test("login: a proof is worth nothing at another address, with another token, or for another name", () => {
  const { room, accounts, alice } = newRoom();
  accounts.put(accountOf("Bob", PASSWORD));
  const { proof } = answerTo(challengeFor(alice), alice);
  for (const thief of [{ ...alice, from: B }, { ...alice, token: OTHER }, { ...alice, name: "Bob" }]) {
    one(prove(thief, proof), "CHALLENGE");
  }
  assertEquals(room.room.size, 0);
  // the nonce of one's own challenge does not help either
  const own = challengeFor({ ...alice, from: B, token: OTHER });
  const swapped = { ...proof, nonce: own.nonce };
  assertEquals(one(prove({ ...alice, from: B, token: OTHER }, swapped), "ERROR").code, "wrong-password");
  one(prove(alice, proof), "WELCOME");
});

Deno.test("login: a proof is used up, also after its sender has left, and it is out of date after two minutes", () => {
  const { room, alice } = newRoom();
  const { proof } = answerTo(challengeFor(alice), alice);
  one(prove(alice, proof), "WELCOME");
  room.v1(A, "LEAVE", { id: 7, token: TOKEN });
  room.pass(10_000);
  one(prove(alice, proof), "CHALLENGE");
  const late = answerTo(challengeFor(alice), alice).proof;
  room.pass(120_000);
  one(prove(alice, late), "CHALLENGE");
});

Deno.test("login: after a restart no old proof is worth anything", () => {
  const { alice } = newRoom();
  const { proof } = answerTo(challengeFor(alice), alice);
  one(prove({ ...alice, room: newRoom().room }, proof), "CHALLENGE");
});

Deno.test("login: two that answered the same challenge: the first one's proof uses up the other's", () => {
  const { alice } = newRoom();
  const bob = { ...alice, from: B, token: OTHER };
  const first = answerTo(challengeFor(alice), alice), second = answerTo(challengeFor(bob), bob);
  one(prove(alice, first.proof), "WELCOME");
  one(prove(bob, second.proof), "CHALLENGE");
});

Deno.test("login: who proves the password takes the name from another member, which is told and gone", () => {
  const { room, alice } = newRoom();
  one(signInWith(alice), "WELCOME");
  room.settle();
  const sent = signInWith({ ...alice, from: B, token: OTHER });
  assertEquals(one(to(sent, A), "ERROR").code, "signed-in-elsewhere");
  assertEquals(one(to(sent, B), "WELCOME").name, "Alice");
  assertEquals([room.room.size, room.room.users().names], [1, ["Alice"]]);
  // it may not come back by itself: it goes on greeting if it has not heard of it
  for (let id = 9; id < 19; id++) {
    room.pass(4000);
    const again = room.v1(A, "SIGN-IN", { id, token: TOKEN, cookie: room.cookie(A), name: "Alice" });
    assertEquals(one(again, "ERROR").code, "signed-in-elsewhere");
  }
  // but when its user asks for it
  room.pass(5000);
  one(to(signInWith(alice), A), "WELCOME");
});

Deno.test("login: who has the name stays if the one that proves it may not come in by then", () => {
  const names = new FakeNames({ isLate: true });
  const { room, alice } = newRoom({ names });
  const answer = () => {
    room.room.claimed(names.answer()![0], true, room.now);
    return room.delivery.take();
  };
  // both are asked for while nobody has the name
  for (const from of [A, B]) assertEquals(signInWith({ ...alice, from, token: from === A ? TOKEN : OTHER }), []);
  one(answer(), "WELCOME");
  room.room.order("ban 192.0.2.2", room.now);
  room.delivery.take();
  assertEquals([one(answer(), "ERROR").code, room.room.users().names], ["banned", ["Alice"]]);
});

Deno.test("members only: while the room is locked, each name is challenged, and what an operator's is shows a proof only", () => {
  const { room, accounts, alice } = newRoom({ membersOnly: true });
  accounts.put(accountOf("Root", PASSWORD, true));
  one(signInWith(alice), "WELCOME");
  room.room.order("lock", room.now);
  room.settle();
  const from = (i: number, name: string) => ({ room, from: `192.0.2.4${i}:4`, token: `${i}`.repeat(16), name });
  const refusals = ["Alice", "Root", "Nobody"].map((name, i) => {
    const stranger = { ...from(i, name), password: "battery staple" };
    return one(signInWith(stranger), "ERROR").code;
  });
  assertEquals(refusals, Array(3).fill("wrong-password"));
  // and the one that is here stays
  const elsewhere = signInWith({ ...from(5, "Alice"), password: PASSWORD });
  assertEquals([one(elsewhere, "ERROR").code, room.room.users().names], ["locked", ["Alice"]]);
  one(signInWith({ ...from(6, "Root"), password: PASSWORD }), "WELCOME");
});

Deno.test("login: the name is the same in other letters: as it is typed it is proven, given and kept", () => {
  const { room, alice } = newRoom();
  const typed = { ...alice, name: "alice" };
  assertEquals(one(signInWith(typed), "WELCOME").name, "alice");
  // whoever has it may change its letters
  assertEquals(one(room.v1(A, "SIGN-IN", { id: 9, token: TOKEN, name: "ALICE" }), "WELCOME").name, "ALICE");
});

Deno.test("login: a member that has another name keeps it until it has proven the new one", () => {
  const { room, alice } = newRoom();
  room.move(A, TOKEN, "Zoe");
  room.settle();
  const challenge = one(room.v1(A, "SIGN-IN", { id: 4, token: TOKEN, name: "Alice" }), "CHALLENGE");
  const wrong = answerTo(challenge, { ...alice, password: "battery staple" }).proof;
  assertEquals(
    one(room.v1(A, "SIGN-IN", { id: 5, token: TOKEN, name: "Alice", ...wrong }), "ERROR").code,
    "wrong-password",
  );
  assertEquals(one(room.v1(A, "GREETING", { id: 6, token: TOKEN }), "WELCOME").name, "Zoe");
  const { proof, verifier } = answerTo(challenge, alice);
  const welcome = one(room.v1(A, "SIGN-IN", { id: 7, token: TOKEN, name: "Alice", ...proof }), "WELCOME");
  assertEquals([welcome.name, welcome.verifier], ["Alice", verifier]);
});

Deno.test("login: names that look like a registered one are refused, also while its owner is away", () => {
  const { room } = newRoom();
  const { code, text } = room.refused(A, "AIice");
  assertEquals([code, text], ["name-taken", "The name AIice looks like Alice, which is registered; choose another"]);
});

Deno.test("login: classic members and connections can't take a registered name", () => {
  const { room } = newRoom();
  const classic = room.datagram("10.0.0.1:40000", "SIGN-IN alice\n").map(textOf).join("|");
  assertMatch(classic, /INCOMING The name alice is registered; choose another/);
  const tcp = "tcp 10.0.0.2:40000", peer = { key: tcp, address: "10.0.0.2:40000", validated: true, direct: false };
  room.room.connected(peer, room.now);
  room.room.receiveLine("/name Alice", peer, room.now);
  assertMatch(room.delivery.take().map(textOf).join("|"), /The name Alice is registered; choose another/);
  assertEquals(room.room.users().names, []);
});

Deno.test("login: names that are asked for elsewhere: the proof is kept until they answer, and is used up then", () => {
  const names = new FakeNames({ isLate: true });
  const { room, alice } = newRoom({ names });
  const answer = () => {
    room.room.claimed(...names.answer()!, room.now);
    return room.delivery.take();
  };
  const { proof, verifier } = answerTo(challengeFor(alice), alice);
  assertEquals(prove(alice, proof), []);
  // a repeat meanwhile
  assertEquals(prove(alice, proof, 4), []);
  const welcome = one(answer(), "WELCOME");
  assertEquals([welcome.id, welcome.verifier], [4, verifier]);
});

Deno.test("login: a name that is registered while the names are asked is not given without a proof", () => {
  const names = new FakeNames({ isLate: true });
  const { room, accounts } = newRoom({ names });
  room.v1(A, "SIGN-IN", { id: 2, token: TOKEN, cookie: room.cookie(A), name: "Bob" });
  accounts.put(accountOf("Bob", PASSWORD));
  room.room.claimed(...names.answer()!, room.now);
  assertEquals(one(room.delivery.take(), "ERROR").text, "The name Bob is registered; choose another");
  assertEquals([room.room.size, names.holders.size], [0, 0]);
});

Deno.test("login: another wish while the names are asked does not pass without its proof", () => {
  const names = new FakeNames({ isLate: true });
  const { room } = newRoom({ names });
  room.v1(A, "SIGN-IN", { id: 2, token: TOKEN, cookie: room.cookie(A), name: "Bob" });
  room.v1(A, "SIGN-IN", { id: 3, token: TOKEN, cookie: room.cookie(A), name: "Alice" });
  room.room.claimed(...names.answer()!, room.now);
  one(room.delivery.take(), "CHALLENGE");
  assertEquals([room.room.size, names.holders.size], [0, 0]);
});

Deno.test("members only: nobody gets in without an account, and unknown names are answered like known ones", () => {
  const { room, alice } = newRoom({ membersOnly: true, passKey: "ab".repeat(32) });
  const cookie = room.cookie(B);
  assertEquals(one(room.v1(B, "GREETING", { id: 2, token: OTHER, cookie }), "ERROR").code, "name-wanted");
  for (const name of ["Mallory", "AIice"]) {
    const stranger = { room, from: B, token: OTHER, name, password: PASSWORD };
    const challenge = challengeFor(stranger), known = challengeFor(alice);
    assertEquals(Object.keys(challenge), Object.keys(known));
    assertEquals([challenge.rounds, challenge.salt!.length], [known.rounds, known.salt!.length]);
    // always the same, also after a restart, however it is spelled
    const restarted = newRoom({ membersOnly: true, passKey: "ab".repeat(32) }).room;
    const again = challengeFor({ ...stranger, room: restarted, name: name.toUpperCase() });
    assertEquals(again.salt, challenge.salt);
    assertEquals(challengeFor(stranger).salt, challenge.salt);
    const error = one(signInWith(stranger), "ERROR");
    assertEquals([error.code, error.text], ["wrong-password", `That is not the password of ${name}`]);
  }
  assertEquals(room.room.size, 0);
  one(signInWith(alice), "WELCOME");
  // and another server makes up other salts
  const other = newRoom({ membersOnly: true }).room, mallory = { room, from: B, token: OTHER, name: "Mallory" };
  assertNotEquals(challengeFor(mallory).salt, challengeFor({ ...mallory, room: other }).salt);
});

Deno.test("login: a proof where no name is registered lets in, without a verifier", () => {
  const { alice } = newRoom();
  const { proof } = answerTo(challengeFor(alice), alice);
  const welcome = one(prove({ ...alice, name: "Zoe" }, proof), "WELCOME");
  assertEquals([welcome.name, welcome.verifier], ["Zoe", undefined]);
});

Deno.test("login: a wrong proof that is repeated on a slow network counts once, another one again", () => {
  const { room, alice } = newRoom();
  const stranger = { ...alice, from: B, token: OTHER, password: "wrong" };
  const challenge = challengeFor(stranger);
  const wrong = answerTo(challenge, stranger).proof;
  const codes = Array.from({ length: 30 }, (_, i) => {
    room.pass(1000);
    return one(prove(stranger, wrong, 10 + i), "ERROR").code;
  });
  assertEquals(new Set(codes), new Set(["wrong-password"]));
  const others = Array.from({ length: 7 }, (_, i) => {
    room.pass(1000);
    const cnonce = String(i).repeat(32);
    return one(prove(stranger, answerTo(challenge, { ...stranger, cnonce }).proof, 70 + i), "ERROR").code;
  });
  assertEquals(others, [...Array(6).fill("wrong-password"), "too-many-tries"]);
});

Deno.test("login: 1,000 wrong proofs for a name: 7 are looked at, then two in three minutes; the owner gets in", () => {
  const { room, alice } = newRoom();
  one(signInWith(alice), "WELCOME");
  room.v1(A, "LEAVE", { id: 7, token: TOKEN });
  room.pass(10_000);
  const thief = { ...alice, from: C, token: OTHER, password: "battery staple" };
  const codes = new Map<string, number>();
  const begun = room.now;
  for (let i = 0; i < 1000; i++) {
    // as often as a newcomer may ask, from ports of the same address
    const from = `192.0.2.3:${20_000 + i}`, challenge = challengeFor({ ...thief, from });
    const { code } = one(prove({ ...thief, from }, answerTo(challenge, thief).proof), "ERROR");
    codes.set(code, (codes.get(code) ?? 0) + 1);
    room.pass(300);
  }
  assertEquals(room.now - begun, 300_000);
  // seven for the name, and one more each 90 s
  assertEquals(codes.get("wrong-password"), 10);
  assertEquals(codes.get("too-many-tries"), 990);
  one(signInWith({ ...thief, from: "192.0.2.3:8" }), "ERROR");
  // even the right one is not looked at there, and the answer helps nobody to be there first
  const error = one(signInWith({ ...thief, from: "192.0.2.3:9", password: PASSWORD }), "ERROR");
  assertEquals([error.code, /\d/.test(error.text)], ["too-many-tries", false]);
  // but where the owner was before, and where nobody was wrong
  one(signInWith(alice), "WELCOME");
  one(signInWith({ ...alice, from: "192.0.2.5:5", token: "00000000000000dd" }), "WELCOME");
});

Deno.test("login: who guesses from many addresses keeps the owner out but where it has been, also after a restart", () => {
  const { accounts, alice } = newRoom();
  one(signInWith(alice), "WELCOME");
  // what a state file keeps
  const kept = new MemoryAccounts(accounts.all(), undefined, [["alice", accounts.knownAddresses("Alice")]]);
  const restarted = new FakeRoom({ accounts: kept }), codes: string[] = [];
  for (let i = 0; i < 30; i++) {
    const thief = { ...alice, room: restarted, from: `198.51.100.${i + 1}:9`, token: `${i}`.padStart(16, "0") };
    codes.push(one(signInWith({ ...thief, password: "battery staple" }), "ERROR").code);
  }
  assertEquals(codes.filter((code) => code === "wrong-password").length, 10);
  const elsewhere = { ...alice, room: restarted, from: C, token: OTHER };
  assertEquals(one(signInWith(elsewhere), "ERROR").code, "too-many-tries");
  one(signInWith({ ...alice, room: restarted, from: "192.0.2.1:7" }), "WELCOME");
});

Deno.test("login: strangers may be wrong 1,000 times about all names together, and an owner gets in where it has been", () => {
  const names = Array.from({ length: 110 }, (_, i) => `Member${String(i).padStart(3, "0")}`);
  const accounts = new MemoryAccounts(names.map((name) => accountOf(name, PASSWORD)));
  accounts.setKnownAddresses("Member000", ["192.0.2.1"]);
  const room = new FakeRoom({ accounts });
  const codes = names.flatMap((name, i) =>
    Array.from({ length: 10 }, (_, j) => {
      const from = `10.1.${i}.${j}:9`, token = `${i}${j}`.padStart(16, "0");
      return one(signInWith({ room, from, token, name, password: "battery staple" }), "ERROR").code;
    })
  );
  assertEquals(codes.filter((code) => code === "wrong-password").length, 1000);
  one(signInWith({ room, from: A, token: TOKEN, name: "Member000", password: PASSWORD }), "WELCOME");
});

Deno.test("login: one address may try 30 wrong passwords of many names, and right ones cost nothing", () => {
  const { room, accounts } = newRoom();
  for (let i = 0; i < 50; i++) accounts.put(accountOf(`Name${String(i).padStart(2, "0")}x`, PASSWORD));
  const looked = Array.from({ length: 50 }, (_, i) => {
    const name = `Name${String(i).padStart(2, "0")}x`,
      from = `192.0.2.9:${20_000 + i}`,
      token = `${i}`.padStart(16, "0");
    return one(signInWith({ room, from, token, name, password: "battery staple" }), "ERROR").code;
  });
  assertEquals(looked.filter((code) => code === "wrong-password").length, 30);
  for (let i = 0; i < 50; i++) {
    const name = `Name${String(i).padStart(2, "0")}x`,
      from = `192.0.2.8:${20_000 + i}`,
      token = `${i}`.padStart(16, "0");
    one(signInWith({ room, from, token, name, password: PASSWORD }), "WELCOME");
  }
  assert(all(room.pass(1000), "ERROR").length === 0);
});
