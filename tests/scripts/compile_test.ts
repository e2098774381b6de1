/** Executables: what is built, and what is said where it can't be. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { causesIn } from "../../scripts/programs.ts";
import { start } from "../../scripts/support/processes.ts";

const EXE = Deno.build.os === "windows" ? ".exe" : "";
/** Longer than it takes to write two executables, in milliseconds. */
const BUILD_MS = 120_000;

/** How compile.ts ended. */
interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs compile.ts to its end. */
async function compile(args: string[], env: Record<string, string> = {}, wrap: string[] = []): Promise<Ended> {
  await using program = start([...wrap, Deno.execPath(), "run", "-A", "scripts/compile.ts", ...args], { env });
  const code = await program.exitCode(BUILD_MS);
  return { code, stdout: program.stdout.text(), stderr: program.stderr.text() };
}

/** Checks that it failed with one line. */
function assertFails({ code, stderr }: Ended, expected: number, pattern: RegExp): void {
  assertMatch(stderr, /^[^\n]+\n$/);
  assertMatch(stderr, pattern);
  assertEquals(code, expected);
}

/** A folder, gone at the end of the test. */
async function openFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "udp-chat-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Any executable of this system can stand in for the runtime as long as what is built is not run. */
const RUNTIME = { DENORT_BIN: Deno.execPath() };

/** The names in a folder, sorted. */
function namesIn(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
}

Deno.test("compile: what is asked wrongly is one line, and exit code 2", async () => {
  assertFails(await compile(["--target", "pdp-11"]), 2, /^There is no target 'pdp-11': x86_64-unknown-linux-gnu, /);
  assertFails(await compile(["--all", "--target", "x86_64-apple-darwin"]), 2, /exclude each other/);
  assertFails(await compile(["--all"], RUNTIME), 2, /^DENORT_BIN is the runtime of one target: /);
  assertFails(await compile(["--targets"]), 2, /^There is no flag --targets/);
  assertFails(await compile(["udp"]), 2, /^'udp' is one argument too many/);
});

Deno.test("compile: --help lists the targets", async () => {
  const { code, stdout, stderr } = await compile(["--help"]);
  assertEquals([code, stderr], [0, ""]);
  assertStringIncludes(stdout, "\n                   aarch64-unknown-linux-gnu\n");
});

Deno.test("compile: without a runtime there is one line that says why, and nothing is left behind", async () => {
  await using folder = await openFolder();
  const missing = `${folder.path}/denort`, output = `${folder.path}/out`;
  const ended = await compile(["--output", output], { DENORT_BIN: missing });
  assertFails(ended, 1, /udp-chat-server(\.exe)? was not built: Could not find denort at '.*denort': /);
  assertEquals(namesIn(output), []);
});

Deno.test("compile: without a network the line says so, and what helps", async () => {
  await using folder = await openFolder();
  // all that this Deno has in its cache, except for runtimes that it may have fetched before
  const cache = `${folder.path}/cache`, output = `${folder.path}/out`;
  await Deno.mkdir(cache);
  const info = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { denoDir } = JSON.parse(new TextDecoder().decode(info.stdout));
  for (const { name, isDirectory } of Deno.readDirSync(denoDir)) {
    if (isDirectory && name !== "dl") await Deno.symlink(`${denoDir}/${name}`, `${cache}/${name}`, { type: "dir" });
  }
  // nobody listens on port 1
  const proxy = "http://127.0.0.1:1";
  const env = { DENO_DIR: cache, HTTPS_PROXY: proxy, https_proxy: proxy, NO_PROXY: "", no_proxy: "" };
  const wrap = Deno.build.os === "windows" ? [] : ["env", "-u", "DENORT_BIN"];
  const ended = await compile(["--output", output], env, wrap);
  assertFails(ended, 1, /was not built: Deno's runtime for it can't be fetched\. Is there a network\? .*DENORT_BIN/);
  assertEquals(namesIn(output), []);
});

Deno.test("compile: both programs, a line for each with its size, and checksums that hold", async () => {
  await using folder = await openFolder();
  // what an interrupted build has left is no program
  await Deno.writeTextFile(`${folder.path}/udp-chat-server.tmp-0`, "");
  const { code, stdout, stderr } = await compile(["--output", folder.path], RUNTIME);
  assertEquals([code, stderr], [0, ""]);
  const names = [`udp-chat-client${EXE}`, `udp-chat-server${EXE}`];
  for (const name of names) {
    assert(stdout.includes(`Building ${folder.path}/${name}\n${folder.path}/${name}: `), stdout);
    assertMatch(stdout, new RegExp(`${name.replace(".", "\\.")}: \\d+(\\.\\d+)? MB in \\d+\\.\\d s\n`));
    const { mode, size } = await Deno.stat(`${folder.path}/${name}`);
    assert(size > 1e6 && (mode === null || (mode & 0o111) !== 0), "an executable");
  }

  const sums = await Deno.readTextFile(`${folder.path}/SHA256SUMS`);
  assertEquals(sums.match(/(?<=^[0-9a-f]{64} {2}).+$/mg), names);
  if (Deno.build.os === "windows") return console.log("Skipped in part: there is no sha256sum on Windows");
  const check = Deno.build.os === "darwin" ? "shasum -a 256" : "sha256sum";
  await using sum = start(["sh", "-c", `cd ${folder.path} && ${check} --check SHA256SUMS`]);
  assertEquals(await sum.exitCode(), 0, sum.stderr.text());
  assertEquals(sum.stdout.text(), names.map((name) => `${name}: OK\n`).join(""));
});

Deno.test("compile: a full disk is one line, and nothing is left on it", async () => {
  if (Deno.build.os !== "linux") return console.log("Skipped: a disk of any size can be had on Linux only");
  if (Deno.uid() !== 0) return console.log("Skipped: to mount a small disk takes root");
  await using folder = await openFolder();
  // the mount is seen by these processes alone, and gone with them
  const script =
    `mount -t tmpfs -o size=20m none ${folder.path} || exit 77; "$@"; code=$?; ls ${folder.path}; exit $code`;
  const ended = await compile(["--output", folder.path], RUNTIME, ["unshare", "-m", "sh", "-c", script, "sh"]);
  if (ended.code === 77) return console.log(`Skipped: this system does not let a disk be mounted: ${ended.stderr}`);
  assertFails(ended, 1, /udp-chat-server was not built: the disk is full: make room, or name another folder/);
  assertEquals(ended.stdout, `Building ${folder.path}/udp-chat-server\n`);
});

Deno.test("compile: of a failed Deno's report the error and its causes are kept", () => {
  const report = `Check file:///server.ts
Download https://example.com/denort.zip
error: Writing deno compile executable to temporary file 'dist/udp-chat-server.tmp-17d9269e97275'

Caused by:
    0: Setting up base binary.
    1: The quota is used up
    2: os error 122

Stack backtrace:
   0: <unknown>
             at ./csu/../csu/libc-start.c:360:3
`;
  assertEquals(causesIn(report), ["The quota is used up", "os error 122"]);
  const mistake = "TS2322 [ERROR]: Type 'string' is not assignable to type 'number'.\nconst a: number = 'b';\n" +
    "    at file:///server.ts:1:7\n\nerror: Type checking failed.\n";
  assertEquals(causesIn(mistake)[0], "TS2322 [ERROR]: Type 'string' is not assignable to type 'number'.");
  assertEquals(causesIn("Something else\n"), ["Something else"]);
  assertEquals(causesIn(""), []);
});
