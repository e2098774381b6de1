/**
 * The packets of both dialects, as both sides handle them, and the limits that both sides share.
 *
 * PROTOCOL.md describes each packet; protocol.ts turns packets into bytes and back.
 *
 * @module
 */
import type { NumberRange } from "./fields.ts";

/** The port that a server listens on by default. */
export const DEFAULT_PORT = 9090;
/** The longest sent datagram, in bytes: the IPv6 minimum MTU (RFC 8200, section 5) minus IPv6 and UDP headers. */
export const MAX_DATAGRAM_BYTES = 1232;
/** The longest classic datagram or line of a connection that is taken, in bytes: some programs send pages of text. */
export const MAX_CLASSIC_BYTES = 4096;
/** The longest topic of a room, in bytes of UTF-8: it has to fit into a WELCOME. */
export const MAX_TOPIC_BYTES = 300;
/** The longest text of one MESSAGE, in bytes of UTF-8. It leaves room for the longest INCOMING/1 header. */
export const MAX_TEXT_BYTES = 856;
/** The silence after which the server removes a v1 member, in milliseconds. */
export const MEMBER_TIMEOUT_MS = 60_000;
/**
 * The greatest age of a direct message that it tells, in milliseconds. Hardly any waits so long: it is given up before.
 * With it the longest RELAY has 1,230 bytes, so that there is room for two digits more.
 */
export const MAX_AGE_MS = 99_999;
/** The most further copies that an event has; they count from 1. */
export const MAX_COPY = 3;
/** The most octets of a file in one DATA: as many as fit where it is in a RELAY, so that a repeat may go either way. */
export const MAX_DATA_BYTES = 1000;
/** The longest name of a file in an OFFER, in bytes of UTF-8: no usual file system takes longer ones. */
export const MAX_FILE_NAME_BYTES = 255;
/** The most ranges in one SACK: also with the greatest numbers it fits into a RELAY. */
export const MAX_SACK_RANGES = 24;
/** The greatest `delay` of a SACK, in milliseconds. */
export const MAX_SACK_DELAY_MS = 999;
/** What stands behind the name of a member in USERS that is reached through the server only. */
export const RELAY_MARK = " relay";
/** How many messages of one stream may be under way before the first is acknowledged. */
export const SEND_WINDOW = 32;

/** What a peer that sends datagrams understands; `classic-line` is classic with a line feed at the end, for `nc -u`. */
export type DatagramDialect = "classic" | "classic-line" | "v1";
/** What a peer understands; `line` is lines of text over a connection. */
export type Dialect = DatagramDialect | "line";

/**
 * Set when the word is not as the protocol has it, in capital letters: it may be the first one of a sentence, such as
 * another server's.
 */
type Loose = true;

/** The dialect of the assignment's programs: a bare word and free text. */
export type ClassicPacket =
  /**
   * Registers the sender's address. `line` is true when the datagram ended in a line feed, as `nc` sends it. `text` is
   * the whole of it if it may be a sentence, such as `Greetings from Rome`: who has greeted before says it.
   */
  | { dialect: "classic"; type: "GREETING"; line: boolean; text?: string }
  /** `afterColon` is the text if the colon at the beginning of `text` belongs to the word: `MESSAGE:hello`. */
  | { dialect: "classic"; type: "MESSAGE"; text: string; afterColon?: string; loose?: Loose }
  | { dialect: "classic"; type: "SIGN-IN"; name: string; loose?: Loose }
  | { dialect: "classic"; type: "LIST"; loose?: Loose }
  /** A text without a word. It counts as a message of whoever has greeted. */
  | { dialect: "classic"; type: "TEXT"; text: string }
  /** From the server. `line` can be read without the word INCOMING: `<From 127.0.0.1:52207>: Hello`. */
  | { dialect: "classic"; type: "INCOMING"; line: string };

