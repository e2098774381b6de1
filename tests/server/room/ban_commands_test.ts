/** Bans as they act in a room: on who is here, on who comes, by any door, and on the names that are asked for. */
import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { addressBytes } from "../../../protocol/ip_network.ts";
import { FakeNames } from "../../support/fake_names.ts";
import { ignoredBy, one, to } from "../../support/fake_room.ts";
import { largestMap } from "../../support/largest_map.ts";
import { ALICE, OrderRoom, read } from "../../support/order_room.ts";

const B = "10.0.1.2:40002", C = "10.0.1.3:40003", T = "10.0.1.4:40004";

Deno.test("ban NAME: it goes, and comes back neither with the token, nor by the name or one that looks like it", () => {
  const room = new OrderRoom();
  room.join(B, "Bob");
  room.settle();
  const sent = room.order("ban bob 10");
  const { code, text } = one(to(sent, B), "ERROR");
  assertEquals([code, text], ["banned", "You were banned by Alice for 10 minutes"]);
  assertEquals(room.notices(sent), ["bob was banned by Alice for 10 minutes"]);
  room.pass(120_000);
  const again = room.refused(B, "Rob");
  assertEquals([again.code, again.text], ["banned", "You are banned for 8 more minutes"]);
  assertEquals(room.refused(C, "B\u043eb").code, "banned");
  const { token } = room.join(C, "Carol");
  const nick = one(room.v1(C, "SIGN-IN", { id: 7, token, name: "Bob" }), "ERROR");
  assertEquals([nick.code, nick.text], ["bad-name", "The name Bob is banned for 8 more minutes; choose another"]);
  assertEquals(one(room.v1(C, "GREETING", { id: 8, token }), "WELCOME").name, "Carol");
  room.pass(8 * 60_000);
  assertEquals(room.join(B, "Bob").name, "Bob");
});

Deno.test("ban NAME: TCP and classic members go, and can't take the name again", () => {
  const room = new OrderRoom();
  room.connect(T);
  room.type(T, "/name Tom");
  room.datagram(C, "SIGN-IN Carol");
  room.settle();
  assertEquals(read(room.order("ban Tom"), `tcp ${T}`), "!! You were banned by Alice\n");
  assertEquals(read(room.order("ban Carol"), C), "INCOMING !! You were banned by Alice\n");
  room.pass(120_000);
  room.connect(T);
  const line = read(room.type(T, "/name Tom"), `tcp ${T}`);
  assertEquals(line, "The name Tom is banned until an operator ends it; choose another\n");
  assertEquals(read(room.datagram(C, "SIGN-IN Carol"), C), "INCOMING !! You are banned until an operator ends it\n");
  assertEquals(room.room.size, 2);
  assertEquals(
    room.answer("bans"),
    "Carol is banned until you type /unban Carol\nTom is banned until you type /unban Tom",
  );
});

Deno.test("ban NAME: who waits for an answer about the name is not let in by it", () => {
  const names = new FakeNames(), room = new OrderRoom({ names });
  names.isLate = true;
  const token = "0123456789abcdef", cookie = room.cookie(B, { name: "Bob" });
  assertEquals(room.v1(B, "SIGN-IN", { id: 2, token, cookie, name: "Bob" }), []);
  room.order("ban 10.0.1.2");
  room.room.claimed(...names.answer()!, room.now);
  assertEquals(one(room.delivery.take(), "ERROR").code, "banned");
  assertEquals([room.room.size, names.holders.has("bob")], [1, false]);
});

Deno.test("ban ADDRESS: all there go, whatever they speak, and the answer says who; nobody comes from there", () => {
  const room = new OrderRoom();
  room.join("10.0.2.1:1", "Bob");
  room.join("10.0.2.1:2");
  room.connect("10.0.2.1:3");
  room.datagram("10.0.2.1:4", "SIGN-IN Carol");
  room.join(C, "Dave");
  room.settle();
  const sent = room.order("ban 10.0.2.1:1 5");
  assertEquals(
    one(sent, "REPLY").text,
    "10.0.2.1 is banned for 5 minutes: Bob, 10.0.2.1:2, 10.0.2.1:3, Carol had to go " +
      "(4 members had this IP address: perhaps a NAT)",
  );
  assertEquals(room.notices(sent), [
    "10.0.2.1 was banned by Alice for 5 minutes: Bob, 10.0.2.1:2, 10.0.2.1:3, Carol had to go",
  ]);
  assertEquals(read(sent, "tcp 10.0.2.1:3"), "!! Your IP address was banned by Alice for 5 minutes\n");
  assertEquals(room.room.size, 2);
  room.pass(100_000);
  const refused = room.refused("10.0.2.1:9", "Eve");
  assertEquals([refused.code, refused.text], ["banned", "Your IP address is banned for 4 more minutes"]);
  assertEquals(room.connect("10.0.2.1:9"), "!! Your IP address is banned for 4 more minutes\n");
  const told = room.datagram("10.0.2.1:10", "GREETING");
  assertEquals(read(told, "10.0.2.1:10"), "INCOMING !! Your IP address is banned for 4 more minutes");
  assertEquals(room.datagram("10.0.2.1:11", "GREETING"), [], "told once");
  assertEquals(room.room.size, 2);
  assertEquals(room.notices(room.order("unban 10.0.2.1")), ["10.0.2.1 was unbanned by Alice"]);
  assertEquals(room.join("10.0.2.1:1", "Bob").name, "Bob");
});

