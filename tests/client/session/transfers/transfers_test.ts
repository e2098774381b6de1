/** Files between one client and peers that do as they should, or not. */
import { assert, assertEquals } from "@std/assert";
import type { FileRequest, FileResult, Files } from "../../../../client/files/files.ts";
import { encode, type FilePacket, type Packet } from "../../../../protocol.ts";
import { randomHex64 } from "../../../../protocol/fields.ts";
import { FakeSession, type SentPacket, type V1, WELCOME } from "../../../support/fake_session.ts";

const BOB = "192.168.1.22:40112", PASS = "e04b7d19c5a2638f", FILE = "6d0e8a41f7c92b35", HASH = "5e".repeat(32);
const pair = { dialect: "v1", pass: PASS, file: FILE } as const;

/** A session that is in the room, with a disk that does what the test says. */
class FilesSession extends FakeSession {
  readonly requests: FileRequest[];
  /** What else the server says of where Bob is. */
  place: Partial<V1<"PEER">> = {};

  constructor() {
    const requests: FileRequest[] = [];
    const files: Files = { folder: "downloads", request: (request) => void requests.push(request) };
    super({ name: "Alice", files });
    this.requests = requests;
    this.welcome();
    this.take();
  }

  /** Lets the disk have done something. */
  done(result: FileResult): void {
    this.session.fileDone(result, this.now);
  }

  /** Lets the server say who has the pass, and answers look-ups and checks of the direct way. */
  punch(): void {
    this.receive({ dialect: "v1", type: "PUNCH", address: BOB, name: "Bob", pass: PASS });
  }

  from(packet: Packet, from = BOB): void {
    this.session.receiveFromPeer(packet, from, this.now);
  }

  /** Lets time pass while Bob and the server are there; returns what was sent of files, and where to. */
  live(ms: number, answer: (packet: FilePacket) => void = () => {}): SentPacket[] {
    const files: SentPacket[] = [];
    const look = () => {
      for (const sent of this.take()) {
        const { packet, peer } = sent;
        if (packet.dialect !== "v1") continue;
        if (packet.type === "LOOKUP") {
          this.punch();
          const { id } = packet;
          const peer = { dialect: "v1", type: "PEER", id, address: BOB, name: "Bob", since: 0, pass: PASS } as const;
          this.receive({ ...peer, ...this.place });
        } else if (packet.type === "OPEN" && packet.id !== undefined && peer === BOB) {
          this.from({ dialect: "v1", type: "ACK", pass: PASS, id: packet.id });
        } else if (packet.type === "RELAY" || "file" in packet) {
          files.push(sent);
          if (packet.type !== "RELAY") answer(packet as FilePacket);
        } else if (packet.type === "GREETING" || packet.type === "SIGN-IN") {
          this.receive({ ...WELCOME, id: packet.id, name: "Alice" });
        }
      }
    };
    look();
    this.pass(ms, look);
    return files;
  }

  get ends(): (string | undefined)[] {
    return this.shown.flatMap((shown) => shown.kind === "transferred" ? [shown.problem] : []);
  }

  /** Has Bob offer a file, and the user take it. */
  accepted(size: number, have = 0): void {
    this.punch();
    this.from({ ...pair, type: "OFFER", size, hash: HASH, text: "notes.pdf" });
    this.session.transfers.accept(undefined, this.now);
    this.live(1);
    this.done({ is: "created", job: 1, have });
    this.live(1);
  }

  /** Offers Bob a file of so many bytes; returns the name of the transfer. */
  offered(size: number): string {
    this.session.transfers.offer("Bob", "notes.pdf", this.now);
    this.done({ is: "inspected", job: this.requests.at(-1)!.job, name: "notes.pdf", size, hash: HASH });
    const [{ packet }] = this.live(10);
    return (packet as V1<"OFFER">).file;
  }

  /** Lets the disk read what was asked for. */
  read(): void {
    for (const request of this.requests.splice(0)) {
      if (request.ask !== "read") continue;
      const { job, at, length } = request;
      this.done({ is: "read", job, at, octets: new Uint8Array(length) });
    }
  }
}

