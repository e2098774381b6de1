/**
 * Direct messages to the one who was meant: an address or a name may be another's by now, and both may be one member's.
 */
import { assertEquals } from "@std/assert";
import { type FakeClient, FakeNetwork } from "../../support/fake_network.ts";
import { passOf, SERVER } from "../../support/fake_peers.ts";
import { A, B, pair, texts } from "../../support/direct_messages.ts";
import { joined } from "../../support/fake_session.ts";

const PORT = "10.0.9.9:40555", ELSEWHERE = "192.0.2.23:50001";
const SOMEBODY_ELSE = "somebody else is there now, or the server was started again";

/** What a client was told alone, in order. */
function toldAlone({ shown }: FakeClient): string[] {
  return shown.flatMap((shown) => shown.kind === "direct" ? [shown.text] : []);
}

/** What a client has not delivered. */
const failed = ({ notices }: FakeClient) => notices.filter((text) => text.startsWith("Not "));
const reply = (client: FakeClient, text: string) => client.act((session, now) => session.reply(text, now));
const sendTo = (client: FakeClient, who: string, text: string) =>
  client.act((session, now) => session.sayTo(who, text, now));

/** Alice, to whom Carol has written, with or without a name. */
function written(name?: string): { net: FakeNetwork; alice: FakeClient; carol: FakeClient } {
  const net = new FakeNetwork(), alice = net.connect({ name: "Alice" });
  const carol = join(net, name);
  sendTo(carol, "Alice", "it is me");
  net.passUntil(() => toldAlone(alice).length === 1);
  return { net, alice, carol };
}

/** Lets somebody join from Carol's port. */
function join(net: FakeNetwork, name?: string): FakeClient {
  const client = net.connect({ key: PORT, name });
  net.passUntil(() => net.clients.every(({ session }) => session.state !== "joining"));
  return client;
}

/** Lets Carol leave, and somebody else join from the same port. */
function replace(net: FakeNetwork, carol: FakeClient, name?: string): FakeClient {
  carol.act((session, now) => session.close(now));
  net.pass(1000);
  carol.isConnected = false;
  return join(net, name);
}

Deno.test("direct identity: the reply to one without a name does not go to who has the address next", () => {
  for (const name of [undefined, "Mallory"]) {
    const { net, alice, carol } = written();
    reply(alice, "hello");
    net.pass(1000);
    assertEquals([toldAlone(carol), failed(alice)], [["hello"], []]);
    const mallory = replace(net, carol, name);
    reply(alice, "only for you");
    net.pass(20_000);
    assertEquals(toldAlone(mallory), []);
    assertEquals(failed(alice), [`Not delivered to ${PORT} ("only for you"): ${SOMEBODY_ELSE}`]);
    // whoever writes to the address means who is there
    sendTo(alice, PORT, "who are you?");
    net.pass(1000);
    assertEquals([toldAlone(mallory), failed(alice).length], [["who are you?"], 1]);
  }
});

Deno.test("direct identity: the reply to a name does not go to who has the name next", () => {
  const { net, alice, carol } = written("Carol");
  const mallory = replace(net, carol, "Carol");
  reply(alice, "only for you");
  net.pass(20_000);
  const why = "somebody else may have the name now; /send Carol TEXT goes there all the same";
  assertEquals([toldAlone(mallory), failed(alice)], [[], [`Not delivered to Carol ("only for you"): ${why}`]]);
  sendTo(alice, "Carol", "whoever you are");
  net.pass(1000);
  assertEquals(toldAlone(mallory), ["whoever you are"]);
});

Deno.test("direct identity: a reply behind texts that wait for whoever has the name now fails alone", () => {
  const { net, alice, carol } = written("Carol");
  const mallory = replace(net, carol, "Carol");
  mallory.unreachable.add(alice);
  sendTo(alice, "Carol", "for any Carol");
  net.passUntil(() => toldAlone(mallory).length === 1);
  reply(alice, "only for you");
  assertEquals(failed(alice).map((text) => text.split(":")[0]), ['Not delivered to Carol ("only for you")']);
  mallory.unreachable.clear();
  net.pass(20_000);
  assertEquals([toldAlone(mallory), failed(alice).length], [["for any Carol"], 1]);
});