/** A member in an ONLINE or OFFLINE packet. */
export interface Presence {
  address: string;
  name?: string;
}

/** A member in a RENAMED packet: `before` is the name that it had, if it had one. */
export interface Renamed {
  address: string;
  name: string;
  before?: string;
}

/**
 * That a client knows the password of a name, without saying it: SCRAM-SHA-256 (RFC 5802, RFC 7677). All three stand in
 * a packet, or none.
 */
export interface Proof {
  /** The server's nonce, from its CHALLENGE: 128 bits. */
  nonce?: string;
  /** The client's nonce: 128 random bits. */
  cnonce?: string;
  /** The ClientProof. */
  proof?: string;
}

/** The fields of every event: its epoch, its sequence number, and its time in Unix milliseconds (`at`). */
interface Event {
  dialect: "v1";
  /** The receiver's token, in the answer to its RESEND, or to its repeat of a message that has become this event. */
  token?: string;
  /** Which further copy it is, from 1 on, of those for members that lose much; undefined for the first copy. */
  copy?: number;
  epoch: string;
  seq: number;
  at: number;
}

/** What a client says of its network. */
interface Loss {
  /** How many of the server's datagrams do not arrive, in percent; undefined for none. */
  loss?: number;
}

/** The packets of version 1, the dialect of our own programs. PROTOCOL.md describes each, with an example datagram. */
export type V1Packet =
  // to the server
  | { dialect: "v1"; type: "GREETING"; id: number; token?: string; cookie?: string } & Loss
  | { dialect: "v1"; type: "SIGN-IN"; id: number; token?: string; cookie?: string; name: string } & Proof & Loss
  | { dialect: "v1"; type: "RESEND"; token: string; epoch: string; from: number; to: number } & Loss
  | { dialect: "v1"; type: "LIST"; id: number; token: string; after?: string }
  | { dialect: "v1"; type: "LOOKUP"; id: number; token: string; name?: string; address?: string }
  | { dialect: "v1"; type: "LEAVE"; id: number; token: string }
  /**
   * Protects the sender's name by a password, or by another one, which takes the proof of the present one. Without
   * `key` it asks for a CHALLENGE, which says what to make them with.
   */
  | {
    dialect: "v1";
    type: "REGISTER";
    id: number;
    token: string;
    /** The encapsulated key of the sealed part. */
    key?: string;
    /** The salt, the StoredKey and the ServerKey, sealed for the server. */
    sealed?: string;
  } & Proof
  /** Gives the protection of the sender's name up. Without a proof it asks for a CHALLENGE. */
  | { dialect: "v1"; type: "UNREGISTER"; id: number; token: string } & Proof
  /** Something that only an operator may have done, as it is typed: `kick Bob`. */
  | { dialect: "v1"; type: "COMMAND"; id: number; token: string; text: string }
  /**
   * A packet of one member to another, in an envelope that passes through the server. To the server it has the sender's
   * token and the receiver's address, from the server the receiver's token and the sender's address and name.
   */
  | { dialect: "v1"; type: "RELAY"; token: string; address: string; name?: string; packet: RelayedPacket }
  // to the server with a token, or to a peer with the pass of the pair
  | {
    dialect: "v1";
    type: "MESSAGE";
    token?: string;
    /** What the server has given to both members of a pair, so that each believes who the other one is. */
    pass?: string;
    /** Identifies the stream; `id` counts its messages 1, 2, 3... */
    stream: string;
    id: number;
    /** The lowest id that the sender has not settled; missing when it is `id`. */
    first?: number;
    /** To a peer: how long ago the text was said, in milliseconds, at most {@linkcode MAX_AGE_MS}; missing for 0. */
    age?: number;
    action?: boolean;
    text: string;
  }
  // from the server with the receiver's token, or from a peer with the pass of the pair
  | {
    dialect: "v1";
    type: "ACK";
    token?: string;
    pass?: string;
    stream?: string;
    id: number;
    epoch?: string;
    seq?: number;
  }
  // from the server: events
  | Event & {
    type: "INCOMING";
    from: string;
    name?: string;
    stream?: string;
    id?: number;
    action?: boolean;
    text: string;
  }
  | Event & { type: "ONLINE"; members: Presence[] }
  | Event & { type: "OFFLINE"; members: Presence[] }
  | Event & { type: "RENAMED"; members: Renamed[] }
  /** What the server itself says to all: a sentence for people. */
  | Event & { type: "NOTICE"; text: string }
  // from the server: answers and notices. The token is the receiver's: it shows that the server has sent the packet.
  /** The answer to a greeting from an address that is not validated: greet again with this cookie. */
  | { dialect: "v1"; type: "RETRY"; id: number; cookie: string }
  | {
    dialect: "v1";
    type: "WELCOME";
    id: number;
    address: string;
    token: string;
    epoch: string;
    seq: number;
    /** The digest of all events up to `seq`. */
    digest?: string;
    name?: string;
    /** Milliseconds after which the member is asked to greet again; grows with the room. */
    keepalive: number;
    /** Set when the sender of a message gets no copy of it. */
    noecho?: boolean;
    /** Where the client, at a loopback address, could join so that others, who are elsewhere, reach it directly. */
    join?: string;
    /** The ServerSignature, where the greeting had a proof: this server knows what the password was registered as. */
    verifier?: string;
    /** Set when the client may keep order here. */
    operator?: boolean;
    /** What the room is about. */
    topic?: string;
  }
  /** The answer to who has to prove that it knows the password of a name, or who wants to register one. */
  | {
    dialect: "v1";
    type: "CHALLENGE";
    id: number;
    token: string;
    /** The client's address as the server sees it: the proof is made for it. */
    address: string;
    /** What the keys of the password are made with; missing if the name has none yet. */
    salt?: string;
    /** How often the password is hashed: for the present keys, or for new ones. */
    rounds: number;
    /** The server's nonce; missing if the name has no password yet. */
    nonce?: string;
    /** The server's public key, for whoever wants to register. */
    key?: string;
  }
  /** The answer to a REGISTER, UNREGISTER or COMMAND that was done: a line for people, or several. */
  | {
    dialect: "v1";
    type: "REPLY";
    id: number;
    token: string;
    /** To a REGISTER or UNREGISTER: this server knows the present password, or could open what was sealed. */
    verifier?: string;
    text: string;
  }
  /**
   * A MESSAGE is here and need not be repeated: for `wait` milliseconds, until its turn comes; without it, until those
   * before it are settled, of which one is missing.
   */
  | { dialect: "v1"; type: "HELD"; token: string; stream: string; id: number; wait?: number }
  | { dialect: "v1"; type: "HEARTBEAT"; token?: string; epoch: string; seq: number }
  | { dialect: "v1"; type: "GONE"; token: string; epoch: string; from: number; to: number }
  | {
    dialect: "v1";
    type: "USERS";
    id: number;
    token: string;
    total: number;
    unnamed: number;
    more?: boolean;
    names: string[];
    /** Those of the names that the one who asks reaches through the server only, as far as the server knows. */
    onlyRelayed?: string[];
  }
  | {
    dialect: "v1";
    type: "PEER";
    id: number;
    token: string;
    address: string;
    name?: string;
    /** When the member joined, in Unix milliseconds. */
    since: number;
    /** The pass of this member and the one that asks; missing when no message can be sent with it. */
    pass?: string;
    classic?: boolean;
    /** Set when no datagram of the one that asks reaches it: a message has to go through the server, in a RELAY. */
    relay?: boolean;
    /** Set when this server passes no message on. */
    norelay?: boolean;
    /** How many bytes a second of files this server passes on for one member; missing when there is no limit. */
    rate?: number;
    /** How it is connected, if not by datagrams: `tcp`. */
    transport?: string;
    /** Set when its name is protected by a password. */
    registered?: boolean;
    /** Set when it may keep order here. */
    operator?: boolean;
  }
  | { dialect: "v1"; type: "PUNCH"; token: string; address: string; name?: string; pass: string }
  | { dialect: "v1"; type: "ERROR"; token: string; code: string; id?: number; stream?: string; text: string }
  | { dialect: "v1"; type: "CLOSING"; epoch: string }
  // from peer to peer
  /** Opens the way through this side's NAT. With the pass of the pair and an id it is a check, which an ACK answers. */
  | { dialect: "v1"; type: "OPEN"; pass?: string; id?: number }
  // from peer to peer: files. `file` names a transfer: 64 random bits, which only these two know
  /** A file is offered. It is repeated until there is an answer, and then as a sign of life. */
  | {
    dialect: "v1";
    type: "OFFER";
    pass: string;
    file: string;
    /** In bytes. */
    size: number;
    /** The SHA-256 of the whole file. */
    hash: string;
    /** The name of the file, as its sender has it: it may be anything. */
    text: string;
  }
  /** Some octets of a file. */
  | {
    dialect: "v1";
    type: "DATA";
    pass: string;
    file: string;
    /** Counts these packets, also the repeats: no two of a transfer have the same. */
    id: number;
    /** Where in the file the octets belong. */
    offset: number;
    octets: Uint8Array;
  }
  /** What has arrived of a file; without `next` only the offer, about which the receiver's user has said nothing yet. */
  | {
    dialect: "v1";
    type: "SACK";
    pass: string;
    file: string;
    /** All octets before this place are here. */
    next?: number;
    /** How many more behind `next` are taken. */
    room?: number;
    /** The numbers of the DATA that have arrived, the greatest first; those that are long known may be left out. */
    ids?: NumberRange[];
    /** For how long the DATA with the greatest of these numbers is here, in milliseconds. */
    delay?: number;
  }
  /** A transfer has ended: why, in a word. */
  | { dialect: "v1"; type: "END"; pass: string; file: string; code: string };

