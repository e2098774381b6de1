/**
 * A session in memory. Its server sends only what the test sends, and its clock stands still until the test moves it.
 *
 * @module
 */
import { Session } from "../../client/session/session.ts";
import type { SessionOptions } from "../../client/session/session_options.ts";
import type { Shown } from "../../client/session/shown.ts";
import type { Whereabouts } from "../../client/session/whereabouts.ts";
import { encode, type EventPacket, type Packet, type V1Packet } from "../../protocol.ts";
import type { Derivation } from "../../protocol/crypto_functions.ts";
import { CRYPTO } from "../../runtime/crypto.ts";
import { sha256Hex128 } from "../../runtime/sha256.ts";
import { quickDerive } from "./accounts.ts";

/** What a v1 packet of one type looks like. */
export type V1<T extends V1Packet["type"]> = Extract<V1Packet, { type: T }>;

/** What the server sends to one client. Its token is added where a test leaves it out. */
type Vouched = V1<
  "WELCOME" | "ACK" | "HELD" | "GONE" | "USERS" | "PEER" | "PUNCH" | "RELAY" | "REPLY" | "ERROR" | "CHALLENGE"
>;
type WithoutToken<P> = P extends Vouched ? Omit<P, "token"> : never;
const VOUCHED: ReadonlySet<string> = new Set<Vouched["type"]>([
  "WELCOME",
  "ACK",
  "HELD",
  "GONE",
  "USERS",
  "PEER",
  "PUNCH",
  "RELAY",
  "REPLY",
  "ERROR",
  "CHALLENGE",
]);

/** Options of a {@linkcode FakeSession}. */
export interface FakeSessionOptions extends Pick<SessionOptions, "name" | "relay" | "random" | "wallClock" | "files"> {
  /** What the user has given beforehand. */
  password?: string;
  /** Where the client is; not known unless told otherwise. */
  whereabouts?: Whereabouts;
  /** Whether the user can be asked for a password; true unless told otherwise. */
  canAsk?: boolean;
}

/** What was sent, where to (undefined is the server) and when. */
export interface SentPacket {
  packet: Packet;
  peer?: string;
  at: number;
}

export const SERVER = "192.168.1.1:9090";
/** Another port of the server's IP address. */
export const BESIDE = "192.168.1.1:50999";
export const EPOCH = "91c4be20d7a35f68";
export const TOKEN = "5f1c0d9a7be2e604";
export const COOKIE = "a3d7e09b15c8f264";
export const ADDRESS = "192.168.1.21:52207";
/** The answer to a greeting, without its id. */
export const WELCOME = {
  dialect: "v1",
  type: "WELCOME",
  address: ADDRESS,
  token: TOKEN,
  epoch: EPOCH,
  seq: 0,
  keepalive: 1000,
} as const;

/** The session, the time, what was sent and what is on the screen. */
export class FakeSession {
  readonly session: Session;
  readonly shown: Shown[] = [];
  now = 1_732_094_000_000;
  #sent: SentPacket[] = [];
  /** What the session wants to have hashed. */
  readonly derivations: Derivation[] = [];

  constructor({ name, relay, random = () => 0.5, wallClock, files, ...others }: FakeSessionOptions = {}) {
    const { password, canAsk = true, whereabouts } = others;
    this.session = new Session({
      server: SERVER,
      name,
      relay,
      random,
      token: TOKEN,
      send: (packet, peer) => {
        encode(packet); // a packet that does not fit a datagram fails the test
        this.#sent.push({ packet, peer, at: this.now });
      },
      show: (shown) => void this.shown.push(shown),
      hash: sha256Hex128,
      passwords: {
        crypto: CRYPTO,
        derive: (derivation) => void this.derivations.push(derivation),
        given: password,
        canAsk,
        whereabouts: () => whereabouts,
      },
      wallClock,
      files,
    });
  }

  /** Hashes what the session wants to have hashed, by {@linkcode quickDerive}. */
  hash(): void {
    for (const derivation of this.derivations.splice(0)) {
      this.session.derived(derivation, quickDerive(derivation), this.now);
    }
  }

  /** What was sent since the last call. */
  take(): SentPacket[] {
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }

  /** The v1 packets of one type that were sent since the last call; all others are forgotten. */
  takeAll<T extends V1Packet["type"]>(type: T): V1<T>[] {
    return this.take().map(({ packet }) => packet)
      .filter((packet) => packet.dialect === "v1" && packet.type === type) as V1<T>[];
  }