Deno.test("direct identity: after a new start of the server nobody knows who has an address, and a name goes on", () => {
  for (const name of [undefined, "Carol"]) {
    const { net, alice, carol } = written(name);
    net.stopServer();
    net.startServer();
    net.passUntil(() => alice.notices.includes("The server has started anew; joined again"));
    net.pass(15_000);
    reply(alice, "are you there?");
    net.pass(20_000);
    const why = `the server has begun anew; it can't know whether ${PORT} is still the same`;
    assertEquals(toldAlone(carol), name === undefined ? [] : ["are you there?"]);
    assertEquals(failed(alice), name === undefined ? [`Not delivered to ${PORT} ("are you there?"): ${why}`] : []);
    // who has written since is known again
    sendTo(carol, "Alice", "yes");
    net.pass(15_000);
    reply(alice, "good");
    net.pass(1000);
    assertEquals(toldAlone(carol).at(-1), "good");
  }
});

Deno.test("direct identity: just after a new start, a reply behind texts to the same name joins them", () => {
  const { net, alice, carol } = written("Carol");
  net.stopServer();
  net.startServer();
  net.passUntil(() => [alice, carol].every(({ notices }) => notices.some((text) => text.includes("started anew"))));
  carol.unreachable.add(alice);
  sendTo(alice, "Carol", "one");
  net.passUntil(() => toldAlone(carol).length === 1);
  reply(alice, "two");
  carol.unreachable.clear();
  net.pass(2000);
  assertEquals([toldAlone(carol), failed(alice)], [["one", "two"], []]);
});

Deno.test("direct identity: what is under way to an address does not go to who has it next", () => {
  for (const change of ["the address", "the server"]) {
    const { net, alice } = pair({ relay: true });
    net.members[1].name = undefined;
    net.loses = ({ to }) => to === B;
    alice.say({ address: B }, "for you alone");
    net.pass(600);
    // who was there has left, and somebody else has joined from the same port
    const other = net.join(B);
    net.members.splice(1, 1);
    net.members[1].token = ELSEWHERE;
    if (change === "the server") alice.direct.beginAnew(net.now);
    net.loses = () => false;
    net.pass(20_000);
    const why = change === "the address"
      ? SOMEBODY_ELSE
      : `the server has begun anew; it can't know whether ${B} is still the same`;
    assertEquals([texts(other.shown), alice.failed.map(({ name, reason }) => [name, reason])], [[], [[B, why]]]);
    alice.say({ address: B }, "hello");
    net.pass(100);
    assertEquals(texts(other.shown), ["hello"]);
  }
});

Deno.test("direct identity: a classic program that has the address next gets nothing that was for another", () => {
  const { net, alice } = pair();
  net.loses = ({ to }) => to === B;
  alice.act(alice.direct.say({ address: B }, [{ text: "hi" }], net.now, net.now, { pass: passOf(A, B), at: net.now }));
  Object.assign(net.members[1], { name: "Nc", classic: true });
  net.pass(1000);
  assertEquals(net.wire.filter(({ packet }) => packet.dialect === "classic"), []);
  assertEquals(alice.failed.map(({ name, reason }) => [name, reason]), [[B, SOMEBODY_ELSE]]);
});

const BY_NAME = { name: "Bob" }, BY_ADDRESS = { address: B };

Deno.test("direct identity: texts to a name and to its address arrive in order, at any loss and by any way", () => {
  for (const isOpen of [true, false]) {
    for (let seed = 1; seed <= 20; seed++) {
      const { net, alice, bob } = pair({ loss: 0.3, delay: [2, 60], seed, relay: true });
      if (!isOpen) net.loses = ({ from, to }) => from !== SERVER && to !== SERVER;
      const said = Array.from({ length: 30 }, (_, i) => `${i}`);
      for (const [i, text] of said.entries()) {
        alice.say(i % 3 === 0 ? BY_NAME : BY_ADDRESS, text);
        // at first until it is known that both are one
        while (net.sent("MESSAGE").length === 0) net.pass(10);
        net.pass(i % 10 === 9 ? 3000 : 7);
      }
      net.pass(60_000);
      assertEquals([texts(bob.shown), alice.failed], [said, []], `seed ${seed}`);
    }
  }
});

