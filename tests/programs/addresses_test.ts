/** A server with several addresses answers from the one that was asked, whichever the system would prefer. */
import { assertEquals, assertMatch } from "@std/assert";
import { commandOf, type Process, start } from "../../scripts/support/processes.ts";
import { type Homes, type Nat, openHomes, type Place, SERVER_ADDRESS } from "../support/homes.ts";
import { hasPython } from "../support/python.ts";
import { signIn } from "../support/signed_in.ts";

const PORT = 9090;

/** Runs a command in a place, and expects that it succeeds. */
async function run(homes: Homes, place: Place | Nat, ...command: string[]): Promise<void> {
  await using process = start(homes.inside(place, command));
  assertEquals(await process.exitCode(), 0, `${command.join(" ")}: ${process.stderr.text()}`);
}

/** Gives a place another address. `nodad`: an IPv6 address is usable at once, nobody is asked whether it is taken. */
function addAddress(homes: Homes, place: Place | Nat, address: string, device: string): Promise<void> {
  const flags = address.includes(":") ? ["nodad"] : [];
  return run(homes, place, "ip", "addr", "add", address, "dev", device, ...flags);
}

async function startServer(homes: Homes, ...flags: string[]): Promise<Process> {
  const server = start(homes.inside("server", [...commandOf("server"), String(PORT), ...flags]));
  await server.stdout.until(new RegExp(`client.*${PORT}\n`));
  return server;
}

/** A client in any language, with a connected socket: it greets until it gets an answer, or its time is up. */
const OTHER_CLIENT = `
import socket, sys, time
host, port = sys.argv[1], int(sys.argv[2])
conn = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
conn.connect((host, port))
conn.settimeout(0.3)
deadline = time.time() + 15
while time.time() < deadline:
    conn.send(b"GREETING\\n")
    conn.send(b"LIST\\n")
    try:
        print(conn.recv(2000).decode())
        sys.exit(0)
    except socket.timeout:
        pass
sys.exit("no answer from " + host)
`;

Deno.test("addresses: clients get answers and messages from each address that the server prints", async () => {
  const homes = await openHomes();
  if (typeof homes === "string") return console.log(`Skipped: ${homes}`);
  await using _ = homes;
  const more = ["10.71.0.2", "10.71.0.3"], ipv6 = ["fd71::1", "fd71::2", "fd71::3"];
  for (const address of more) await addAddress(homes, "server", `${address}/24`, "wire");
  for (const address of ipv6) await addAddress(homes, "server", `${address}/64`, "wire");
  await addAddress(homes, "alice_nat", "fd71::11/64", "wan");
  await using server = await startServer(homes, "--host", "::");
  for (const [i, host] of [SERVER_ADDRESS, ...more, ...ipv6].entries()) {
    assertMatch(server.stdout.text(), new RegExp(` ${host} ${PORT}\n`), "the server prints it");
    // IPv4 goes through a NAT, which lets an answer in only from the address that was asked
    const place = host.includes(":") ? "alice_nat" : "alice";
    const at = { host, inside: (command: string[]) => homes.inside(place, command) };
    await using client = await signIn(PORT, `Name${i}`, at);
    await client.endInput();
    assertEquals(await client.exitCode(), 0, client.stderr.text());
  }

  await using second = start(homes.inside("server", [...commandOf("server"), String(PORT)]));
  assertEquals(await second.exitCode(), 1);
  assertMatch(second.stderr.text(), /^Port 9090 is in use, perhaps by another server: /);
});

Deno.test("addresses: a connected socket hears an address that came while the server was running", async () => {
  if (!await hasPython()) return console.log("Skipped: there is no python3");
  const homes = await openHomes();
  if (typeof homes === "string") return console.log(`Skipped: ${homes}`);
  await using _ = homes;
  await using _server = await startServer(homes);
  await addAddress(homes, "server", "10.71.0.2/24", "wire");
  for (const host of ["10.71.0.2", SERVER_ADDRESS]) {
    await run(homes, "alice_nat", "python3", "-c", OTHER_CLIENT, host, String(PORT));
  }
  // without the permission for the C library, the server sends one by one, and does the same
  const flags = ["--no-prompt", "--unstable-net", "--allow-net", "--allow-sys=networkInterfaces"];
  await using plain = start(homes.inside("server", [Deno.execPath(), "run", ...flags, "server.ts", "9091"]));
  await plain.stdout.until(/client.*9091\n/);
  await run(homes, "alice_nat", "python3", "-c", OTHER_CLIENT, "10.71.0.2", "9091");
  await using second = start(homes.inside("server", [...commandOf("server"), "9091"]));
  assertEquals(await second.exitCode(), 1);
});

/** Joins in version 1 and prints the WELCOME. */
const JOINING_CLIENT = `
import re, socket, sys
conn = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
conn.connect((sys.argv[1], int(sys.argv[2])))
conn.settimeout(10)
conn.send(b"GREETING/1 id=101")
cookie = re.search(r"cookie=(\\w+)", conn.recv(2000).decode()).group(1)
conn.send(b"GREETING/1 id=102 token=00000000000000aa cookie=" + cookie.encode())
print(conn.recv(2000).decode())
`;

Deno.test("addresses: who joins by 127.0.0.1 is told of the address that others have asked, not of the first", async () => {
  if (!await hasPython()) return console.log("Skipped: there is no python3");
  const homes = await openHomes();
  if (typeof homes === "string") return console.log(`Skipped: ${homes}`);
  await using _ = homes;
  const more = ["10.71.0.2", "10.71.0.3"];
  for (const address of more) await addAddress(homes, "server", `${address}/24`, "wire");
  await using _server = await startServer(homes);
  const join = () => homes.run("server", ["python3", "-c", JOINING_CLIENT, "127.0.0.1", String(PORT)]);
  assertMatch(await join(), /^WELCOME\/1 (?!.* join=)/);
  for (const [i, host] of more.entries()) {
    const at = { host, inside: (command: string[]) => homes.inside("alice", command) };
    await using _client = await signIn(PORT, `Alice${i}`, at);
    assertMatch(await join(), new RegExp(`^WELCOME/1 .* join=${host}:${PORT}\\n`));
  }
});
