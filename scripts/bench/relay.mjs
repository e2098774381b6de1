/**
 * A classic chat server as Node does it fastest: dgram, with addresses that are never looked up.
 *
 *   node relay.mjs PORT
 */
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import process from "node:process";

// without a look-up of its own, every send waits a turn of the event loop for one
const socket = createSocket({ type: "udp4", lookup: (host, _options, found) => found(null, host, 4) });
const members = new Map();

socket.on("message", (data, { address, port }) => {
  const text = data.toString();
  if (text.startsWith("MESSAGE")) {
    const line = Buffer.from(`INCOMING <From ${address}:${port}>: ${text.slice(text[7] === " " ? 8 : 7)}`);
    for (const member of members.values()) socket.send(line, member.port, member.address);
  } else if (text.startsWith("GREETING")) {
    members.set(`${address}:${port}`, { address, port });
  }
});
socket.bind(Number(process.argv[2]), "0.0.0.0", () => console.log(`Listening on 0.0.0.0:${socket.address().port}`));