Deno.test("direct identity: of a name and its address there is one stream and one way, and the user is told once", () => {
  for (const [first, second] of [[BY_NAME, BY_ADDRESS], [BY_ADDRESS, BY_NAME]]) {
    for (const pause of [20, 100, 1100, 5000, 30_000]) {
      const { net, alice, bob } = pair({ relay: true });
      net.loses = ({ from, to }) => from !== SERVER && to !== SERVER;
      alice.say(first, "one");
      net.pass(pause);
      const saidAt = net.now;
      alice.say(second, "two");
      net.pass(pause);
      alice.say(first, "three");
      net.pass(1500);
      assertEquals([texts(bob.shown), alice.notices.length], [["one", "two", "three"], 1], `after ${pause} ms`);
      const streams = net.sent("RELAY").flatMap(({ packet: { packet } }) =>
        packet.type === "MESSAGE" ? packet.stream : []
      );
      assertEquals(new Set(streams).size, 1, `after ${pause} ms`);
      // the second needs no second to find out that there is no direct way
      if (pause > 1000) assertEquals(bob.shown[1].at - saidAt, 20, `after ${pause} ms`);
    }
  }
});

/**
 * Alice, who has written to Bob's name and address before the server has said that both are one, and one more member.
 */
function writtenToBoth() {
  const { net, alice, bob } = pair();
  const other = net.join(ELSEWHERE, "Other");
  net.loses = ({ to, packet }) => packet.type === "MESSAGE" && to !== A;
  alice.say(BY_NAME, "one");
  alice.say(BY_ADDRESS, "two");
  net.pass(100);
  return { net, alice, bob, other };
}

Deno.test("direct identity: what was written to both before the server has said that they are one becomes one stream", () => {
  const { net, alice, bob } = writtenToBoth();
  assertEquals(new Set(net.sent("MESSAGE").map(({ packet: { stream } }) => stream)).size, 1);
  net.loses = () => false;
  net.pass(1000);
  assertEquals([texts(bob.shown), texts(alice.delivered)], [["one", "two"], ["one", "two"]]);
});

Deno.test("direct identity: what was written to both is for nobody else, when the name moves or the server begins anew", () => {
  for (const change of ["the name", "the server"]) {
    const { net, alice, bob, other } = writtenToBoth();
    net.loses = () => false;
    if (change === "the name") [net.members[1].name, net.members[2].name] = ["Robert", "Bob"];
    else {
      alice.direct.beginAnew(net.now);
      net.members[1].token = "new";
    }
    net.loses = ({ packet }) => packet.type === "MESSAGE";
    net.pass(2000);
    net.loses = () => false;
    net.pass(5000);
    assertEquals([texts(bob.shown), texts(other.shown)], [[], []]);
    const why = change === "the name"
      ? "somebody else may have the name now; /send Bob TEXT goes there all the same"
      : "the server has begun anew; it can't know whether Bob is still the same";
    assertEquals(alice.failed.map(({ count, reason }) => [count, reason]), [[2, why]]);
  }
});

Deno.test("direct identity: after a new start a name and its address are written to as if for the first time", () => {
  const { net, alice, bob } = pair();
  alice.say(BY_NAME, "one");
  net.pass(1000);
  alice.direct.beginAnew(net.now);
  net.members[1].token = "new";
  alice.say(BY_NAME, "two");
  alice.say(BY_ADDRESS, "three");
  net.pass(1000);
  assertEquals([texts(bob.shown), alice.failed], [["one", "two", "three"], []]);
});

Deno.test("direct identity: a late answer about a name says nothing of the address that is written to now", () => {
  const { net, alice, bob } = pair();
  const other = net.join(ELSEWHERE, "Other");
  net.loses = ({ packet }) => packet.type === "ACK";
  alice.say(BY_NAME, "one");
  net.pass(240);
  net.loses = ({ to, packet }) => to === SERVER && packet.type === "LOOKUP";
  net.pass(300);
  assertEquals([texts(alice.delivered), alice.transactions.size], [["one"], 1]);
  [net.members[1].name, net.members[2].name] = ["Robert", "Bob"];
  net.loses = () => false;
  alice.say(BY_ADDRESS, "two");
  net.pass(1000);
  assertEquals([texts(bob.shown), texts(other.shown), alice.failed], [["one", "two"], [], []]);
});

