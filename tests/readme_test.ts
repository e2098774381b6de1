/** README.md and PROTOCOL.md against the programs: their commands run, their flags, files and links exist. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { dirname, join } from "node:path";
import { COMMANDS } from "../client/terminal/commands.ts";
import config from "../deno.json" with { type: "json" };
import { PROGRAMS, ROOT } from "../scripts/programs.ts";
import { messagesOf, type Process, type Server, start, startServer } from "../scripts/support/processes.ts";
import { execute } from "../server/console.ts";
import { NetworkEmulator } from "../server/doors/network_emulator.ts";
import { MemoryAccounts } from "../server/room/accounts.ts";
import { FakeRoom } from "./support/fake_room.ts";
import { modulesIn } from "./support/import_graph.ts";

const read = (file: string) => Deno.readTextFileSync(join(ROOT, file)).replaceAll("\r\n", "\n");
const readme = read("README.md");
const contributing = read("CONTRIBUTING.md");
const DOCUMENTS = {
  "README.md": readme,
  "PROTOCOL.md": read("PROTOCOL.md"),
  "SECURITY.md": read("SECURITY.md"),
  "CONTRIBUTING.md": contributing,
};

/** What follows a heading, to the next one of the same or a higher level. */
function section(markdown: string, heading: string): string {
  const start = markdown.indexOf(`\n${heading}\n`);
  assert(start >= 0, `There is no section '${heading}'`);
  const [level] = heading.split(" ");
  const rest = markdown.slice(start + heading.length + 2);
  const end = rest.search(new RegExp(`^#{1,${level.length}} `, "m"));
  return end < 0 ? rest : rest.slice(0, end);
}

/** The first cells of a section's table, without its heading. */
function firstCells(text: string): string[] {
  return Array.from(text.matchAll(/^\| (`.*?`) +\|(?! -)/gm), ([, cell]) => cell.replaceAll("\\|", "|"));
}

/** A text without its fenced blocks. */
function proseOf(markdown: string): string {
  return markdown.replaceAll(/^```[^]*?^```$/gm, "");
}

