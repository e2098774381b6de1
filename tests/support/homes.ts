/**
 * Two homes behind NATs of their own and a server outside, as network namespaces of this machine (Linux, root only).
 *
 * ```
 * alice 192.168.71.2 -- NAT 192.168.71.1|10.71.0.11 --+
 *                                                     +-- 10.71.0.1 server
 * bob   192.168.72.2 -- NAT 192.168.72.1|10.71.0.12 --+
 * ```
 *
 * The NATs behave like those of most homes: a port keeps its number if it can, and a datagram is dropped when nothing
 * was sent to the address and port that it comes from (port-restricted, RFC 4787, section 5). Symmetric ones give each
 * destination another port, at random.
 *
 * @module
 */
import { DEADLINE_MS } from "../../scripts/support/waiting.ts";
import { type Namespaces, openNamespaces } from "../../scripts/support/netns.ts";

/** A place where a program can run. */
export type Place = "server" | "alice" | "bob";
/** The NAT of a home. */
export type Nat = "alice_nat" | "bob_nat";

/** The server's address, and the outside addresses of the homes' NATs. */
export const SERVER_ADDRESS = "10.71.0.1";
export const ALICE_OUTSIDE = "10.71.0.11";
export const BOB_OUTSIDE = "10.71.0.12";

/** The interface of the server's place through which all goes that a home's NAT sends or gets. */
export const ALICE_WIRE = "alice";

/** The network namespaces. Disposing of this object deletes them. */
export interface Homes extends Namespaces<Place | Nat> {
  /** How a client in a place is started that joins the server. */
  at(place: Place): { host: string; inside(command: string[]): string[] };
  /** Runs further nftables commands in a NAT. */
  nft(nat: Nat, commands: string): Promise<void>;
  /** Waits until a NAT has dropped more than `moreThan` unsolicited datagrams; returns how many it has dropped. */
  dropped(nat: Nat, moreThan: number): Promise<number>;
}

/** Pause between two looks at a counter, in milliseconds. */
const LOOK_AGAIN_MS = 40;

const natRules = (how: string) => `
table ip home {
  counter unsolicited {}
  chain outward { type nat hook postrouting priority 100; oifname "wan" masquerade ${how}; }
  chain router { type filter hook input priority 0; iifname "wan" ct state new counter name unsolicited drop; }
  chain inward { type filter hook forward priority 0; iifname "wan" ct state new drop; }
}`;

/**
 * Makes the namespaces, or returns the reason why this system can't have them.
 *
 * @param isSymmetric Whether the NATs are.
 */
export async function openHomes({ isSymmetric = false } = {}): Promise<Homes | string> {
  const rules = natRules(isSymmetric ? "random,fully-random" : "");
  const namespaces = await openNamespaces(PLACES, (name) => setup(name, rules), ["nft"]);
  if (typeof namespaces === "string") return namespaces;
  return {
    ...namespaces,
    at: (place: Place) => ({
      host: SERVER_ADDRESS,
      inside: (command: string[]) => namespaces.inside(place, command),
    }),
    async nft(nat, commands) {
      await namespaces.run(nat, ["nft", "-f", "-"], commands);
    },
    async dropped(nat, moreThan) {
      const late = new Error(`${nat} has not dropped more than ${moreThan} datagrams`);
      const deadline = performance.now() + DEADLINE_MS;
      while (performance.now() < deadline) {
        const listing = await namespaces.run(nat, ["nft", "list", "counters"]);
        const count = Number(/packets (\d+)/.exec(listing)?.[1]);
        if (count > moreThan) return count;
        await new Promise((resume) => setTimeout(resume, LOOK_AGAIN_MS));
      }
      throw late;
    },
  };
}

const PLACES: (Place | Nat)[] = ["server", "alice", "bob", "alice_nat", "bob_nat"];

/** The shell commands that make the links between the namespaces. */
function setup(name: (place: Place | Nat) => string, rules: string): string[] {
  const server = `ip -n ${name("server")}`;
  const lines = [
    `${server} link add wire type bridge`,
    `${server} addr add ${SERVER_ADDRESS}/24 dev wire`,
    `${server} link set wire up`,
  ];
  const homes = [["alice", ALICE_OUTSIDE, "192.168.71"], ["bob", BOB_OUTSIDE, "192.168.72"]] as const;
  for (const [place, outside, subnet] of homes) {
    const inner = name(place), nat = name(`${place}_nat`);
    lines.push(
      `ip link add wan netns ${nat} type veth peer name ${place} netns ${name("server")}`,
      `${server} link set ${place} master wire up`,
      `ip -n ${nat} addr add ${outside}/24 dev wan`,
      `ip -n ${nat} link set wan up`,
      `ip link add lan netns ${nat} type veth peer name eth0 netns ${inner}`,
      `ip -n ${nat} addr add ${subnet}.1/24 dev lan`,
      `ip -n ${nat} link set lan up`,
      `ip -n ${inner} addr add ${subnet}.2/24 dev eth0`,
      `ip -n ${inner} link set eth0 up`,
      `ip -n ${inner} route add default via ${subnet}.1`,
      `ip netns exec ${nat} sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'`,
      `ip netns exec ${nat} nft -f - <<'RULES'\n${rules}\nRULES`,
    );
  }
  return lines;
}
