/** Which remark the room leaves about a datagram: why it is ignored, or what it waits for. */
import { assertEquals } from "@std/assert";
import { Ignored, type IgnoreReason, noneIgnored } from "../../../server/room/ignored.ts";
import { FakeRoom, ignoredBy, STREAM } from "../../support/fake_room.ts";

const A = "10.0.0.1:1", B = "10.0.0.2:2", C = "203.0.113.5:5";

Deno.test("ignored: each reason is counted, and the last one is remembered with what is known about it", () => {
  const ignored = new Ignored();
  assertEquals([ignored.counts, ignored.last], [noneIgnored(), undefined]);
  for (const reason of Object.keys(noneIgnored()) as IgnoreReason[]) {
    ignored.count(reason, "why");
    assertEquals([ignored.counts[reason], ignored.last], [1, { reason, detail: "why" }]);
  }
  const { counts } = ignored;
  ignored.hold("rate");
  assertEquals([ignored.counts, ignored.last], [counts, { reason: "held", detail: "rate" }]);
  ignored.noteCookie("wrong");
  assertEquals([ignored.counts, ignored.last], [counts, { reason: "cookie", detail: "wrong" }]);
});

/** A room, and what it remarks about a datagram. */
function openRoom() {
  const ignored = new Ignored();
  const room = new FakeRoom({ rate: { rate: 1, burst: 2 }, ignored });
  const remarkOn = (act: () => void) => {
    ignored.last = undefined;
    act();
    return ignored.last as { reason: string; detail?: string } | undefined;
  };
  return { room, remarkOn };
}

Deno.test("ignored: the room tells why of the datagram that has just come, and nothing of one that it took", () => {
  const { room, remarkOn } = openRoom();
  assertEquals(remarkOn(() => room.datagram(A, "MESSAGE hello")), { reason: "not-joined", detail: undefined });
  assertEquals(remarkOn(() => room.datagram(A, "GREETING")), undefined);
  assertEquals(remarkOn(() => room.datagram(A, "MESSAGE hello")), undefined);
  assertEquals(remarkOn(() => room.datagram(A, "INCOMING hello")), { reason: "not-for-server", detail: undefined });
  assertEquals(remarkOn(() => room.datagram(C, "GREETING")), { reason: "refused-classic", detail: "network" });
});

Deno.test("ignored: of a message that waits the room tells for what, and of the one that it waited for nothing", () => {
  const { room, remarkOn } = openRoom();
  const { token } = room.join(B);
  const say = (id: number, first = 1) => () => room.v1(B, "MESSAGE", { token, stream: STREAM, id, first, text: "x" });
  assertEquals(remarkOn(say(2)), { reason: "held", detail: "id 1" });
  assertEquals(remarkOn(say(40)), { reason: "held", detail: "id 1" });
  assertEquals(remarkOn(say(1)), undefined);
  assertEquals(remarkOn(say(3)), { reason: "held", detail: "rate" });
  assertEquals(remarkOn(say(2)), undefined);
  assertEquals(ignoredBy(room.room), {});
});

Deno.test("ignored: of a greeting whose cookie lets nobody in the room tells why, and still answers it", () => {
  const { room, remarkOn } = openRoom();
  const token = "5f1c0d9a7be2e604", cookie = room.cookie(B);
  const greet = (from: string, greeting: { token?: string; cookie?: string }) => {
    let types: string[] = [];
    const remark = remarkOn(() =>
      types = room.v1(from, "GREETING", { id: 7, ...greeting }).map((it) => it.packet.type)
    );
    return [remark, ...types];
  };
  assertEquals(greet(B, {}), [undefined, "RETRY"]);
  assertEquals(greet(B, { token }), [undefined, "RETRY"]);
  assertEquals(greet(B, { cookie }), [{ reason: "cookie", detail: "no-token" }, "RETRY"]);
  assertEquals(greet(B, { token, cookie: token }), [{ reason: "cookie", detail: "wrong" }, "RETRY"]);
  assertEquals(greet(A, { token, cookie }), [{ reason: "cookie", detail: "wrong" }, "RETRY"]);
  assertEquals(greet(B, { token, cookie }), [undefined, "WELCOME"]);
  assertEquals(ignoredBy(room.room), {});
});

Deno.test("ignored: of all with one IP address the classic member that was last heard is known", () => {
  const { room: { room }, room: fake } = openRoom();
  const at = (address: string) => room.classicMemberAt({ address })?.address;
  assertEquals(at("127.0.0.1:9"), undefined);
  for (const port of [1, 2, 3]) fake.datagram(`127.0.0.1:${port}`, "GREETING");
  fake.datagram("127.0.0.1:2", "GREETING");
  for (const other of ["127.0.0.11:5", "[::1]:5"]) fake.datagram(other, "GREETING");
  assertEquals(["127.0.0.1:9", "127.0.0.12:9", "[::1]:9"].map(at), ["127.0.0.1:2", undefined, "[::1]:5"]);
  // it is not looked for among thousands
  for (let port = 1; port <= 127; port++) fake.datagram(`10.0.0.1:${port}`, "GREETING");
  assertEquals([at("127.0.0.1:9"), at("[::1]:9")], [undefined, "[::1]:5"]);
});
