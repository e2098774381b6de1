/** scripts/setup.sh on a machine that has no Deno: it gets one, or says why not. */
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { ROOT } from "../../scripts/programs.ts";
import { start } from "../../scripts/support/processes.ts";

/** The programs that the script needs, besides Deno and the programs that fetch Deno. */
const TOOLS = ["sh", "cat", "chmod", "dirname", "head", "mkdir", "mktemp", "rm", "sed"];

/** A stand-in for Deno that succeeds at all that the script asks for. */
const DENO = `#!/bin/sh\n[ "$1" != --version ] || echo "deno 2.9.9 (stand-in)"\n`;

/** Runs the script on a PATH that has only TOOLS and the given programs, which are shell scripts. */
async function setUp(programs: Record<string, string>): Promise<{ code: number; stdout: string; stderr: string }> {
  const folder = await Deno.makeTempDir({ prefix: "udp-chat-" });
  try {
    for (const name of ["bin", "home", "project/scripts"]) await Deno.mkdir(join(folder, name), { recursive: true });
    for (const file of ["deno.json", "scripts/setup.sh"]) {
      await Deno.copyFile(join(ROOT, file), join(folder, "project", file));
    }
    for (const tool of TOOLS) {
      const found = await new Deno.Command("sh", { args: ["-c", `command -v ${tool}`] }).output();
      await Deno.symlink(new TextDecoder().decode(found.stdout).trim(), join(folder, "bin", tool));
    }
    for (const [name, text] of Object.entries(programs)) {
      await Deno.writeTextFile(join(folder, "bin", name), text, { mode: 0o755 });
    }
    const env = { PATH: join(folder, "bin"), HOME: join(folder, "home"), DENO: "", DENO_INSTALL: "" };
    await using program = start([join(folder, "bin/sh"), join(folder, "project/scripts/setup.sh")], { env });
    const code = await program.exitCode();
    return { code, stdout: program.stdout.text(), stderr: program.stderr.text() };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A stand-in for curl that writes a script to the file after --output. */
function curlFor(script: string): string {
  return `#!/bin/sh
while [ "$1" != --output ]; do shift; done
cat >"$2" <<'SCRIPT'
${script}
SCRIPT
`;
}

/** Defines a test of a shell script; it is skipped on Windows, where the shell has other tools. */
function shellTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: Deno.build.os === "windows", fn });
}

shellTest("set-up: without Deno, npm and curl it fails with one line", async () => {
  const { code, stdout, stderr } = await setUp({});
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^setup: there is no Deno, and neither npm nor curl [^\n]*\n$/);
});

shellTest(
  "set-up: an installer that can't be fetched, fails or installs nothing is an error",
  async () => {
    const cases: [string, RegExp][] = [
      [
        "#!/bin/sh\necho 'curl: (6) Could not resolve host' >&2\nexit 6\n",
        /\nsetup: Deno's installer can't be fetched: /,
      ],
      [curlFor("exit 3"), /^setup: Deno's installer failed: [^\n]*\n$/],
      [curlFor("exit 0"), /^setup: there is no Deno that runs at [^\n]*\n$/],
    ];
    for (const [curl, pattern] of cases) {
      const { code, stderr } = await setUp({ curl });
      assertEquals(code, 1, stderr);
      assertMatch(stderr, pattern);
    }
  },
);

shellTest("set-up: a failure of npm is an error", async () => {
  const { code, stderr } = await setUp({ npm: "#!/bin/sh\nexit 1\n" });
  assertEquals(code, 1);
  assertMatch(stderr, /^setup: 'npm install --global deno' failed: [^\n]*\n$/);
});

shellTest("set-up: the Deno that the installer installed is used, and the needed PATH is printed", async () => {
  const installer = `mkdir -p "$HOME/.deno/bin"
cat >"$HOME/.deno/bin/deno" <<'DENO'
${DENO}DENO
chmod +x "$HOME/.deno/bin/deno"`;
  const { code, stdout, stderr } = await setUp({ curl: curlFor(installer) });
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^setup: deno is not on your PATH yet: export PATH=".*\/\.deno\/bin:\$PATH"$/m);
  assertMatch(stdout, /^setup: deno 2\.9\.9 \(stand-in\)\n(.*\n)*setup: ready\./m);
});

shellTest("set-up: dependencies that can't be fetched are an error", async () => {
  const { code, stderr } = await setUp({
    deno: `${DENO}[ "$1" != cache ] || { echo "error: no network" >&2; exit 1; }\n`,
  });
  assertEquals(code, 1);
  assertMatch(stderr, /^error: no network\nsetup: the dependencies can't be fetched: [^\n]*\n$/);
});
