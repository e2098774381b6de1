/** Names that take long to look at do not stop the server: what is refused for other reasons is not looked at. */
import { assertEquals } from "@std/assert";
import { skeletons } from "../../../protocol/look_alikes.ts";
import { all, one } from "../../support/fake_room.ts";
import { OrderRoom } from "../../support/order_room.ts";

const HOST = "10.0.0.66";
/** A name that is long when it is spelled out. */
const costly = (i: number) => `${String.fromCharCode(0x4e00 + i)}${"ﷺ".repeat(20)}`;

/** How many names were spelled out while something was done. */
function spelledOut(work: () => void): number {
  const { normalize } = String.prototype;
  let count = 0;
  String.prototype.normalize = function (form?: string) {
    if (form === "NFKD") count++;
    return normalize.call(this, form);
  };
  try {
    work();
  } finally {
    String.prototype.normalize = normalize;
  }
  return count;
}

Deno.test("names: what a name looks like is found out once, and not remembered for ever", () => {
  assertEquals(spelledOut(() => [1, 2, 3].map(() => skeletons("Remembered"))), 2);
  for (let i = 0; i < 600; i++) skeletons(`Another${i}`);
  assertEquals(spelledOut(() => skeletons("Remembered")), 2);
});

Deno.test("names: a member that has changed its name often is told so before its next wish is looked at", () => {
  const room = new OrderRoom(), peers = Array.from({ length: 10 }, (_, i) => `${HOST}:${i + 1}`);
  // then there are names to compare with
  room.join("10.0.0.2:2", "Bob");
  room.order("kick Bob");
  const members = peers.map((peer, i) => ({ peer, token: room.join(peer, `M${i}`).token }));
  let id = 10;
  const wish = ({ peer, token }: typeof members[number]) =>
    room.v1(peer, "SIGN-IN", { id: ++id, token, name: costly(id) });
  for (let k = 0; k < 5; k++) members.forEach(wish);
  let refused = 0;
  const count = spelledOut(() => {
    for (let k = 0; k < 100; k++) for (const member of members) refused += all(wish(member), "ERROR").length;
  });
  assertEquals([refused, count], [1000, 0]);
});

Deno.test("names: those that one can't have are looked at ten times at once, then once a second", () => {
  const room = new OrderRoom(), { token } = room.join(`${HOST}:1`, "Mallory");
  room.join("10.0.0.3:3", costly(0));
  room.join("10.0.0.4:4", costly(1));
  room.pass(20_000);
  const wish = (i: number) =>
    one(room.v1(`${HOST}:1`, "SIGN-IN", { id: 100 + i, token, name: costly(i % 2) }), "ERROR").code;
  const codes = Array.from({ length: 100 }, (_, i) => wish(i));
  assertEquals(codes.filter((code) => code === "name-taken").length, 10);
  assertEquals(codes.at(-1), "renamed-often");
  room.pass(1000);
  assertEquals([wish(0), wish(1)], ["name-taken", "renamed-often"]);
});
