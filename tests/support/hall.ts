/**
 * A lecture hall: clients on one LAN that can be kept from each other (client isolation), and a server that all reach.
 * Network namespaces of this machine (Linux, root only).
 *
 * ```
 * alice 10.73.0.11 --+
 * bob   10.73.0.12 --+
 *                    +-- switch -- 10.73.0.1 server
 * carol 10.73.0.13 --+
 * dave  10.73.0.14 --+
 * ```
 *
 * The same with IPv6: fd73::1, fd73::11 and so on.
 *
 * @module
 */
import { type Namespaces, openNamespaces } from "../../scripts/support/netns.ts";

/** A seat of the hall. */
export type Seat = "alice" | "bob" | "carol" | "dave";
/** A place where a program can run. */
export type Place = "server" | Seat;

/** The server's addresses. */
export const SERVER_ADDRESS = "10.73.0.1";
export const SERVER_IPV6 = "fd73::1";

/** The interface of each place: what goes through the server's is to the server or from it. */
export const DEVICE = "eth0";

/** The network namespaces. Disposing of this object deletes them. */
export interface Hall extends Namespaces<Place> {
  /** Keeps seats from each other, or lets them reach each other again; at first they do. All reach the server. */
  isolate(seats: Seat[], isIsolated: boolean): Promise<void>;
}

const SEATS: Seat[] = ["alice", "bob", "carol", "dave"];

/** Makes the namespaces, or returns the reason why this system can't have them. */
export async function openHall(): Promise<Hall | string> {
  const namespaces = await openNamespaces(["server", ...SEATS, "switch"], setup, ["bridge"]);
  if (typeof namespaces === "string") return namespaces;
  return {
    ...namespaces,
    async isolate(seats, isIsolated) {
      // a port that is isolated passes nothing on to others that are
      const commands = seats.map((seat) => isolation(seat, isIsolated));
      await namespaces.run("switch", ["bridge", "-batch", "-"], commands.join("\n"));
    },
  };
}

function isolation(seat: Seat, isIsolated: boolean): string {
  return `link set dev ${seat} isolated ${isIsolated ? "on" : "off"}`;
}

/** The shell commands that make the links between the namespaces. */
function setup(name: (place: Place | "switch") => string): string[] {
  const lan = `ip -n ${name("switch")}`;
  const lines = [`${lan} link add lan type bridge`, `${lan} link set lan up`];
  for (const [place, host] of [["server", 1], ...SEATS.map((seat, i) => [seat, 11 + i] as const)] as const) {
    const inner = `ip -n ${name(place)}`;
    lines.push(
      `ip link add ${DEVICE} netns ${name(place)} type veth peer name ${place} netns ${name("switch")}`,
      `${lan} link set ${place} master lan up`,
      `${inner} addr add 10.73.0.${host}/24 dev ${DEVICE}`,
      // nodad: usable at once, nobody is asked whether it is taken
      `${inner} addr add fd73::${host}/64 dev ${DEVICE} nodad`,
      `${inner} link set ${DEVICE} up`,
    );
  }
  // a system that knows no isolation says so here
  for (const seat of SEATS) lines.push(`bridge -n ${name("switch")} ${isolation(seat, false)}`);
  return lines;
}
