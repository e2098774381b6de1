/** Names in the room: sign-in, lists and look-ups. */
import { assert, assertEquals, assertLessOrEqual, assertNotEquals } from "@std/assert";
import { textOf } from "../../support/fake_delivery.ts";
import { FakeRoom, one, outline, to } from "../../support/fake_room.ts";

const A = "127.0.0.1:40001", B = "127.0.0.1:40002", C = "[::1]:40003", D = "127.0.0.1:40004";

/** The names that the room lists, page by page. */
function list(room: FakeRoom, from: string, token: string): { names: string[]; pages: number; unnamed: number } {
  const names: string[] = [];
  for (let pages = 1;; pages++) {
    const [sent] = room.v1(from, "LIST", { id: pages, token, after: names.at(-1) });
    assertLessOrEqual(sent.bytes.length, 1232);
    const page = one([sent], "USERS");
    assertEquals(page.id, pages);
    names.push(...page.names);
    assertEquals(page.total, names.length + (page.more ? page.total - names.length : 0));
    if (!page.more) return { names, pages, unnamed: page.unnamed };
    assert(page.names.length > 0, "a page that is not the last has names, or the client would ask for ever");
  }
}

Deno.test("room: a name that a member already has is refused, in any case and any normal form", () => {
  const room = new FakeRoom();
  room.join(A, "Zoë-Straße");
  for (const name of ["Zoë-Straße", "zoë-strasse", "ZOË-STRASSE", "Zoë-Straße".normalize("NFD").normalize("NFC")]) {
    const refusal = room.refused(B, name, 3);
    assertEquals([refusal.code, refusal.id], ["name-taken", 3], name);
  }
  // a name that arrives in another normal form
  const decomposed = `SIGN-IN/1 id=4 token=00000000000000bb cookie=${room.cookie(B)} name=${
    "zoë-straße".normalize("NFD")
  }`;
  assertEquals(one(room.datagram(B, decomposed), "ERROR").code, "name-taken");
  assertEquals(room.room.size, 1, "who was refused has not joined");
  assertEquals(room.join(B, "Zoe-Strasse").name, "Zoe-Strasse", "another letter is another name");
});

Deno.test("room: a name that looks like that of a member who is here is refused, and says which", () => {
  const room = new FakeRoom();
  const alice = room.join(A, "Alice");
  for (const name of ["\u0410lice", "\uff21lice", "AIice", "a1ice", "\u0410LICE"]) {
    const { code, text, id } = room.refused(B, name, 3);
    assertEquals([code, id], ["name-taken", 3], name);
    assertEquals(text, `The name ${name} looks like Alice, who is here; choose another`);
  }
  assertEquals(room.refused(B, "ALICE").text, "The name ALICE is taken; choose another");
  assertEquals(room.room.size, 1, "who was refused has not joined");
  // it is free again when Alice has gone, or has another name
  one(room.v1(A, "SIGN-IN", { id: 2, token: alice.token, name: "Carol" }), "WELCOME");
  const bob = room.join(B, "\u0410lice");
  assertEquals(bob.name, "\u0410lice");
  assertEquals(room.refused(C, "Alice").text, "The name Alice looks like \u0410lice, who is here; choose another");
  assertEquals(room.refused(C, "CaroI").text, "The name CaroI looks like Carol, who is here; choose another");
  room.v1(A, "LEAVE", { id: 3, token: alice.token });
  assertEquals(room.join(C, "CaroI").name, "CaroI");
});

Deno.test("room: a member may take a name that looks like its own, and the name of whom it replaces", () => {
  const room = new FakeRoom();
  const { token } = room.join(A, "Alice");
  for (const [id, name] of ["AIice", "\u0410lice", "Alice"].entries()) {
    assertEquals(one(room.v1(A, "SIGN-IN", { id: id + 2, token, name }), "WELCOME").name, name);
    assertEquals(room.refused(B, "A1ice").text, `The name A1ice looks like ${name}, who is here; choose another`);
  }
  // another client at the same address: a NAT that has restarted, or a program that was started again
  assertEquals(room.move(A, "00000000000000aa", "AIice").name, "AIice");
  assertEquals(list(room, A, "00000000000000aa").names, ["AIice"]);
});