const data = (id: number, offset: number, length: number): V1<"DATA"> => ({
  ...pair,
  type: "DATA",
  id,
  offset,
  octets: new Uint8Array(length).fill(7),
});
const codes = (sent: SentPacket[]) =>
  sent.flatMap(({ packet }) => packet.dialect === "v1" && packet.type === "END" ? [packet.code] : []);

Deno.test("transfers: an offer is shown with a harmless name, and nothing is asked of the disk", () => {
  const fake = new FilesSession();
  fake.punch();
  fake.from({ ...pair, type: "OFFER", size: 2_000_000, hash: HASH, text: "../../.bashrc" });
  const [shown] = fake.shown.filter(({ kind }) => kind === "offered");
  assertEquals(shown, {
    kind: "offered",
    number: 1,
    peer: "Bob",
    file: "bashrc",
    size: 2_000_000,
    folder: "downloads",
  });
  assertEquals([fake.requests, fake.takeAll("SACK")], [[], [{ ...pair, type: "SACK" }]]);
});

Deno.test("transfers: an offer with a pass that the server has not named, or of someone ignored, has no answer", () => {
  const fake = new FilesSession(), offer = { ...pair, type: "OFFER", size: 1, hash: HASH, text: "x" } as const;
  fake.from(offer);
  fake.punch();
  fake.session.view.people.ignore("Bob");
  fake.from(offer);
  assertEquals([fake.shown.some(({ kind }) => kind === "offered"), fake.takeAll("SACK")], [false, []]);
});

Deno.test("transfers: of a hundred thousand offers a few are shown, and the others cost neither memory nor a datagram each", () => {
  const fake = new FilesSession();
  let sent = 0;
  for (let i = 0; i < 100_000; i++) {
    if (i % 1000 === 0) fake.punch();
    fake.from({ ...pair, file: randomHex64(), type: "OFFER", size: i, hash: HASH, text: "x".repeat(200) });
    sent += fake.take().length;
  }
  assert(fake.shown.filter(({ kind }) => kind === "offered").length <= 8);
  assert(sent <= 200, `${sent} datagrams`);
  // who is not Bob can still offer one
  const other = "0123456789abcdef", by = { address: "192.168.1.30:1000", name: "Carol" };
  fake.receive({ dialect: "v1", type: "PUNCH", ...by, pass: other });
  fake.from({ ...pair, pass: other, file: randomHex64(), type: "OFFER", size: 1, hash: HASH, text: "y" }, by.address);
  assertEquals(fake.session.transfers.states.at(-1)?.peer, "Carol");
});

Deno.test("transfers: octets beyond the end of what was offered end it, and nothing of them is written", () => {
  const fake = new FilesSession();
  fake.accepted(1000);
  fake.requests.splice(0);
  fake.from(data(1, 500, 501));
  assertEquals(codes(fake.live(1)), ["wrong-data"]);
  assertEquals(fake.ends, ["the program of Bob sends more than it has offered"]);
  assertEquals(fake.requests.map(({ ask }) => ask), ["close"]);
});

Deno.test("transfers: octets of a file that is not accepted are no part of it", () => {
  const fake = new FilesSession();
  fake.punch();
  fake.from({ ...pair, type: "OFFER", size: 1000, hash: HASH, text: "x" });
  fake.from(data(1, 0, 1000));
  fake.session.transfers.accept(undefined, fake.now);
  fake.live(1);
  fake.done({ is: "created", job: 1, have: 0 });
  const sacks = fake.live(1).map(({ packet }) => packet as V1<"SACK">);
  assertEquals(sacks.map(({ next }) => next), [0]);
});

Deno.test("transfers: whoever has another pass can neither feed a transfer nor end it", () => {
  const fake = new FilesSession(), other = "0123456789abcdef";
  fake.accepted(1000);
  fake.receive({ dialect: "v1", type: "PUNCH", address: "192.168.1.30:1000", name: "Mallory", pass: other });
  fake.from({ ...data(1, 0, 1000), pass: other }, "192.168.1.30:1000");
  fake.from({ ...pair, type: "END", code: "cancelled", pass: other }, "192.168.1.30:1000");
  assertEquals([fake.session.transfers.states[0].done, fake.ends], [0, []]);
});