  start(): void {
    this.session.start(this.now);
  }

  /** Lets a packet come from the server, with the client's token where the server would write it. */
  receive(packet: Packet | WithoutToken<Vouched>): void {
    this.session.receive(vouched(packet), this.now);
  }

  /** Lets a datagram come from the server, or from another address, as its text. */
  datagram(text: string, from = SERVER): void {
    this.session.take(new TextEncoder().encode(text), from, this.now);
  }

  /** Answers the last greeting that was sent; starts the session first if it has not greeted. */
  welcome(fields: Partial<V1<"WELCOME">> = {}): void {
    let greeting = this.#lastGreeting();
    if (!greeting) {
      this.start();
      greeting = this.#lastGreeting();
    }
    let { id } = greeting!;
    this.take();
    if (!greeting!.token) this.receive({ dialect: "v1", type: "RETRY", id, cookie: COOKIE });
    id = this.#lastGreeting()?.id ?? id;
    this.take();
    this.receive({ ...WELCOME, id, name: this.session.name, ...fields });
  }

  /** Lets an event of the room come, by default a message of another member. */
  event(seq: number, fields: Partial<V1<"INCOMING">> = {}): void {
    this.receive(incoming(seq, fields));
  }

  /** Lets events come that this client has asked for. */
  resent(from: number, to: number): void {
    for (let seq = from; seq <= to; seq++) this.event(seq, { token: TOKEN });
  }

  /** Lets the server say that it goes away, and be silent until that is believed. */
  closing(): void {
    this.receive({ dialect: "v1", type: "CLOSING", epoch: EPOCH });
    this.pass(600);
  }

  /** Moves the clock on, wakes the session whenever it is due, and calls `meanwhile` after each wake. */
  pass(ms: number, meanwhile: () => void = () => {}): void {
    const end = this.now + ms;
    for (let at, wakes = 0; (at = this.session.nextWake) !== undefined && at <= end; wakes++) {
      if (wakes > 20_000) throw new Error(`The session wants to be woken at ${at} for ever`);
      this.now = Math.max(this.now, Math.ceil(at));
      this.session.wake(this.now);
      meanwhile();
    }
    this.now = end;
  }

  /** Moves the clock on until a packet of one type is sent, and returns all of them that are sent then. */
  passUntilSent<T extends V1Packet["type"]>(type: T): V1<T>[] {
    for (let wakes = 0; wakes < 1000; wakes++) {
      const sent = this.takeAll(type), at = this.session.nextWake;
      if (sent.length > 0) return sent;
      if (at === undefined) break;
      this.now = Math.max(this.now, Math.ceil(at));
      this.session.wake(this.now);
    }
    throw new Error(`No ${type} is sent`);
  }

  say(text: string): void {
    this.session.say(text, this.now);
  }

  /** The texts of the messages on the screen. */
  get texts(): string[] {
    return this.shown.flatMap((shown) => shown.kind === "message" ? [shown.text] : []);
  }

  /** The texts on the screen that are not messages: notices, problems and refusals. */
  get notices(): string[] {
    return this.shown.flatMap((shown) => "text" in shown && shown.kind !== "message" ? [shown.text] : []);
  }

  #lastGreeting(): V1<"GREETING"> | V1<"SIGN-IN"> | undefined {
    const greetings = this.#sent.map(({ packet }) => packet)
      .filter((packet) => packet.dialect === "v1" && (packet.type === "GREETING" || packet.type === "SIGN-IN"));
    return greetings.at(-1) as V1<"GREETING"> | undefined;
  }
}

/** A packet with the client's token where the server writes it. */
export function vouched(packet: Packet | WithoutToken<Vouched>): Packet {
  return (VOUCHED.has(packet.type) ? { token: TOKEN, ...packet } : packet) as Packet;
}

/** A message event as the server sends it. */
export function incoming(seq: number, fields: Partial<V1<"INCOMING">> = {}): EventPacket {
  return {
    dialect: "v1",
    type: "INCOMING",
    epoch: EPOCH,
    seq,
    at: 1_732_094_064_123,
    from: "192.168.1.22:40112",
    text: `${seq}`,
    ...fields,
  };
}

/** A session that has joined. The packets that it sent to join are already taken. */
export function joined(options: ConstructorParameters<typeof FakeSession>[0] = {}): FakeSession {
  const fake = new FakeSession(options);
  fake.welcome();
  fake.take();
  return fake;
}
