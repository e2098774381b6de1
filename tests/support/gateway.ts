/**
 * A gateway between clients and a server that records every datagram.
 *
 * The server sees another address for each client, as behind a NAT. The gateway translates the addresses inside packets
 * too (an application level gateway, RFC 2663, section 2.9). So datagrams from one client to another do not go through
 * the gateway, just as they do not go through the server.
 *
 * @module
 */
import { decode, encode, type Packet } from "../../protocol.ts";
import { formatAddress } from "../../protocol/fields.ts";
import { datagrams, socketAddress } from "../../runtime/udp.ts";

/** A datagram that passed through. */
export interface Recorded {
  toServer: boolean;
  /** The client's own address. */
  client: string;
  /** The datagram as it arrived, before translation. */
  text: string;
}

/** An open gateway. */
export interface Gateway extends AsyncDisposable {
  /** The port for clients, on the loopback interface. */
  readonly port: number;
  readonly recorded: Recorded[];
}

/** Opens a gateway to a server, both on the loopback interface. */
export function openGateway(serverPort: number): Gateway {
  const open = () => Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const inside = open();
  const server = { transport: "udp", hostname: "127.0.0.1", port: serverPort } as const;
  const outsides = new Map<string, Deno.DatagramConn>();
  /** Translations: `outward` from a client's own address to the one that the server sees, `inward` the other way. */
  const outward = new Map<string, string>(), inward = new Map<string, string>();
  const recorded: Recorded[] = [];
  const running = [forwardToServer()];

  async function forwardToServer(): Promise<void> {
    for await (const { bytes, from } of datagrams(inside)) {
      let outside = outsides.get(from);
      if (!outside) {
        outsides.set(from, outside = open());
        const address = formatAddress(outside.addr as Deno.NetAddr);
        outward.set(from, address);
        inward.set(address, from);
        running.push(forwardToClient(outside, from));
      }
      record(true, from, bytes);
      await outside.send(translated(bytes, outward), server);
    }
  }

  async function forwardToClient(outside: Deno.DatagramConn, client: string): Promise<void> {
    for await (const { bytes } of datagrams(outside)) {
      record(false, client, bytes);
      await inside.send(translated(bytes, inward), socketAddress(client, inside)).catch(() => {});
    }
  }

  function record(toServer: boolean, client: string, bytes: Uint8Array): void {
    recorded.push({ toServer, client, text: new TextDecoder().decode(bytes) });
  }

  return {
    port: (inside.addr as Deno.NetAddr).port,
    recorded,
    async [Symbol.asyncDispose]() {
      for (const conn of [inside, ...outsides.values()]) conn.close();
      await Promise.all(running);
    },
  };
}

/** A datagram with the addresses in its fields replaced. */
function translated(bytes: Uint8Array, addresses: Map<string, string>): Uint8Array {
  const decoded = decode(bytes);
  if (!decoded.ok || decoded.packet.dialect !== "v1") return bytes;
  const replace = (address: string) => addresses.get(address) ?? address;
  const packet = { ...decoded.packet };
  if ("address" in packet && packet.address !== undefined) packet.address = replace(packet.address);
  if ("from" in packet && typeof packet.from === "string") packet.from = replace(packet.from);
  if ("members" in packet) {
    packet.members = packet.members.map(({ address, ...rest }) => ({ address: replace(address), ...rest }));
  }
  return encode(packet as Packet);
}