Deno.test("transfers: what was ended is answered by the same word, what was never known by unknown, and an END by nothing", () => {
  const fake = new FilesSession();
  fake.punch();
  fake.from({ ...pair, type: "OFFER", size: 1000, hash: HASH, text: "x" });
  fake.take();
  fake.session.transfers.decline(undefined, fake.now);
  // it goes by the way that the offer came
  const [sent, ...others] = fake.live(1);
  assertEquals([codes([sent]), sent.peer, others], [["declined"], BOB, []]);
  fake.from({ ...pair, type: "OFFER", size: 1000, hash: HASH, text: "x" });
  assertEquals(codes(fake.take()), ["declined"]);
  fake.from({ ...data(1, 0, 1), file: "0000000000000001" });
  assertEquals(codes(fake.take()), ["unknown"]);
  fake.from({ ...pair, file: "0000000000000001", type: "END", code: "unknown" });
  assertEquals(fake.take(), []);
});

Deno.test("transfers: a hash that is wrong is the disk's to find, and both are told", () => {
  const fake = new FilesSession();
  fake.accepted(1000);
  fake.from(data(1, 0, 1000));
  fake.done({ is: "written", job: 1, have: 1000 });
  assertEquals(fake.requests.at(-1), { ask: "finish", job: 1 });
  fake.done({ is: "failed", job: 1, problem: "wrong-hash", text: "it is not what was offered" });
  assertEquals([codes(fake.live(1)), fake.ends], [["wrong-hash"], ["it is not what was offered"]]);
});

Deno.test("transfers: the end of a file that can't be read says that it was not even offered", () => {
  const fake = new FilesSession();
  fake.session.transfers.offer("Bob", "nope.pdf", fake.now);
  fake.done({ is: "failed", job: 1, problem: "not-found", text: "there is no file nope.pdf" });
  const other = new FilesSession();
  other.from({ ...pair, file: other.offered(1000), type: "END", code: "declined" });
  const ends = [fake, other].flatMap(({ session }) => session.transfers.takeEnded());
  assertEquals(ends.map(({ unread }) => unread), [true, undefined]);
});

Deno.test("transfers: a receiver that acknowledges what it has not got, or never was sent, is found out", () => {
  for (const sack of [{ next: 100_001, room: 1 }, { next: 0, room: 1e6, ids: [{ from: 1, to: 1_000_000 }] }]) {
    const fake = new FilesSession(), file = fake.offered(100_000);
    fake.from({ ...pair, file, type: "SACK", next: 0, room: 1_000_000 });
    fake.read();
    fake.live(5);
    fake.from({ ...pair, file, type: "SACK", ...sack });
    assertEquals(codes(fake.live(1)), ["wrong-data"], JSON.stringify(sack));
    assertEquals(fake.ends, ["the program of Bob says that it has what it can't have"]);
  }
});

Deno.test("transfers: a receiver that says done before it can have all is not believed", () => {
  const fake = new FilesSession(), file = fake.offered(10_000_000);
  fake.from({ ...pair, file, type: "SACK", next: 0, room: 1_000_000 });
  fake.read();
  fake.live(5);
  fake.from({ ...pair, file, type: "END", code: "done" });
  assertEquals(fake.ends, ["the program of Bob does not do as it should"]);
});

Deno.test("transfers: the own packets that come back do nothing", () => {
  const fake = new FilesSession(), file = fake.offered(1000);
  fake.from({ ...pair, file, type: "SACK", next: 0, room: 1_000_000 });
  fake.read();
  for (const { packet } of fake.live(6000)) fake.from(packet);
  assertEquals([fake.shown.some(({ kind }) => kind === "offered"), fake.session.transfers.states.length], [false, 1]);
});