Deno.test("ban ADDRESS: a member that moves to a banned network has to go, and who only claims its token changes nothing", () => {
  const room = new OrderRoom();
  const { token } = room.join(B, "Bob");
  room.order("ban 10.0.9.0/24");
  room.settle();
  assertEquals(room.v1("10.0.9.1:1", "GREETING", { id: 5, token }).map(({ packet }) => packet.type), ["RETRY"]);
  assertEquals(room.room.size, 2);
  const cookie = room.cookie("10.0.9.1:1", { token });
  const sent = room.v1("10.0.9.1:1", "GREETING", { id: 6, token, cookie });
  assertEquals(one(to(sent, "10.0.9.1:1"), "ERROR").code, "banned");
  assertEquals(one(to(sent, B), "ERROR").code, "banned");
  assertEquals(room.room.size, 1);
});

Deno.test("ban ADDRESS: the server's own machine is never hit, and the giver and other operators stay", () => {
  const ownAddresses = () => [addressBytes("10.0.0.100")!];
  const room = new OrderRoom({ ownAddresses });
  room.join("127.0.0.1:7", "Local");
  room.join("10.0.0.100:7", "Own");
  for (const own of ["127.0.0.1", "127.0.0.0/8", "::1", "127.3.0.0/16", "10.0.0.100", "[::1]:5"]) {
    assertMatch(room.problem(`ban ${own}`), /is this server's own machine, which no ban hits$/);
  }
  assertEquals(room.problem("ban 10.0.0.0/16"), "You are at 10.0.0.0/16 too: ban a name instead");
  const oscar = room.join(B, "Oscar");
  room.addAccount("Oscar", true);
  assertMatch(room.problem("ban 10.0.1.0/24"), /^Oscar is an operator/);
  assertMatch(room.problem("ban Oscar"), /^Oscar is an operator/);
  room.join(C, "Carol");
  room.v1(B, "LEAVE", { id: 9, token: oscar.token });
  assertMatch(room.problem("ban 0scar"), /^Oscar is an operator/);
  assertEquals(room.problem("ban alice"), "That is you");
  // the terminal may, and says whom it hits
  const { text } = room.room.order("ban 0.0.0.0/0", room.now);
  assertEquals(text, "0.0.0.0/0 is banned: Alice, Carol had to go");
  assertEquals(room.room.size, 2);
  room.join("127.0.0.1:8", "Two");
  assertEquals(room.refused(ALICE, "Alice").code, "banned");
});

Deno.test("ban: what is neither a name nor an address is said so", () => {
  const room = new OrderRoom();
  for (const what of ["10.0.0.0/33", "not+a+name", "[::g]", "10.0.0/8"]) {
    assertEquals(room.problem(`ban ${what}`), `'${what}' is no name and no IP address`);
  }
  // a name may have such letters
  for (const what of ["10.77.0.300", "10.77.0", "300.1.1.1", "10.0.0."]) {
    assertEquals(room.problem(`ban ${what}`), `'${what}' is no IP address`);
  }
  assertEquals(room.problem("ban Server"), "Nobody may be called Server");
  assertEquals(room.answer("bans"), "Nobody is banned");
  assertEquals(room.problem("unban Bob"), "Bob is not banned; /bans lists who is");
  assertEquals(room.answer("ban Bob"), "Bob is banned; nobody here has this name");
  assertEquals(room.answer("ban 192.0.2.0/24 3"), "192.0.2.0/24 is banned for 3 minutes; nobody here is there");
  assertEquals(
    room.answer("bans"),
    "192.0.2.0/24 is banned for 3 more minutes\nBob is banned until you type /unban Bob",
  );
});

Deno.test("ban: of many, as many are listed as fit into an answer; there are at most 10,000", () => {
  const bans = Array.from({ length: 10_000 }, (_, i) => ({ what: `bot${i}`, holder: "", until: undefined }));
  const room = new OrderRoom({ order: { bans } });
  const lines = room.answer("bans").split("\n");
  assertEquals(lines[0], "bot9999 is banned until you type /unban bot9999");
  assertMatch(lines.at(-1)!, /^and 9\d{3} more$/);
  assertEquals(room.room.order("bans", room.now).text.split("\n").length, 10_000, "the terminal has room for all");
  assertEquals(room.problem("ban Bob"), "There are 10000 bans; unban somebody first");
  assertEquals(room.answer("ban bot5 10"), "bot5 is banned for 10 minutes; nobody here has this name");
  room.order("unban bot5");
  assertEquals(room.answer("ban Bob"), "Bob is banned; nobody here has this name");
});

Deno.test("ban: a flood from a banned network costs few answers and no memory", () => {
  const room = new OrderRoom();
  room.order("ban 10.7.0.0/16");
  const token = "0123456789abcdef";
  let answers = 0;
  const largest = largestMap(() => {
    for (let i = 0; i < 20_000; i++) {
      answers += room.datagram(`10.7.${i & 15}.9:${1 + i % 60_000}`, "GREETING").length;
      answers += room.datagram(`10.7.${i & 15}.9:${1 + i % 60_000}`, "MESSAGE hi").length;
    }
  });
  assertEquals(answers, 16, "one for each IP address");
  assertEquals(ignoredBy(room.room)["kept-out"], 20_000);
  assertEquals(room.room.size, 1);
  assertLess(largest, 100);
  const request = `GREETING/1 id=1 token=${token}`;
  for (const { to, packet } of room.datagram("10.7.0.9:7", request)) {
    assertEquals([to, packet.type], ["10.7.0.9:7", "RETRY"], "before the cookie it learns nothing");
  }
});

Deno.test("ban: who goes on greeting from a banned address, with its cookie, is answered once a second", () => {
  const room = new OrderRoom();
  room.order("ban 10.7.0.0/16");
  const token = "0123456789abcdef", cookie = room.cookie("10.7.0.1:1", { token });
  let answers = 0;
  for (let id = 1; id <= 500; id++) answers += room.v1("10.7.0.1:1", "GREETING", { id, token, cookie }).length;
  assertEquals([answers, ignoredBy(room.room)["fast-sign-ins"]], [10, 490]);
});

Deno.test("ban: members of an earlier run that are banned do not come back with it", () => {
  const bans = [{ what: "Bob", holder: "", until: undefined }, { what: "10.0.1.3", holder: "", until: undefined }];
  const member = { dialect: "v1", since: 1 } as const;
  const room = new OrderRoom({
    order: { bans, topic: "Sockets" },
    members: [
      { ...member, address: B, token: "00000000000000b0", name: "Bob" },
      { ...member, address: C, token: "00000000000000c0", name: "Carol" },
      { ...member, address: "10.0.1.5:5", token: "00000000000000d0", name: "Dave" },
    ],
  });
  assertEquals(room.room.users().names, ["Alice", "Dave"]);
  assertEquals(room.join(ALICE, "Alice").topic, "Sockets");
});

Deno.test("ban: unban of an address says in which banned network it is", () => {
  const room = new OrderRoom();
  room.room.order("ban 10.0.1.0/24", room.now);
  room.room.order("ban 2001:db8::/32", room.now);
  assertEquals(room.problem("unban 10.0.1.7"), "10.0.1.7 is in 10.0.1.0/24, which is banned: unban that");
  assertEquals(
    room.problem("unban 2001:db8:1::/48"),
    "2001:db8:1::/48 is in 2001:db8::/32, which is banned: unban that",
  );
  assertEquals(room.problem("unban 10.0.0.0/24"), "10.0.0.0/24 is not banned; /bans lists who is");
});

Deno.test("ban: unban of a network ends the bans inside it too, and says how many", () => {
  const room = new OrderRoom();
  for (const what of ["10.5.0.0/16", "10.5.1.0/24", "10.5.1.7", "10.6.0.1", "2001:db8::1", "Bob"]) {
    room.order(`ban ${what}`);
  }
  const sent = room.order("unban 10.5.0.0/16");
  assertEquals(room.notices(sent), ["10.5.0.0/16 was unbanned by Alice, which ends 2 bans inside it"]);
  assertEquals(room.notices(room.order("unban 10.0.0.0/8")), [
    "10.0.0.0/8 was unbanned by Alice, which ends 1 ban inside it",
  ]);
  assertEquals(room.answer("bans").split("\n").map((line) => line.split(" ", 1)[0]), ["Bob", "2001:db8::1"]);
  assertEquals(room.join("10.5.1.7:9", "Carol").name, "Carol");
});

Deno.test("ban: networks so wide that they may keep out all operators are for the server's terminal", () => {
  const room = new OrderRoom();
  const wide = ["0.0.0.0/0", "203.0.0.0/15", "::/0", "::/32", "::ffff:0:0/96", "::ffff:1.2.3.4/40", "2001:db8::/31"];
  for (const what of wide) assertMatch(room.problem(`ban ${what}`), / is too wide: an operator may ban a \/16, /, what);
  for (const what of ["203.0.0.0/16", "2001:db8::/32", "::ffff:203.1.0.0/112"]) {
    assertMatch(room.answer(`ban ${what}`), /^\S+ is banned; nobody here is there$/, what);
  }
  assertEquals(room.room.order("ban 203.0.0.0/8", room.now).isDone, true);
});

Deno.test("unban: whoever was banned comes back at once, with its name", () => {
  const room = new OrderRoom();
  const { token } = room.join(B, "Bob");
  for (const what of ["Bob", "10.0.1.0/24"]) {
    room.order(`ban ${what}`);
    assertEquals(room.refused(B, "Bob").code, "banned");
    room.order(`unban ${what}`);
    room.delivery.take();
    assertEquals(room.move(B, token, "Bob").name, "Bob");
  }
});
