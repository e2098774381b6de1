/**
 * Network interfaces that this machine does not have.
 *
 * @module
 */
/** Network interfaces with these addresses. */
export const interfaces = (...addresses: string[]): Deno.NetworkInterfaceInfo[] =>
  addresses.map((address) => ({
    name: "eth0",
    family: address.includes(":") ? "IPv6" : "IPv4",
    address,
    netmask: "",
    scopeid: null,
    cidr: `${address}/24`,
    mac: "",
  }));

/** Runs `body` while the system lists other interfaces; returns how often it was asked. */
export function withInterfaces(list: () => Deno.NetworkInterfaceInfo[], body: () => void): number {
  const { networkInterfaces } = Deno;
  let calls = 0;
  Deno.networkInterfaces = () => {
    calls++;
    return list();
  };
  try {
    body();
  } finally {
    Deno.networkInterfaces = networkInterfaces;
  }
  return calls;
}