Deno.test("direct identity: a text to a name whose owner is not looked up yet is not put to who had it", () => {
  const { net, alice, bob } = pair();
  const other = net.join(ELSEWHERE, "Other");
  alice.say(BY_NAME, "one");
  net.pass(11_000);
  net.loses = ({ packet }) => packet.type === "LOOKUP" && packet.name !== undefined || packet.type === "ACK";
  alice.say(BY_NAME, "for any Bob");
  alice.say(BY_ADDRESS, "for this one");
  net.pass(100);
  [net.members[1].name, net.members[2].name] = ["Robert", "Bob"];
  net.loses = () => false;
  net.pass(2000);
  assertEquals([texts(bob.shown), texts(other.shown), alice.failed], [["one", "for this one"], ["for any Bob"], []]);
});

Deno.test("direct identity: what is known of the way to one without a name goes for the name that it takes", () => {
  const { net, alice, bob } = pair({ relay: true });
  net.loses = ({ from, to }) => from !== SERVER && to !== SERVER;
  net.members[1].name = undefined;
  alice.say(BY_ADDRESS, "one");
  net.pass(90_000);
  net.members[1].name = "Bob";
  const saidAt = net.now;
  alice.say(BY_NAME, "two");
  net.pass(2000);
  assertEquals([texts(bob.shown), bob.shown[1].at - saidAt, alice.notices.length], [["one", "two"], 20, 1]);
});

Deno.test("direct identity: what is written to an address does not follow the name that waits with it", () => {
  const { net, alice, bob } = pair();
  const other = net.join(ELSEWHERE, "Other");
  net.loses = ({ to }) => to === B || to === ELSEWHERE;
  alice.say(BY_NAME, "for any Bob");
  net.pass(100);
  alice.say(BY_ADDRESS, "for this one");
  net.pass(100);
  [net.members[1].name, net.members[2].name] = ["Robert", "Bob"];
  net.loses = () => false;
  net.pass(20_000);
  assertEquals([texts(other.shown), texts(bob.shown)], [[], []]);
  assertEquals(alice.failed.map(({ count, reason }) => [count, reason]), [
    [2, "somebody else may have the name now; /send Bob TEXT goes there all the same"],
  ]);
  // each goes its own way again
  alice.say(BY_NAME, "Bob");
  alice.say(BY_ADDRESS, "Robert");
  net.pass(1000);
  assertEquals([texts(other.shown), texts(bob.shown)], [["Bob"], ["Robert"]]);
});

Deno.test("direct identity: a name and its address lead apart again, when the server has said so, or after 10 s", () => {
  for (const isTold of [true, false]) {
    const { net, alice, bob } = pair();
    const other = net.join(ELSEWHERE, "Other");
    alice.say(BY_NAME, "one");
    net.pass(isTold ? 1000 : 11_000);
    [net.members[1].name, net.members[2].name] = ["Robert", "Bob"];
    if (isTold) alice.direct.noteMembers([{ address: ELSEWHERE, name: "Bob" }, { address: B, name: "Robert" }], true);
    for (const i of [1, 2]) {
      alice.say(BY_ADDRESS, `to the address ${i}`);
      alice.say(BY_NAME, `to the name ${i}`);
      net.pass(1000);
    }
    assertEquals(texts(bob.shown), ["one", "to the address 1", "to the address 2"]);
    assertEquals([texts(other.shown), alice.failed], [["to the name 1", "to the name 2"], []]);
  }
});

Deno.test("direct identity: before the server has said otherwise, what was written to both is for who had both", () => {
  const { net, alice, bob } = pair();
  const other = net.join(ELSEWHERE, "Other");
  alice.say(BY_NAME, "one");
  net.pass(1000);
  [net.members[1].name, net.members[2].name] = ["Robert", "Bob"];
  alice.say(BY_NAME, "two");
  alice.say(BY_ADDRESS, "three");
  net.pass(1000);
  assertEquals([texts(bob.shown), texts(other.shown), alice.failed.map(({ count }) => count)], [["one"], [], [2]]);
});

