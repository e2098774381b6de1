/** Members change their names only so often, and orders find them by the names that they had a moment ago. */
import { assertEquals, assertMatch } from "@std/assert";
import { all, one, to } from "../../support/fake_room.ts";
import { ALICE, OrderRoom, read } from "../../support/order_room.ts";

const B = "10.0.0.2:40002", C = "10.0.0.3:40003", T = "10.0.0.4:40004";

/** How many new names Alice is told of. */
const told = (sent: ReturnType<OrderRoom["pass"]>) =>
  all(to(sent, ALICE), "RENAMED").reduce((count, { members }) => count + members.length, 0);

Deno.test("renames: five at once, then one in 10 s; the refusal says when, and a client that goes on gets its name", () => {
  const room = new OrderRoom();
  const { token } = room.join(B, "Bob");
  room.join(C, "Carol");
  const rename = (i: number) => room.v1(B, "SIGN-IN", { id: 10 + i, token, name: `Bob${i}` });
  for (let i = 1; i <= 4; i++) assertEquals(one(rename(i), "WELCOME").name, `Bob${i}`);
  // what it has already, and what it can't have, take nothing
  assertEquals(one(room.v1(B, "SIGN-IN", { id: 20, token, name: "Bob4" }), "WELCOME").name, "Bob4");
  assertEquals(one(room.v1(B, "SIGN-IN", { id: 21, token, name: "carol" }), "ERROR").code, "name-taken");
  assertEquals(one(rename(5), "WELCOME").name, "Bob5");
  const { code, text } = one(rename(6), "ERROR");
  assertEquals([code, text], ["renamed-often", "You change your name often; the next time in 10 s"]);
  room.pass(10_000);
  assertEquals(one(rename(6), "WELCOME").name, "Bob6");
  assertEquals(one(rename(7), "ERROR").code, "renamed-often");
});

Deno.test("renames: TCP and classic members read when they may", () => {
  const room = new OrderRoom();
  room.connect(T);
  for (let i = 0; i < 7; i++) {
    const line = i < 6 ? `Signed in as Tom${i}\n` : "You change your name often; the next time in 10 s\n";
    assertEquals(read(room.type(T, `/name Tom${i}`), `tcp ${T}`), line);
    assertEquals(read(room.datagram(C, `SIGN-IN Carol${i}`), C), `INCOMING ${line.replace("Tom", "Carol")}`);
  }
});

Deno.test("renames: many members of one IP address share a limit, those of the server's machine do not", () => {
  for (const [host, most] of [["10.0.0.66", 50 + 5 * 10], ["127.0.0.1", 20 * 6]] as const) {
    const room = new OrderRoom(), tokens: string[] = [];
    for (let i = 0; i < 20; i++) tokens.push(room.join(`${host}:${i + 1}`, `M${i}`).token);
    room.settle();
    let count = 0;
    for (let k = 0; k < 69; k++) {
      for (const [i, token] of tokens.entries()) {
        room.v1(`${host}:${i + 1}`, "SIGN-IN", { id: 10 + k, token, name: `M${i}-${k}` });
      }
      count += told(room.pass(10_000 / 69));
    }
    assertEquals(count <= most && count > most / 2, true, `${count}`);
  }
});

Deno.test("renames: a lecture hall that renames at once is told that it is not each one's own doing, and is done in a minute", () => {
  const room = new OrderRoom(), tokens: string[] = [];
  for (let i = 0; i < 200; i++) tokens.push(room.join(`10.0.0.66:${i + 1}`, `M${i}`).token);
  const waiting = new Map(tokens.entries());
  const texts = new Set<string>();
  for (let second = 0; waiting.size > 0; second += 5) {
    assertEquals(second <= 60, true, `${waiting.size} are left`);
    for (const [i, token] of waiting) {
      const sent = room.v1(`10.0.0.66:${i + 1}`, "SIGN-IN", { id: 10 + second, token, name: `N${i}` });
      all(sent, "ERROR").forEach(({ text }) => texts.add(text));
      if (all(sent, "WELCOME").length > 0) waiting.delete(i);
    }
    room.pass(5000);
  }
  assertEquals([...texts], ["Too many behind your IP address change their names; try again in a while"]);
});

Deno.test("renames: more than five at once share a line", () => {
  const room = new OrderRoom();
  room.connect(T);
  const tokens = [1, 2, 3, 4, 5, 6].map((i) => room.join(`10.0.0.9:${i}`, `M${i}`).token);
  room.settle();
  tokens.forEach((token, i) => room.v1(`10.0.0.9:${i + 1}`, "SIGN-IN", { id: 9, token, name: `N${i + 1}` }));
  const line = "M1 is now N1, M2 is now N2, M3 is now N3 and 3 more have other names\n";
  assertEquals(read(room.pass(1000), `tcp ${T}`), line);
});

Deno.test("renames: an order finds a member by the name that it had in the last minute, and says so", () => {
  const room = new OrderRoom(), { token } = room.join(B, "Bob");
  room.settle();
  const rename = (name: string) => one(room.v1(B, "SIGN-IN", { id: 9, token, name }), "WELCOME");
  rename("Rob");
  assertEquals(room.notices(room.order("mute bob 1")), ["Rob (bob a moment ago) was muted by Alice for 1 minute"]);
  room.pass(59_999);
  assertEquals(room.notices(room.order("kick Bob")), ["Rob (Bob a moment ago) was kicked by Alice"]);
  room.pass(60_000);
  room.join(B, "Bob");
  rename("Max");
  room.join(C, "Bob");
  assertEquals(room.notices(room.order("kick Bob")), ["Bob was kicked by Alice"]);
  rename("Moritz");
  room.pass(60_000);
  assertEquals(room.problem("kick Max"), "Max is not here");
  rename("Zed");
  assertMatch(room.answer("ban Moritz"), /^Moritz is banned: Zed had to go$/);
  assertEquals(room.room.size, 1);
});