/** What stands between backticks. */
function quotedIn(text: string): string[] {
  return Array.from(text.matchAll(/`([^`]+)`/g), ([, code]) => code);
}

/** Every flag of a text, sorted, each once. */
function flagsIn(text: string): string[] {
  return [...new Set(Array.from(text.matchAll(/(?<![\w-])--?[a-z][a-z-]*\b/g), ([flag]) => flag))].sort();
}

/** What a program prints for `--help`. */
async function helpOf(...command: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [...command, "--help"],
    cwd: ROOT,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
  }).output();
  return new TextDecoder().decode(stdout);
}

/** The commands of all fenced `sh` blocks, and those typed at a `$` in the transcripts: each once. */
function shellCommands(): string[] {
  const commands: string[] = [];
  for (const markdown of Object.values(DOCUMENTS)) {
    for (const [, language, text] of markdown.matchAll(/^```(\S*)\n([^]*?)\n```$/gm)) {
      const lines = text.split("\n");
      if (language === "sh") commands.push(...lines.flatMap((line) => line.split(" && ")));
      if (language === "console") {
        commands.push(...lines.filter((line) => /^\$ /.test(line)).map((line) => line.slice(2)));
      }
    }
  }
  return [...new Set(commands)];
}

/** Commands that can't be run here: each with a file that runs the same, and the evidence in that file. */
const ELSEWHERE: [command: RegExp, file: string, evidence: RegExp][] = [
  [/^sh scripts\/setup\.sh$/, ".ci/run", /^sh scripts\/setup\.sh$/m],
  [/^deno task test$/, ".ci/run", /^sh scripts\/setup\.sh && deno task test$/m],
  [/^deno run -A scripts\/lossy_demo\.ts$/, "tests/programs/loss_test.ts", /\bdemonstrate\(/],
  [/^deno task bundle$/, "tests/scripts/bundle_test.ts", /scripts\/bundle\.ts/],
  [/^deno task compile$/, "tests/scripts/compile_test.ts", /scripts\/compile\.ts/],
  [/^deno run -A --unstable-net udp-chat-server\.js 9090$/, "tests/scripts/bundle_test.ts", /--unstable-net/],
  [/^\.\/udp-chat-(server|client)-\S+ (127\.0\.0\.1 )?9090$/, ".ci/run", /^ *deno task test-binaries$/m],
];

Deno.test("README: each command is run here or by another test", async () => {
  await using server = await startServer();
  const folder = await Deno.makeTempDir({ prefix: "udp-chat-" });
  try {
    for (const command of shellCommands()) {
      const elsewhere = ELSEWHERE.find(([pattern]) => pattern.test(command));
      if (elsewhere) {
        const [, file, evidence] = elsewhere;
        assert(evidence.test(read(file)), `'${command}' is not run by ${file}`);
      } else if (/\bserver\.ts\b/.test(command)) {
        await runServer(command, folder, server);
      } else if (/\bclient\.ts\b/.test(command)) {
        await runClient(command, server.port);
      } else if (command.startsWith("nc ")) {
        await runNetcat(command, server);
      } else {
        await runInFolder(command, folder);
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("README: each command that another test runs is in the text", () => {
  const commands = shellCommands();
  for (const [pattern] of ELSEWHERE) assert(commands.some((command) => pattern.test(command)), String(pattern));
});

/** Starts a command of the shell; `deno` in it is the one that runs this test. */
function shell(command: string): Process {
  const separator = Deno.build.os === "windows" ? ";" : ":";
  const PATH = `${dirname(Deno.execPath())}${separator}${Deno.env.get("PATH")}`;
  return start(["sh", "-c", command], { env: { PATH } });
}

/** Runs a server with the flags and permissions of the text, on a free port. */
async function runServer(command: string, folder: string, reference: Server): Promise<void> {
  assertMatch(command, / 9090$/);
  const words = command.replace(/ 9090$/, " 0").replaceAll(/(--allow-(?:read|write))=\./g, `$1=${folder}`)
    .replace("--state room.db", `--state ${join(folder, "room.db")}`).split(" ");
  assertEquals(words.shift(), "deno");
  await using program = start([Deno.execPath(), ...words]);
  // without the permission for them, it prints other addresses than one that has every permission
  const announced = /^To join from this (?:network|machine), type:\n(?: {2}.* \d+\n)+/m;
  const [lines] = announced.exec(reference.stdout.text())!;
  const [, port] = await program.stdout.until(/^Listening on 0\.0\.0\.0:(\d+)\n/m);
  await program.stdout.until(lines.replaceAll(` ${reference.port}\n`, ` ${port}\n`));
  assertEquals(program.stderr.text(), "");
}

/** Runs a client, which says what the command pipes into it, or `hello`. */
async function runClient(command: string, port: number): Promise<void> {
  const here = command.replace(/\b(127\.0\.0\.1|192\.168\.1\.10) 9090\b/, `127.0.0.1 ${port}`);
  assert(here !== command, command);
  const isPiped = here.includes(" | ");
  await using program = shell(isPiped ? here : `echo hello | ${here}`);
  assertEquals(await program.exitCode(), 0, command);
  const said = messagesOf(program).map((line) => line.replace(/^<From [^>]*>: /, ""));
  const expected = !isPiped
    ? ["hello"]
    : here.startsWith("seq ")
    ? Array.from({ length: 20 }, (_, i) => String(i + 1))
    : [/^echo "([^"]*)"/.exec(here)![1]];
  assertEquals(said, expected, command);
}

/** Runs netcat in the room; is skipped on a machine without netcat. */
async function runNetcat(command: string, server: Server): Promise<void> {
  const [, flag] = /^nc (-u )?(?:127\.0\.0\.1|192\.168\.1\.10) 9090$/.exec(command) ?? [];
  assert(flag !== undefined || !command.includes(" -"), command);
  let program: Process;
  try {
    program = start(["nc", ...(flag ? ["-u"] : []), "127.0.0.1", String(server.port)]);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return console.log(`Skipped: ${command}: nc is not installed`);
    throw error;
  }
  await using netcat = program;
  const before = server.arrivals().length;
  if (!flag) {
    await netcat.type("/help\n");
    return void await netcat.stdout.until("/quit");
  }
  await netcat.type("GREETING\n");
  // what is typed faster than netcat reads is one datagram
  await server.arrival(before + 1);
  await netcat.type("MESSAGE hello\n");
  await netcat.stdout.until(/^INCOMING <From 127\.0\.0\.1:\d+>: hello\n/);
}

/** Runs a command for downloaded files, on stand-ins for them. */
async function runInFolder(command: string, folder: string): Promise<void> {
  const [tool] = command.split(" ");
  assert(["sha256sum", "shasum", "chmod", "xattr", "deno"].includes(tool), `Nothing runs '${command}'`);
  const isInstall = command.startsWith("deno install ");
  assert(tool !== "deno" || isInstall, `Nothing runs '${command}'`);
  let sums = "";
  for (const name of [...binaryNames(), "udp-chat-client.js", "not-downloaded"]) {
    const bytes = new TextEncoder().encode(`console.log("${name}");\n`);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    sums += `${Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")}  ${name}\n`;
    if (name !== "not-downloaded") await Deno.writeFile(join(folder, name), bytes);
  }
  await Deno.writeTextFile(join(folder, "SHA256SUMS"), sums);
  // `xattr` on other systems is another program
  const isForeign = tool === "xattr" && Deno.build.os !== "darwin";
  if (isForeign || !await isInstalled(tool)) return console.log(`Skipped: ${command}: ${tool} is not installed`);
  if (tool === "xattr") {
    // the mark that a browser leaves
    await using marking = shell(`cd '${folder}' && ${command.replace("-d", "-w").replace(" udp-", " 0081 udp-")}`);
    assertEquals(await marking.exitCode(), 0, marking.stderr.text());
  }
  const here = isInstall ? command.replace("--global", `--global --root '${folder}'`) : command;
  await using program = shell(`cd '${folder}' && ${here}`);
  assertEquals(await program.exitCode(), 0, `${command}: ${program.stderr.text()}`);
}

