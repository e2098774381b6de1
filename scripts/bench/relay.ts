/**
 * A classic chat server with only Deno's own socket: one `conn.send` for each member.
 *
 *     deno run -A relay.ts PORT
 *
 * @module
 */
const conn = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: Number(Deno.args[0]) });
const members = new Map<string, Deno.NetAddr>();
const decoder = new TextDecoder(), encoder = new TextEncoder();

console.log(`Listening on 0.0.0.0:${(conn.addr as Deno.NetAddr).port}`);
const buffer = new Uint8Array(4096);
while (true) {
  const [data, from] = await conn.receive(buffer) as [Uint8Array, Deno.NetAddr];
  const text = decoder.decode(data);
  if (text.startsWith("MESSAGE")) {
    const body = text.slice(text[7] === " " ? 8 : 7);
    const line = encoder.encode(`INCOMING <From ${from.hostname}:${from.port}>: ${body}`);
    for (const member of members.values()) {
      try {
        await conn.send(line, member);
      } catch {
        // the failure concerns only this member
      }
    }
  } else if (text.startsWith("GREETING")) {
    members.set(`${from.hostname}:${from.port}`, from);
  }
}