Deno.test("direct identity: what was said under the ban is not put behind what may go through the server", () => {
  const { net, alice, bob } = pair({ relay: true });
  net.loses = ({ from, to }) => from !== SERVER && to !== SERVER;
  net.serverAnswers = false;
  alice.act(alice.direct.allowRelay(false, net.now));
  alice.say(BY_ADDRESS, "alone");
  alice.act(alice.direct.allowRelay(true, net.now));
  net.pass(10);
  net.serverAnswers = true;
  alice.say(BY_NAME, "as you like");
  net.pass(20_000);
  const passedOn = net.sent("RELAY").flatMap(({ packet: { packet } }) => packet.type === "MESSAGE" ? packet.text : []);
  assertEquals([new Set(passedOn), texts(bob.shown)], [new Set(["as you like"]), ["as you like"]]);
  assertEquals(alice.failed.map(({ quote, reason }) => [quote, reason.split(", ").at(-1)]), [
    ['"alone"', "which was forbidden when it was said"],
  ]);
});

Deno.test("direct identity: the reply to one without a name reaches it when it has taken one, behind what was written to that", () => {
  const { net, alice, carol } = written();
  carol.act((session, now) => session.rename("Carol", now));
  net.pass(1000);
  carol.unreachable.add(alice);
  sendTo(alice, "Carol", "one");
  net.passUntil(() => toldAlone(carol).length === 1);
  reply(alice, "two");
  sendTo(alice, "Carol", "three");
  carol.unreachable.clear();
  net.pass(3000);
  assertEquals([toldAlone(carol), failed(alice)], [["one", "two", "three"], []]);
});

Deno.test("direct identity: who has a name next is not said to be reached through the server only", () => {
  for (const leaves of [true, false]) {
    const net = new FakeNetwork(), alice = net.connect({ name: "Alice" }), carol = join(net, "Carol");
    for (const [one, other] of [[alice, carol], [carol, alice]]) one.unreachable.add(other);
    sendTo(alice, "Carol", "hi");
    net.pass(5000);
    assertEquals(toldAlone(carol), ["hi"]);
    const relayed = () => {
      alice.shown.length = 0;
      alice.act((session, now) => session.list(now));
      for (const who of ["Carol", PORT]) alice.act((session, now) => session.whois(who, now));
      net.pass(1000);
      return alice.shown.filter(({ kind }) => kind === "users" || kind === "whois").map((it) =>
        it.kind === "users" ? it.onlyRelayed : it.kind === "whois" && it.relay
      );
    };
    assertEquals(relayed(), [["Carol"], true, true]);
    if (leaves) replace(net, carol, "Carol");
    else {
      // the name goes to somebody else, and she stays
      carol.act((session, now) => session.rename("Caroline", now));
      net.pass(1000);
      net.connect({ name: "Carol" });
      net.pass(1000);
    }
    assertEquals(relayed(), leaves ? [undefined, undefined, undefined] : [["Caroline"], undefined, true]);
  }
});

Deno.test("direct identity: who forges this client's own address makes it neither check nor answer itself", () => {
  const fake = joined({ name: "Alice" }), { session } = fake, own = session.address!;
  const mallory = "192.168.1.66:666", pass = "1".repeat(16);
  const toOwn: string[] = [];
  // the server says where Mallory is, and what goes to her own address comes back to her
  const answer = () => {
    for (let sent = fake.take(); sent.length > 0; sent = fake.take()) {
      for (const { packet, peer } of sent) {
        if (packet.type === "LOOKUP") {
          fake.receive({
            dialect: "v1",
            type: "PEER",
            id: packet.id,
            address: mallory,
            name: "Mallory",
            since: 0,
            pass,
          });
        }
        if (peer !== own) continue;
        toOwn.push(packet.type);
        session.receiveFromPeer(packet, own, fake.now);
      }
    }
  };
  session.sayTo("Mallory", "one", fake.now);
  fake.pass(1500, answer);
  const stream = "c".repeat(16);
  session.receiveFromPeer({ dialect: "v1", type: "MESSAGE", pass, stream, id: 1, text: "forged" }, own, fake.now);
  fake.pass(2000, answer);
  session.sayTo("Mallory", "two", fake.now);
  fake.pass(3000, answer);
  // it acknowledges what came with the forged source, and that is all
  assertEquals(new Set(toOwn), new Set(["ACK"]));
});