Deno.test("room: a name that looks like an address or like the server is refused as a bad one", () => {
  const room = new FakeRoom();
  for (const name of ["10.0.0.7", "1O.0.0.7", "\uff11\uff10.0.0.7", "127.0.0.1"]) {
    const { code, text } = room.refused(B, name);
    assertEquals([code, text], ["bad-name", `The name ${name} looks like an address; choose another`]);
  }
  for (const name of ["Server", "SERVER", "\u0405erver"]) {
    const { code, text } = room.refused(B, name);
    assertEquals([code, text], ["bad-name", `The name ${name} looks like the server; choose another`]);
  }
  assertEquals(room.room.size, 0);
});

Deno.test("room: a name with a letter that this server's Unicode does not have is refused as a bad one", () => {
  const room = new FakeRoom(), name = "Alice\u{3fffd}", rule = "A name has 1 to 32 letters, digits and _ - . only";
  const { code, text } = room.refused(B, name);
  assertEquals([code, text], ["bad-name", `${rule}; choose another`]);
  const { token } = room.join(A, "Alice");
  assertEquals(one(room.v1(A, "SIGN-IN", { id: 2, token, name }), "ERROR").code, "bad-name");
  assertEquals(list(room, A, token).names, ["Alice"]);
});

Deno.test("room: a name on the wire in any normal form is kept in NFC", () => {
  const room = new FakeRoom();
  const cookie = room.cookie(A), name = "Zoë".normalize("NFD");
  const signIn = `SIGN-IN/1 id=2 token=00000000000000aa cookie=${cookie} name=${name}`;
  const welcome = one(room.datagram(A, signIn), "WELCOME");
  assertEquals(welcome.name, "Zoë".normalize("NFC"));
});

Deno.test("room: a name is free again when its holder leaves, falls silent or takes another name", () => {
  const room = new FakeRoom();
  const alice = room.join(A, "Alice");
  room.v1(A, "LEAVE", { id: 2, token: alice.token });
  const second = room.join(B, "alice");
  assertEquals(second.name, "alice");
  assertEquals(one(room.v1(B, "SIGN-IN", { id: 2, token: second.token, name: "Bob" }), "WELCOME").name, "Bob");
  assertEquals(room.join(D, "ALICE").name, "ALICE");
  room.pass(60_000);
  assertEquals(room.join(C, "alice").name, "alice");
});

Deno.test("room: a member may sign in again with its own name or another spelling of it", () => {
  const room = new FakeRoom();
  const { token } = room.join(A, "Alice");
  assertEquals(one(room.v1(A, "SIGN-IN", { id: 2, token, name: "Alice" }), "WELCOME").token, token);
  assertEquals(one(room.v1(A, "SIGN-IN", { id: 3, token, name: "ALICE" }), "WELCOME").name, "ALICE");
  assertEquals(list(room, A, token).names, ["ALICE"]);
});

Deno.test("room: a repeated greeting with the cookie has the same answer, and joins once", () => {
  const room = new FakeRoom();
  const token = "00000000000000aa", cookie = room.cookie(A, { name: "Alice" });
  assertEquals(room.cookie(A, { id: 2, name: "Alice" }), cookie);
  const welcome = room.greet(A, { id: 3, token, cookie, name: "Alice" });
  assertEquals([welcome.token, welcome.name], [token, "Alice"]);
  for (const again of [undefined, cookie]) {
    assertEquals(room.greet(A, { id: 4, token, cookie: again, name: "Alice" }), { ...welcome, id: 4 });
  }
  assertEquals(room.room.statistics.joined, 1);
});

Deno.test("room: a SIGN-IN with a refused name still shows that the member is alive, if its token is right", () => {
  const room = new FakeRoom();
  const alice = room.join(A, "Alice");
  const bob = room.join(B, "Bob");
  room.pass(20_000);
  room.v1(B, "GREETING", { id: 2, token: bob.token });
  assertEquals(one(room.v1(A, "SIGN-IN", { id: 2, token: alice.token, name: "bob" }), "ERROR").code, "name-taken");
  room.pass(59_999);
  assertEquals(room.room.size, 2);
  room.pass(1);
  assertEquals(room.room.size, 0);
});

