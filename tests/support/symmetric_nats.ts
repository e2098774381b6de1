/**
 * Symmetric NATs for the networks in memory: each gives every destination another port, and lets in there what comes from
 * that destination only (address and port-dependent mapping and filtering, RFC 4787, sections 4.1 and 5).
 *
 * @module
 */

/** The NATs of all who have one. The server's mapping has the port that the member has joined with. */
export class SymmetricNats {
  readonly #server: string;
  readonly #insides = new Set<string>();
  /** Who is behind a port, and from where alone datagrams get through it. */
  readonly #ports = new Map<string, { inside: string; open: string }>();

  constructor(server: string) {
    this.#server = server;
  }

  /** Puts the member with an address behind such a NAT. */
  add(inside: string): void {
    this.#insides.add(inside);
  }

  /** Lets the NAT of a member take other ports from now on. */
  forgetPorts(inside: string): void {
    for (const port of this.#ports.values()) if (port.inside === inside) port.open = "";
  }

  /** The address that a datagram has outside. */
  source(from: string, to: string): string {
    if (to === this.#server || !this.#insides.has(from)) return from;
    for (const [address, { inside, open }] of this.#ports) if (inside === from && open === to) return address;
    const address = `${from.split(":")[0]}:${1024 + this.#ports.size}`;
    this.#ports.set(address, { inside: from, open: to });
    return address;
  }

  /** The member that a datagram gets to; undefined if a NAT drops it. */
  target(to: string, from: string): string | undefined {
    const port = this.#ports.get(to);
    if (port) return port.open === from ? port.inside : undefined;
    return this.#insides.has(to) && from !== this.#server ? undefined : to;
  }
}