Deno.test("transfers: the words of numbers that were typed", () => {
  const fake = new FilesSession();
  fake.session.transfers.accept(undefined, fake.now);
  fake.session.transfers.cancel(undefined, fake.now);
  fake.punch();
  for (const text of ["a", "b"]) {
    fake.from({ ...pair, file: randomHex64(), type: "OFFER", size: 1, hash: HASH, text });
  }
  fake.session.transfers.accept(undefined, fake.now);
  fake.session.transfers.decline(7, fake.now);
  fake.session.transfers.offer("10.0.0.1", "x", fake.now);
  assertEquals(fake.notices, [
    "No file is offered to you",
    "No file is offered or under way",
    "Which one? /accept 1 is a from Bob, /accept 2 is b from Bob",
    "There is no file 7; /files lists them",
    "A name has 1 to 32 letters, digits and _ - . only, and an address a port: 192.0.2.7:52207",
  ]);
});

Deno.test("transfers: who has accepted a file reads where it goes, and which ones are under way already", () => {
  const fake = new FilesSession(), { transfers } = fake.session;
  fake.punch();
  for (const text of ["a", "b"]) {
    fake.from({ ...pair, file: randomHex64(), type: "OFFER", size: 1, hash: HASH, text });
  }
  transfers.accept(1, fake.now);
  transfers.accept(1, fake.now);
  transfers.cancel(undefined, fake.now);
  transfers.offer("Bob", "c", fake.now);
  transfers.decline(3, fake.now);
  transfers.accept(99, fake.now);
  transfers.cancel(99, fake.now);
  assertEquals(fake.notices, [
    "a from Bob is coming into downloads",
    "1 is under way already; /cancel 1 ends it",
    "Which one? /cancel 1 is a from Bob (waits), /cancel 2 is b from Bob (waits)",
    "3 is yours, for Bob; /cancel 3 ends it",
    "There is no file 99; /files lists them",
    "There is no file 99; /files lists them",
  ]);
});

Deno.test("transfers: what the disk says of one that has ended does nothing", () => {
  const fake = new FilesSession();
  fake.accepted(1000);
  fake.session.transfers.cancel(undefined, fake.now);
  fake.done({ is: "written", job: 1, have: 1000 });
  fake.done({ is: "finished", job: 1, path: "x" });
  assertEquals(fake.ends, []);
  assertEquals(fake.notices.slice(1), ["You have ended the transfer of notes.pdf from Bob"]);
});

/** Has the server name a member, whose pass it returns. */
function named(fake: FilesSession, number: number): { pass: string; address: string; name: string } {
  const it = {
    pass: number.toString(16).padStart(16, "0"),
    address: `192.168.9.9:${1000 + number}`,
    name: `M${number}`,
  };
  fake.receive({ dialect: "v1", type: "PUNCH", ...it });
  return it;
}

Deno.test("transfers: neither strangers nor another member take the answers of who offers a file", () => {
  const fake = new FilesSession(), mallory = named(fake, 7);
  fake.punch();
  fake.take();
  for (let i = 0; i < 10_000; i++) {
    const pass = i % 2 === 0 ? randomHex64() : mallory.pass;
    fake.from({ dialect: "v1", type: "SACK", pass, file: randomHex64() }, mallory.address);
  }
  assert(fake.take().length <= 40);
  fake.from({ ...pair, type: "OFFER", size: 1, hash: HASH, text: "x" });
  assertEquals(fake.takeAll("SACK"), [{ ...pair, type: "SACK" }]);
});

Deno.test("transfers: a crowd that offers many files keeps nobody out who offers one", () => {
  const fake = new FilesSession();
  const offer = (number: number) => {
    const { pass, address } = named(fake, number);
    fake.from({ dialect: "v1", pass, file: randomHex64(), type: "OFFER", size: 1, hash: HASH, text: "x" }, address);
  };
  for (let round = 0; round < 10; round++) for (let number = 1; number <= 9; number++) offer(number);
  assertEquals(fake.session.transfers.states.length, 32);
  offer(100);
  const peers = fake.session.transfers.states.map(({ peer }) => peer);
  assertEquals([peers.length, peers.at(-1)], [32, "M100"]);
});