/** The types of version 1 that a client sends to a server. */
export const TO_SERVER = [
  "GREETING",
  "SIGN-IN",
  "RESEND",
  "LIST",
  "LOOKUP",
  "MESSAGE",
  "LEAVE",
  "RELAY",
  "REGISTER",
  "UNREGISTER",
  "COMMAND",
] as const satisfies readonly V1Packet["type"][];

/**
 * A direct message or its acknowledgement in a RELAY, with the pass of the pair and without a token. An ACK without a
 * stream answers a check of the direct way, so it never passes through the server.
 */
export type RelayedMessage = Extract<V1Packet, { type: "MESSAGE" | "ACK" }> & {
  token?: undefined;
  pass: string;
  stream: string;
};

/** What two members send each other to hand over a file. */
export type FilePacket = Extract<V1Packet, { type: "OFFER" | "DATA" | "SACK" | "END" }>;

/** What may be in a RELAY. */
export type RelayedPacket = RelayedMessage | FilePacket;

/** Any packet of either dialect. */
export type Packet = ClassicPacket | V1Packet;
/** The v1 packets that are events of the room: they carry `seq` and are repeated when lost. */
export type EventPacket = Extract<V1Packet, { at: number; seq: number }>;

/** A packet, or the reason why the bytes are not one. */
export type Decoded = { ok: true; packet: Packet } | { ok: false; reason: string };

/** How long ago something was said, as a MESSAGE to a peer has it; both times in milliseconds. */
export function ageOf(saidAt: number, now: number): { age?: number } {
  const age = Math.min(MAX_AGE_MS, Math.floor(now - saidAt));
  return age > 0 ? { age } : {};
}

/** Says why bytes are not a packet. */
export function refuse(reason: string): Decoded {
  return { ok: false, reason };
}
