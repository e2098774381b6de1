/**
 * Clients without a screen for the benchmarks: real sessions on real sockets in this process, so that one clock measures
 * when a message is said and when it is shown.
 *
 * @module
 */
import type { Session } from "../../client/session/session.ts";
import type { decode, encode } from "../../protocol.ts";
import { Alarm, now } from "../../runtime/clock.ts";
import { sha256Hex128 } from "../../runtime/sha256.ts";
import { datagrams, openSocket, socketAddress } from "../../runtime/udp.ts";

/** What a client is made of: this checkout's modules, or those of another one. */
export interface ClientModules {
  Session: typeof Session;
  encode: typeof encode;
  decode: typeof decode;
}

/** Loads what the clients of a checkout are made of. */
export async function loadModules(checkout: string): Promise<ClientModules> {
  const load = (file: string) => import(new URL(`file://${checkout}/${file}`).href);
  const { encode, decode } = await load("protocol.ts");
  const { Session } = await load("client/session/session.ts");
  return { Session, encode, decode };
}

/** Counts of datagrams, over all clients. */
export interface Traffic {
  sent: number;
  received: number;
}

/** What a client is told, and tells. */
export interface ChatClientOptions {
  modules: ClientModules;
  /** The server's address, like `127.0.0.1:9090`. */
  server: string;
  traffic?: Traffic;
  /** A member's message was shown. */
  shown: (text: string) => void;
  /** The session's state is another one. */
  changed: () => void;
}

/** A client of ours that a program speaks for. */
export interface ChatClient {
  readonly session: Session;
  say(text: string): void;
  close(): void;
}

/** Opens a client: a session, a socket and a timer. It joins the room as soon as the server answers. */
export function openChatClient({ modules, server, traffic, shown, changed }: ChatClientOptions): ChatClient {
  const conn = openSocket("0.0.0.0", 0);
  const session = new modules.Session({
    server,
    send(packet, peer) {
      if (traffic) traffic.sent++;
      conn.send(modules.encode(packet), socketAddress(peer ?? server, conn)).catch(() => {});
    },
    show: (what) => what.kind === "message" && shown(what.text),
    hash: sha256Hex128,
  });
  const alarm = new Alarm(() => {
    session.wake(now());
    alarm.set(session.nextWake);
  });
  const receive = async () => {
    for await (const { bytes, from } of datagrams(conn)) {
      if (traffic) traffic.received++;
      const decoded = modules.decode(bytes);
      const before = session.state;
      if (decoded.ok && from === server) session.receive(decoded.packet, now());
      alarm.set(session.nextWake);
      if (session.state !== before) changed();
    }
    alarm.set(undefined);
  };
  session.start(now());
  alarm.set(session.nextWake);
  receive();
  return {
    session,
    say(text) {
      session.say(text, now());
      alarm.set(session.nextWake);
    },
    close: () => conn.close(),
  };
}

/** Calls `say` `count` times, once every `interval` milliseconds. */
export function sayAll(count: number, interval: number, say: (i: number) => void): Promise<void> {
  return new Promise((resolve) => {
    let i = 0;
    const timer = setInterval(() => {
      say(i++);
      if (i < count) return;
      clearInterval(timer);
      resolve();
    }, interval);
  });
}
