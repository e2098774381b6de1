/**
 * What is kept of a member that speaks or asks for something.
 *
 * @module
 */
import type { ReceiveStream } from "../../protocol/reliable/receive_stream.ts";
import type { TokenBucket } from "../../protocol/reliable/token_bucket.ts";
import type { AnsweredRequests } from "./answered_requests.ts";
import type { FrugalBucket } from "./frugal_bucket.ts";
import type { TakenProof } from "./proofs.ts";

/** What was said, as its CRC-32, and until when it is remembered, in milliseconds of the room's clock. */
export interface RecentWords {
  sum: number;
  until: number;
}

/** What a member has that speaks or asks for something. A crowd that only listens takes no memory for it. */
export interface MemberActivity {
  /** What was answered to its last requests that change something; undefined before the first. */
  answered: AnsweredRequests | undefined;
  /** The proof by which it has its name; undefined for one without. */
  proven: TakenProof | undefined;
  /** The receive stream of its messages; undefined before the first message. */
  stream: ReceiveStream | undefined;
  /** Of a member with a connection only: the parts of its last line that wait for their tokens. */
  line: { text: string; action?: boolean }[] | undefined;
  /** Of a classic member only: it has sent a MESSAGE without a colon behind the word, so a colon there is text. */
  colonIsText: boolean;
  /** Of a classic member only: what it has said of late without a word in capital letters. */
  recentWords: RecentWords[] | undefined;
  /** Of a classic member only: the limit for texts without a word. */
  bareTexts: TokenBucket | undefined;
  /** The limits for messages, requests and new names; each is created when it is first needed. */
  messages: TokenBucket | undefined;
  requests: TokenBucket | undefined;
  renames: TokenBucket | undefined;
  /** Of a classic member only: the limit for all datagrams from its address. */
  datagrams: TokenBucket | undefined;
  /** Undefined until the others with its IP address ask for so much that little is left for it. */
  frugal: FrugalBucket | undefined;
  /** The same for messages. */
  frugalMessages: FrugalBucket | undefined;
  /**
   * When the next message has its token of the IP address, in milliseconds of the room's clock. Undefined unless the
   * member waits for its turn among those that have this address.
   */
  turnAt: number | undefined;
  /** When the copies of a line of a member with a connection may be made, and how many they are. */
  lineTurn: { at: number; cost: number } | undefined;
}

/** Whoever may have an activity. */
export interface Active {
  /** Undefined until it speaks or asks for something; {@linkcode activityOf} creates it. */
  activity: MemberActivity | undefined;
}

/** The activity of a member, which is created here when there is none. */
export function activityOf(member: Active): MemberActivity {
  return member.activity ??= {
    answered: undefined,
    proven: undefined,
    stream: undefined,
    line: undefined,
    colonIsText: false,
    recentWords: undefined,
    bareTexts: undefined,
    messages: undefined,
    requests: undefined,
    renames: undefined,
    datagrams: undefined,
    frugal: undefined,
    frugalMessages: undefined,
    turnAt: undefined,
    lineTurn: undefined,
  };
}