Deno.test("room: a list has the names sorted without regard to case, and counts the members without a name", () => {
  const room = new FakeRoom();
  const names = ["bob", "Alice", "Ärmel", "carol", "zoë", "Zebra", "42", "李雷"];
  names.forEach((name, i) => room.join(`10.0.0.1:${i + 1}`, name));
  room.datagram(B, "GREETING");
  const { token } = room.join(A);
  const listed = list(room, A, token);
  assertEquals(listed.names, ["42", "Alice", "bob", "carol", "Zebra", "zoë", "Ärmel", "李雷"]);
  assertEquals([listed.unnamed, listed.pages], [2, 1]);
});

Deno.test("room: a list of 5,000 names is complete, in pages of one datagram each", () => {
  const room = new FakeRoom();
  const names = Array.from({ length: 5000 }, (_, i) => `student-${i}-${"ä".repeat(i % 20)}`);
  names.forEach((name, i) => room.join(`10.0.${i >> 8}.${i & 255}:9`, name));
  const { token } = room.join(A);
  const listed = list(room, A, token);
  assertEquals(listed.names.length, 5000);
  assertEquals(new Set(listed.names), new Set(names));
  assertLessOrEqual(listed.pages, 200);
});

Deno.test("room: eight of the longest names fill a page, and the next page may start after a name that is gone", () => {
  const room = new FakeRoom();
  const longest = (n: number) => String.fromCodePoint(0x20000 + n) + "\u{20000}".repeat(31);
  for (let i = 0; i < 20; i++) room.join(`10.0.0.1:${i + 1}`, longest(i));
  const { token } = room.join(A);
  const page = one(room.v1(A, "LIST", { id: 1, token }), "USERS");
  assertEquals([page.names.length, page.more, page.total], [8, true, 20]);
  const gone = room.room.size;
  room.v1("10.0.0.1:8", "LEAVE", { id: 1, token: room.join("10.0.0.1:8", longest(7)).token });
  assertEquals(room.room.size, gone - 1);
  const next = one(room.v1(A, "LIST", { id: 2, token, after: page.names.at(-1) }), "USERS");
  assertEquals(next.names[0], longest(8));
});

Deno.test("room: LOOKUP by name tells the peer's address, and asks the peer to open its NAT", () => {
  const room = new FakeRoom();
  const { token } = room.join(A, "Alice");
  const since = Math.floor(room.now / 1000) * 1000;
  const bob = room.join(B, "Bob");
  room.settle();
  const sent = room.v1(A, "LOOKUP", { id: 5, token, name: "BOB" });
  const { pass } = one(sent, "PUNCH");
  assertEquals(outline(sent), [`${B} PUNCH`, `${A} PEER`], "no message must overtake the PUNCH");
  assertEquals(one(sent, "PEER"), {
    dialect: "v1",
    type: "PEER",
    id: 5,
    token,
    address: B,
    name: "Bob",
    since,
    pass,
    classic: false,
    relay: false,
    norelay: false,
    rate: undefined,
    transport: undefined,
    registered: undefined,
    operator: false,
  });
  const punch = { dialect: "v1", type: "PUNCH", token: bob.token, address: A, name: "Alice", pass } as const;
  assertEquals(one(sent, "PUNCH"), punch);
  // the pass is that of the pair, whoever asks
  assertEquals(one(room.v1(B, "LOOKUP", { id: 6, token: bob.token, name: "Alice" }), "PEER").pass, pass);
  const { token: other } = room.join(C);
  for (const name of ["Alice", "Bob"]) {
    const sent = room.v1(C, "LOOKUP", { id: 7, token: other, name });
    assertNotEquals(one(sent, "PEER").pass, pass);
  }
});

Deno.test("room: LOOKUP by address tells the name, and does the same as by name", () => {
  const room = new FakeRoom();
  const { token } = room.join(A, "Alice");
  room.join(B, "Bob");
  room.join(C);
  const sent = room.v1(A, "LOOKUP", { id: 5, token, address: B });
  const { id: _, ...byName } = one(room.v1(A, "LOOKUP", { id: 4, token, name: "Bob" }), "PEER");
  assertEquals(outline(sent), [`${B} PUNCH`, `${A} PEER`]);
  assertEquals(one(sent, "PEER"), { ...byName, id: 5 });
  assertEquals([byName.name, byName.pass], ["Bob", one(sent, "PUNCH").pass]);
  assertEquals(one(room.v1(A, "LOOKUP", { id: 6, token, address: C }), "PEER").name, undefined);
});

