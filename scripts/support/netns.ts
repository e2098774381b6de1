/**
 * Networks of this machine's own for whole programs: network namespaces (Linux, root only).
 *
 * @module
 */

/** Network namespaces, one for each place. Disposing of this object deletes them. */
export interface Namespaces<Place extends string> extends AsyncDisposable {
  /** What the system calls the namespace of a place. */
  name(place: Place): string;
  /** The words that run a command in a place. */
  inside(place: Place, command: string[]): string[];
  /**
   * Runs a command in a place to its end, and returns what it prints.
   *
   * @throws {Error} with what it says, when it fails.
   */
  run(place: Place, command: string[], input?: string): Promise<string>;
}

const PREFIX = "udp-chat";

/**
 * Makes namespaces, or returns the reason why this system can't have them.
 *
 * @param setup The shell commands that make the links between them; each place has its `lo` already.
 * @param tools What the commands need beside `ip`.
 */
export async function openNamespaces<Place extends string>(
  places: readonly Place[],
  setup: (name: (place: Place) => string) => string[],
  tools: string[],
): Promise<Namespaces<Place> | string> {
  if (Deno.build.os !== "linux") return "network namespaces are a thing of Linux";
  if (Deno.uid() !== 0) return "network namespaces take root";
  for (const tool of ["ip", ...tools]) {
    if (!await succeeds(tool, "-V")) return `there is no '${tool}' on this machine`;
  }
  await removeStale();
  // several of one process may be open at the same time
  const id = crypto.randomUUID().slice(0, 8);
  const name = (place: Place) => `${PREFIX}-${Deno.pid}-${id}-${place}`;
  const close = async () => {
    // the system takes its time for each
    await Promise.all(places.map((place) => succeeds("ip", "netns", "delete", name(place))));
  };
  try {
    const empty = places.flatMap((it) => [`ip netns add ${name(it)}`, `ip -n ${name(it)} link set lo up`]);
    await run(["sh", "-e"], [...empty, ...setup(name)].join("\n"));
  } catch (error) {
    await close();
    return `this system does not let them be made: ${(error as Error).message}`;
  }
  const inside = (place: Place, command: string[]) => ["ip", "netns", "exec", name(place), ...command];
  return {
    name,
    inside,
    run: (place, command, input) => run(inside(place, command), input),
    [Symbol.asyncDispose]: close,
  };
}

/** Removes the namespaces of earlier programs that were killed. */
async function removeStale(): Promise<void> {
  const listing = await run(["ip", "netns", "list"]);
  for (const [name, pid] of listing.matchAll(new RegExp(`^${PREFIX}-(\\d+)-[\\w-]+`, "mg"))) {
    const isAlive = await Deno.stat(`/proc/${pid}`).then(() => true, () => false);
    if (!isAlive) await succeeds("ip", "netns", "delete", name);
  }
}

async function run([program, ...args]: string[], input = ""): Promise<string> {
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  // a program that ends before it has read everything says why on stderr
  await writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
  const { success, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr).trim().split("\n")[0] || `${program} has failed`);
  return decoder.decode(stdout);
}

async function succeeds(program: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}
