/**
 * Prints the trace at the end of PROTOCOL.md: `deno run -A scripts/protocol_trace.ts`
 *
 * A real room and two real sessions send the datagrams. The story says which are lost, and each run prints the same.
 *
 * @module
 */
import type { V1Packet } from "../protocol.ts";
import { TraceNetwork } from "./trace/network.ts";
import { writeTrace } from "./trace/text.ts";

/** Plays the story and returns the trace. Throws an error when the story does not come out as told. */
export function protocolTrace(): string {
  const network = new TraceNetwork();

  network.begin("Alice greets. The greeting is lost, and she repeats it after 100 ms.");
  network.lose("SIGN-IN", "server");
  const alice = network.connect("Alice");
  network.passUntil(() => network.has("SIGN-IN", 2));
  network.begin(
    "The server keeps nothing of a first greeting: it answers with the cookie of her address. She sends the cookie " +
      "back, now with her token, and is a member. Nothing has happened in the room yet: seq=0.",
  );
  network.passUntil(() => alice.session.state === "joined");
  network.begin("Bob joins in the same way.");
  const bob = network.connect("Bob");
  network.passUntil(() => bob.session.state === "joined");
  network.begin("100 ms after Alice has come, the server tells of both arrivals in one event, the first: seq=1.");
  network.passUntil(() => network.has("ONLINE"));
  network.pass(50);

  network.begin(
    "Alice says two things in a row. They become the events 2 and 3. Bob's copy of event 2 is lost, and Alice's own " +
      "copy of event 3.",
  );
  network.lose("INCOMING", "Bob", 2);
  network.lose("INCOMING", "Alice", 3);
  alice.session.say("Hello Bob!", network.now);
  alice.session.say("Shall we meet at noon?", network.now);
  network.passUntil(() => network.has("INCOMING", 4));
  network.begin(
    "Bob gets event 3 and expects event 2: a gap. He holds event 3 back, waits a moment, since the two may only have " +
      "changed places, and asks for event 2. The answer has his token. Now " +
      "he shows both.",
  );
  network.passUntil(() => bob.texts.length === 2);
  network.begin(
    "Alice hears nothing of her second message for longer than a round trip, and repeats it. The server has taken it " +
      "already: she gets the event that it became, with her token.",
  );
  network.passUntil(() => alice.texts.length === 2);

  network.begin(
    "Bob's copy of event 4 is lost, and no later event shows him the gap. The next HEARTBEAT, 100 ms after the event, " +
      "does.",
  );
  network.lose("INCOMING", "Bob", 4);
  alice.session.say("I have to go soon.", network.now);
  network.passUntil(() => bob.texts.length === 3);
  const keepAliveAt = alice.session.nextWake!;
  network.passUntil(() => network.now >= keepAliveAt - 1, ["HEARTBEAT"]);

  network.begin(
    "Alice's keep-alive, one second after the WELCOME. She computes the digest of the events 1 to 4 as she has got " +
      "them. It is the one in the new WELCOME, so nobody has forged one of them.",
  );
  network.passUntil(() => network.has("WELCOME"));
  network.pass(300, ["HEARTBEAT", "SIGN-IN", "WELCOME"]);

  network.begin(
    "The answer to one of Bob's keep-alives is lost, too. So not only what goes to all at once is lost: it is the " +
      "network, and no short queue on the way. From the next keep-alive on he says how much he loses, in percent.",
  );
  network.lose("WELCOME", "Bob");
  network.passUntil(() => network.has("WELCOME", 2), ["HEARTBEAT"]);
  network.passUntil(() => network.has("SIGN-IN", 5), ["HEARTBEAT"]);
  network.pass(20, ["HEARTBEAT", "WELCOME"]);
  network.begin(
    "The first copy of event 5 is lost on the way to Bob. But the server sends him two more, 8 ms and 24 ms later, of " +
      "which he needs the first.",
  );
  network.lose("INCOMING", "Bob", 5);
  alice.session.say("Where is it?", network.now);
  network.pass(60);
  network.pass(600, ["HEARTBEAT", "SIGN-IN", "WELCOME"]);

  network.begin(
    "Alice writes to Bob alone. The server tells Bob the pass of the two first, and then her. Bob opens his NAT. Her " +
      "message does not pass through the server. It is lost, and goes out again with the answer to her next look-up. Bob " +
      "knows by the pass that it is hers.",
  );
  network.lose("MESSAGE", "Bob");
  alice.session.sayTo("Bob", "Lunch?", network.now);
  network.passUntil(() => network.has("ACK"), ["HEARTBEAT", "SIGN-IN", "WELCOME"]);
  network.pass(300, ["HEARTBEAT", "SIGN-IN", "WELCOME", "LOOKUP", "PEER", "PUNCH", "OPEN"]);

  network.begin(
    "Now the direct way is shut. Nothing comes back for a second, so Alice's next message goes through the server: the " +
      "same packet, in an envelope. Bob answers the way that it came.",
  );
  network.isShut = true;
  const usual: V1Packet["type"][] = ["HEARTBEAT", "SIGN-IN", "WELCOME", "LOOKUP", "PEER", "PUNCH"];
  alice.session.sayTo("Bob", "Or tea?", network.now);
  network.passUntil(() => alice.session.waiting === 0, usual);
  network.isShut = false;
  network.begin(
    "The way is open again. Alice's next message goes through the server at once, and with it she checks the direct " +
      "way. The answer comes directly, so what she writes from now on does too.",
  );
  alice.session.sayTo("Bob", "At one?", network.now);
  network.passUntil(() => network.has("ACK"), usual);
  network.pass(300, usual);

  network.begin(
    "Alice's next message becomes event 6. Bob gets it, and her own copy is lost. Then the server is killed, and " +
      "started again. It has forgotten everything.",
  );
  network.lose("INCOMING", "Alice", 6);
  alice.session.say("See you!", network.now);
  network.passUntil(() => bob.texts.length === 5);
  network.restartServer();
  network.begin("Alice repeats her message. The new server does not know her.");
  network.passUntil(() => network.has("ERROR"));
  network.begin(
    "So she greets again, gets another cookie, and joins with her old token. The WELCOME has a new epoch: the events " +
      "are counted anew. She sends what is not settled once more, with the same stream and id. It becomes event 1 of " +
      "the new epoch.",
  );
  network.passUntil(() => alice.texts.length === 5);
  network.begin(
    "Bob's next keep-alive is answered like a first greeting. He was a member before, so he wants the events of the " +
      "new epoch from 1 on, and asks for them. He has shown this message already, which he knows by its stream and id.",
  );
  network.passUntil(() => network.has("INCOMING"));
  network.begin("The new server tells who has come.");
  network.passUntil(() => network.has("ONLINE"));
  network.pass(50);

  network.begin("Alice leaves. Bob hears of it 100 ms later.");
  alice.session.close(network.now);
  network.passUntil(() => network.has("OFFLINE"), ["HEARTBEAT"]);

  const said = "Hello Bob! Shall we meet at noon? I have to go soon. Where is it? See you!";
  for (const { texts } of [alice, bob]) {
    if (texts.join(" ") !== said) throw new Error(`Somebody has shown this: ${texts.join(" ")}`);
  }
  if (bob.direct.join(" ") !== "Lunch? Or tea? At one?") {
    throw new Error(`Bob has got this from Alice: ${bob.direct.join()}`);
  }
  if (alice.session.state !== "closed") throw new Error("Alice has not left");
  if (network.lossesLeft > 0) throw new Error("Not all is lost that the story says");
  return writeTrace(network.phases);
}

if (import.meta.main) console.log(protocolTrace());