Deno.test("room: LOOKUP marks a classic member, gives oneself a pass too, fails for an unknown member", () => {
  const room = new FakeRoom();
  const { token } = room.join(A, "Alice");
  room.datagram(B, "SIGN-IN Bob");
  const bob = room.v1(A, "LOOKUP", { id: 1, token, name: "Bob" });
  assertEquals(outline(bob), [`${A} PEER`]);
  assertEquals([one(bob, "PEER").classic, one(bob, "PEER").pass?.length], [true, 16]);
  const own = room.v1(A, "LOOKUP", { id: 2, token, name: "alice" });
  assertEquals(outline(own), [`${A} PUNCH`, `${A} PEER`], "without a PUNCH a message to oneself would be dropped");
  assertEquals(one(own, "PUNCH").pass, one(own, "PEER").pass);
  const nobody = one(room.v1(A, "LOOKUP", { id: 3, token, name: "Carol" }), "ERROR");
  assertEquals([nobody.code, nobody.id], ["no-such-user", 3]);
  assertEquals(one(room.v1(A, "LOOKUP", { id: 4, token, address: C }), "ERROR").code, "no-such-user");
});

Deno.test("room: SIGN-IN and LIST from nc are answered in readable lines", () => {
  const room = new FakeRoom();
  const typed = (from: string, line: string) => room.datagram(from, `${line}\n`).map(textOf);
  assertEquals(typed(A, "LIST"), [], "only members are told");
  typed(A, "GREETING");
  assertEquals(typed(A, "LIST"), ["INCOMING Signed In Users: none (and 1 unnamed)\n"]);
  assertEquals(typed(A, "SIGN-IN Carole"), ["INCOMING Signed in as Carole\n"]);
  assertEquals(typed(A, "LIST"), ["INCOMING Signed In Users: Carole\n"]);
  room.join(C, "Alice");
  assertEquals(typed(A, "LIST"), ["INCOMING Signed In Users: Alice, Carole\n"]);
  assertEquals(typed(A, "SIGN-IN alice"), ["INCOMING The name alice is taken; choose another\n"]);
  assertEquals(typed(A, "SIGN-IN A1ice"), ["INCOMING The name A1ice looks like Alice, who is here; choose another\n"]);
  assertEquals(typed(A, "SIGN-IN server"), ["INCOMING The name server looks like the server; choose another\n"]);
  assertEquals(typed(A, "SIGN-IN two words"), [
    "INCOMING A name has 1 to 32 letters, digits and _ - . only; choose another\n",
  ]);
  assertEquals(typed(B, "SIGN-IN Bob"), ["INCOMING Signed in as Bob\n"], "signing in greets too");
  assertEquals(typed(A, "MESSAGE me")[0], "INCOMING <From 127.0.0.1:40001:Carole>: me\n");
});

Deno.test("room: a classic list that is too long for a datagram ends with the number of names left out", () => {
  const room = new FakeRoom();
  for (let i = 0; i < 5000; i++) room.join(`10.0.${i >> 8}.${i & 255}:9`, `student-${String(i).padStart(4, "0")}`);
  room.datagram(A, "GREETING");
  const [sent] = room.datagram(A, "LIST");
  assertLessOrEqual(sent.bytes.length, 1232);
  const [, names, more] = /^INCOMING Signed In Users: (.*) and (\d+) more \(and 1 unnamed\)$/.exec(textOf(sent))!;
  assertEquals(names.split(", ").length + Number(more), 5000);
  assert(names.split(", ").length > 70);
});

Deno.test("room: a classic member's name is in presence notices and messages, and is refused to a v1 client", () => {
  const room = new FakeRoom();
  room.join(B);
  room.datagram(A, "GREETING");
  room.pass(1000);
  room.datagram(A, "SIGN-IN Carole");
  assertEquals(one(room.pass(1000), "RENAMED").members, [{ address: A, name: "Carole", before: undefined }]);
  assertEquals(one(to(room.datagram(A, "MESSAGE hi"), B), "INCOMING").name, "Carole");
  assertEquals(room.refused(C, "carole").code, "name-taken");
});