async function isInstalled(tool: string): Promise<boolean> {
  await using program = shell(`command -v ${tool}`);
  return await program.exitCode() === 0;
}

/** The executables that the text names. */
function binaryNames(): string[] {
  return [...new Set(readme.match(/udp-chat-(?:server|client)-\w+-[\w-]+(?:\.exe)?/g))];
}

Deno.test("README: the binaries are those that are built, each of the targets is named", async () => {
  const targets = (await helpOf("run", "-A", "scripts/compile.ts")).match(/\b\w+-(unknown|pc|apple)-[\w-]+/g)!;
  const named = quotedIn(proseOf(readme)).filter((code) => /^\w+-(unknown|pc|apple)-[\w-]+$/.test(code));
  assertEquals(named.sort(), [...targets].sort());
  const built = PROGRAMS.flatMap(({ name }) =>
    targets.map((target) => `${name}-${target}${target.includes("windows") ? ".exe" : ""}`)
  );
  for (const name of binaryNames()) assert(built.includes(name), name);
});

for (const program of ["client", "server"] as const) {
  Deno.test(`README: the flags of the ${program} are those of its --help`, async () => {
    const help = await helpOf("run", "-A", `${program}.ts`);
    const cells = firstCells(section(readme, `## The ${program}`)).filter((cell) => !cell.startsWith("`/"));
    assertEquals(flagsIn(cells.join("\n")), flagsIn(help.replace(/^.*deno run.*$/gm, "")));
    // as --help writes them, with the same example or the same word for the value
    const text = help.replaceAll(/\s+/g, " ");
    for (const flag of cells.flatMap(quotedIn)) assert(text.includes(flag), `--help has no ${flag}`);
  });
}

Deno.test("README: each flag anywhere in the text is one of a program that the text is about", async () => {
  const known = new Set([
    ...flagsIn(await helpOf("run", "-A", "client.ts")),
    ...flagsIn(await helpOf("run", "-A", "server.ts")),
    ...flagsIn(await helpOf("run", "-A", "scripts/lossy_demo.ts")),
    ...flagsIn(await helpOf("run")),
    ...flagsIn(await helpOf("install")),
    // Deno's own, which its help shows in another form; gh, sha256sum, shasum, nc, tail, xattr and PowerShell
    ...["--allow-ffi", "--allow-net", "--allow-read", "--allow-sys", "--allow-write", "--unstable-net"],
    ...["--repo", "--check", "--ignore-missing", "-a", "-u", "-f", "-d"],
  ]);
  const code = [...readme.matchAll(/^```sh\n([^]*?)\n```$/gm)].map(([, text]) => text).concat(
    quotedIn(proseOf(readme)),
  );
  for (const flag of flagsIn(code.join("\n"))) assert(known.has(flag), `Nothing here has the flag ${flag}`);
});