Deno.test("transfers: from whom alone files are taken is not kept out by others, who read that theirs are declined", () => {
  const fake = new FilesSession();
  fake.session.transfers.takeOnlyFrom("bob");
  for (let i = 0; i < 100; i++) {
    const { pass, address } = named(fake, i);
    fake.from({ dialect: "v1", pass, file: randomHex64(), type: "OFFER", size: 1, hash: HASH, text: "x" }, address);
  }
  assertEquals(new Set(codes(fake.take())), new Set(["declined"]));
  fake.punch();
  fake.from({ ...pair, type: "OFFER", size: 1, hash: HASH, text: "x" });
  assertEquals(fake.session.transfers.states.map(({ peer }) => peer), ["Bob"]);
});

Deno.test("transfers: that all is there is said again until the sender knows it, and the sender answers it each time", () => {
  const fake = new FilesSession();
  fake.accepted(1000);
  fake.from(data(1, 0, 1000));
  fake.done({ is: "written", job: 1, have: 1000 });
  fake.take();
  fake.done({ is: "finished", job: 1, path: "notes.pdf" });
  assertEquals(codes(fake.live(5000)), Array(8).fill("done"));
  const sender = new FilesSession(), file = sender.offered(100);
  sender.from({ ...pair, file, type: "SACK", next: 0, room: 1_000_000 });
  sender.read();
  sender.live(5);
  for (let i = 0; i < 3; i++) {
    sender.from({ ...pair, file, type: "END", code: "done" });
    assertEquals(codes(sender.live(1)), ["done"]);
  }
  assertEquals(sender.ends, [undefined]);
});

Deno.test("transfers: a word that the sender knows ends the goodbyes, and a script leaves then", () => {
  const fake = new FilesSession();
  fake.accepted(1000);
  fake.from(data(1, 0, 1000));
  fake.done({ is: "written", job: 1, have: 1000 });
  fake.done({ is: "finished", job: 1, path: "notes.pdf" });
  fake.session.drain(fake.now);
  fake.live(50);
  assertEquals(fake.session.closing, false);
  fake.from({ ...pair, type: "END", code: "done" });
  fake.pass(200);
  assertEquals(fake.session.closing, true);
});

Deno.test("transfers: a sender that sends the same octet for ever, and a receiver that takes nothing, are given up", () => {
  const fake = new FilesSession();
  fake.accepted(1000);
  for (let id = 1; fake.ends.length === 0 && id < 500; id++) {
    fake.from(data(id, 5, 1));
    fake.live(1000);
  }
  assertEquals(fake.ends, ["nothing more of it has arrived for 5 minutes; offered again, it goes on where it was"]);
  const sender = new FilesSession(), file = sender.offered(100_000);
  for (let i = 0; sender.ends.length === 0 && i < 500; i++) {
    sender.from({ ...pair, file, type: "SACK", next: 0, room: 0 });
    sender.live(1000);
  }
  assertEquals(sender.ends, fake.ends);
});

Deno.test("transfers: an acknowledgement from before does not make the rate a negative one", () => {
  const fake = new FilesSession(), file = fake.offered(100_000);
  fake.from({ ...pair, file, type: "SACK", next: 0, room: 1_000_000 });
  fake.read();
  const sent = fake.live(400).map(({ packet }) => packet as V1<"DATA">).filter(({ type }) => type === "DATA");
  const { id, offset, octets } = sent.at(-1)!, next = offset + octets.length;
  fake.from({ ...pair, file, type: "SACK", next, room: 1_000_000, ids: [{ from: id, to: id }] });
  fake.live(400);
  fake.from({ ...pair, file, type: "SACK", next: 0, room: 1_000_000 });
  assert((fake.session.transfers.states[0].rate ?? 0) >= 0);
});

Deno.test("transfers: who has forbidden the way through the server is told so soon, and the other one too", () => {
  const fake = new FilesSession();
  fake.session.allowRelay(false, fake.now);
  fake.session.transfers.offer("Bob", "notes.pdf", fake.now);
  fake.done({ is: "inspected", job: 1, name: "notes.pdf", size: 10, hash: HASH });
  // nothing of Bob's comes back directly
  fake.pass(8000, () => {
    for (const { packet } of fake.take()) {
      if (packet.type !== "LOOKUP" || packet.dialect !== "v1") continue;
      fake.punch();
      fake.receive({ dialect: "v1", type: "PEER", id: packet.id, address: BOB, name: "Bob", since: 0, pass: PASS });
    }
  });
  assertEquals(fake.ends, [
    "Bob has not answered directly: it may be gone, ignore you, or be reached through the server only, " +
    "which you have forbidden (/direct first allows it)",
  ]);
});

