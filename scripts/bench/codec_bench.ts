/**
 * How long typical packets take to encode and to decode: `deno bench scripts/bench/codec_bench.ts`.
 *
 * @module
 */
import { decode, encode, type Packet } from "../../protocol.ts";

const HEX = "0123456789abcdef";
const TEXT = "The quick brown fox jumps over the lazy dog, and then does so again: that makes one hundred bytes."
  .padEnd(100);
const PACKETS: Record<string, Packet> = {
  "GREETING": { dialect: "classic", type: "GREETING", line: false },
  "MESSAGE": { dialect: "classic", type: "MESSAGE", text: TEXT },
  "INCOMING": { dialect: "classic", type: "INCOMING", line: `<From 127.0.0.1:52207>: ${TEXT}` },
  "GREETING/1": { dialect: "v1", type: "GREETING", id: 7, token: HEX },
  "WELCOME/1": {
    dialect: "v1",
    type: "WELCOME",
    id: 7,
    address: "127.0.0.1:52207",
    token: HEX,
    epoch: HEX,
    seq: 42,
    digest: HEX + HEX,
    name: "Alice",
    keepalive: 1000,
  },
  "MESSAGE/1": { dialect: "v1", type: "MESSAGE", token: HEX, stream: HEX, id: 7, text: TEXT },
  "INCOMING/1": {
    dialect: "v1",
    type: "INCOMING",
    epoch: HEX,
    seq: 42,
    at: 1_732_094_064_123,
    from: "127.0.0.1:52207",
    name: "Alice",
    stream: HEX,
    id: 7,
    text: TEXT,
  },
  "ONLINE/1, 20 members": {
    dialect: "v1",
    type: "ONLINE",
    epoch: HEX,
    seq: 42,
    at: 1_732_094_064_123,
    members: Array.from({ length: 20 }, (_, i) => ({ address: `127.0.0.1:${50_000 + i}`, name: `Member-${i}` })),
  },
};

for (const [name, packet] of Object.entries(PACKETS)) {
  const datagram = encode(packet);
  Deno.bench(`encode ${name}`, { group: "encode" }, () => {
    encode(packet);
  });
  Deno.bench(`decode ${name}`, { group: "decode" }, () => {
    decode(datagram);
  });
}

const noise = crypto.getRandomValues(new Uint8Array(200));
Deno.bench("decode 200 bytes of noise", { group: "decode" }, () => {
  decode(noise);
});