Deno.test("README: the commands of the client are those of the client's table", () => {
  const rows = section(readme, "## The client").matchAll(/^\| (`\/.*?) +\| (.*?) +\|$/gm);
  const listed = Array.from(rows, ([, names, summary]) => [quotedIn(names.replaceAll("\\|", "|")).join(" "), summary]);
  const table = COMMANDS.map(({ names: [name, ...others], parameters, optional, summary }) => {
    const first = [`/${name}`, ...parameters, ...(optional ? [`[${optional}]`] : [])];
    return [[...first, ...others.map((other) => `/${other}`)].join(" "), summary];
  });
  assertEquals(listed, table);
});

Deno.test("README: what can be typed into the server is what its help lists", () => {
  const nothing = () => "";
  const console = {
    emulator: new NetworkEmulator(),
    trace: { isOn: false },
    arrived: () => 0,
    summary: nothing,
    list: nothing,
    room: { isOrder: () => false, orderHelp: [] },
    order: () => ({ text: "" }),
    stop: nothing,
  };
  const typed = /these can be typed into its terminal: ([^]*?)\. Ctrl-C/.exec(readme)![1];
  const help = execute("help", console).split("\n").map((line) => line.split(/ {2,}/)[0]);
  assertEquals(quotedIn(typed).filter((text) => text !== "trace off"), [...help, "help"]);
  for (const line of help) assert(!execute(line, console).startsWith("There is no command"), line);
});

Deno.test("README: what keeps order is what the help of the server lists", () => {
  const { orderHelp } = new FakeRoom({ accounts: new MemoryAccounts() }).room;
  const listed = orderHelp.filter((line) => !line.startsWith("account ")).map((line) => line.split(/ {2,}/));
  const rows = section(readme, "## Keeping order").matchAll(/^\| `(.*?)` +\| (.*?) +\|$/gm);
  assertEquals(Array.from(rows, ([, typed, summary]) => [typed.replaceAll("\\|", "|"), summary]), listed);
});

Deno.test("README: each task that is named exists", () => {
  const named = Array.from(readme.matchAll(/\bdeno task ([\w-]+)/g), ([, name]) => name);
  for (const name of named) assert(Object.hasOwn(config.tasks, name), name);
});

/** The anchor that GitHub gives to a heading. */
function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-");
}

for (const [file, markdown] of Object.entries(DOCUMENTS)) {
  Deno.test(`${file}: every linked file and heading exists`, () => {
    const prose = proseOf(markdown).replaceAll(/`[^`\n]*`/g, "");
    for (const [, target] of prose.matchAll(/\]\(([^)]+)\)/g)) {
      // web pages, and GitHub's own pages beside the files
      if (/^https:|^\.\.\/\.\.\//.test(target)) continue;
      const [path, fragment] = target.split("#");
      const text = path === "" ? markdown : read(path);
      const headings = Array.from(text.matchAll(/^#+ (.*)$/gm), ([, heading]) => anchor(heading));
      if (fragment !== undefined) assert(headings.includes(fragment), `${file} links to ${target}`);
    }
  });
}

Deno.test("README: each file and folder of the project that is named exists", () => {
  const layout = firstCells(section(readme, "## How the code is laid out")).flatMap(quotedIn);
  const named = readme.match(/\b(?:scripts|tests|docs)\/[\w/.]*\w/g)!;
  for (const name of [...layout, ...named]) assert(Deno.statSync(join(ROOT, name)), name);
});

Deno.test("CONTRIBUTING.md: each file, folder and task that is named exists", () => {
  const quoted = quotedIn(proseOf(contributing)).join("\n") + contributing.match(/^```[^]*?^```$/gm)!.join("\n");
  const named = quoted.match(/\b(?:scripts|tests|server|client|protocol|runtime)(?:\.ts\b|\/[\w/.]*)/g)!;
  assert(named.length > 30, named.join(" "));
  for (const name of named) assert(Deno.statSync(join(ROOT, name)), name);
  for (const [, name] of contributing.matchAll(/\bdeno task ([\w-]+)/g)) {
    assert(Object.hasOwn(config.tasks, name), name);
  }
});

Deno.test("CONTRIBUTING.md: each file of client/ and runtime/ is named", () => {
  const named = quotedIn(section(contributing, "## Where to look"));
  const isNamed = (file: string) => named.some((name) => file === name || file.endsWith(`/${name}`));
  const files = ["client/", "runtime/"].flatMap((folder) => modulesIn(ROOT, folder));
  assert(files.length > 80);
  assertEquals(files.filter((file) => !isNamed(file)), []);
});