Deno.test("transfers: another member may go on with a file whose sender has fallen silent, but not while it comes", () => {
  const fake = new FilesSession(), anna = named(fake, 1);
  fake.accepted(1000);
  fake.from(data(1, 0, 500));
  fake.from(
    { ...pair, pass: anna.pass, file: randomHex64(), type: "OFFER", size: 1000, hash: HASH, text: "notes.pdf" },
    anna.address,
  );
  fake.session.transfers.accept(2, fake.now);
  assertEquals(fake.notices.at(-1), "The same file is already coming from Bob; /cancel 1 ends that");
  fake.live(3500);
  named(fake, 1);
  fake.session.transfers.accept(2, fake.now);
  const asks = fake.requests.map(({ ask, job }) => `${ask} ${job}`);
  assertEquals(asks.slice(-2), ["close 1", "create 2"]);
});

Deno.test("transfers: that a file is offered before the client has joined is told", () => {
  const fake = new FakeSession({ name: "Alice", files: { folder: ".", request() {} } });
  fake.session.transfers.offer("Bob", "notes.pdf", fake.now);
  assertEquals(fake.notices, ["It is offered as soon as the server lets you in"]);
});

Deno.test("transfers: of a thousand that have ended it is remembered how, and the others are unknown", () => {
  const fake = new FilesSession(), files: string[] = [];
  for (let i = 0; i < 1001; i++) {
    files.push(fake.offered(10));
    fake.session.transfers.cancel(undefined, fake.now);
    fake.take();
  }
  fake.pass(1000);
  fake.punch();
  fake.take();
  const answers = [files[0], files[1], files[1000]].map((file) => {
    fake.from({ ...pair, file, type: "SACK" });
    return codes(fake.take());
  });
  assertEquals(answers, [["unknown"], ["cancelled"], ["cancelled"]]);
});

Deno.test("transfers: the seventeenth file that is to be on its way is refused in words", () => {
  const fake = new FilesSession(), { transfers } = fake.session;
  for (let i = 0; i < 16; i++) transfers.offer("Bob", `${i}`, fake.now);
  assertEquals([transfers.states.length, fake.notices], [16, []]);
  transfers.offer("Bob", "17", fake.now);
  const refusal = "Not offered: 16 files are on their way already";
  assertEquals([transfers.states.length, fake.notices], [16, [refusal]]);
});

Deno.test("transfers: through the server no more bytes are sent than it says that it passes on", () => {
  const fake = new FilesSession(), rate = 100_000, ms = 20;
  fake.place = { relay: true, rate };
  const relayed = (packet: FilePacket) =>
    fake.receive({ dialect: "v1", type: "RELAY", address: BOB, name: "Bob", packet } as Packet);
  fake.session.transfers.offer("Bob", "notes.pdf", fake.now);
  fake.done({ is: "inspected", job: 1, name: "notes.pdf", size: 10_000_000, hash: HASH });
  let file: string | undefined, next = 0, bytes = 0;
  for (let at = 0; at < 5000; at += ms) {
    // some numbers are left out on purpose, so each that has come is named
    const ids: { from: number; to: number }[] = [];
    for (const { packet } of fake.live(ms)) {
      if (packet.dialect !== "v1" || packet.type !== "RELAY") continue;
      const inner = packet.packet as FilePacket;
      file ??= inner.file;
      if (at >= 2000) bytes += encode(packet).length;
      if (inner.type !== "DATA") continue;
      next = inner.offset + inner.octets.length;
      ids.unshift({ from: inner.id, to: inner.id });
    }
    if (file !== undefined) relayed({ ...pair, file, type: "SACK", next, room: 1_000_000, ids });
    fake.read();
  }
  assert(bytes <= 3 * rate && bytes >= 2 * rate, `${bytes} bytes in 3 s`);
});
