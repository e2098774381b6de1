/** The lines above the line that is being typed, in a real terminal. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { ROOT } from "../../../scripts/programs.ts";
import { HAS_TMUX, quoted, startTmux, type Terminal, type TerminalOptions, type Tmux } from "../../support/tmux.ts";

const PROGRAM = ["run", "-A", "--no-check", join(ROOT, "tests/support/status_program.ts")];
const COMMAND = [Deno.execPath(), ...PROGRAM].map(quoted).join(" ");

const TENS = [10, 20, 30, 40, 50].map((count) => `line ${count}\n`).join("");

/** A test that needs a terminal. */
function statusTest(name: string, fn: (tmux: Tmux) => Promise<void>): void {
  const reason = HAS_TMUX ? "" : " (skipped: tmux is not installed)";
  Deno.test({
    name: `status: ${name}${reason}`,
    ignore: !HAS_TMUX,
    async fn() {
      await using tmux = await startTmux();
      await fn(tmux);
    },
  });
}

async function open(tmux: Tmux, options?: TerminalOptions): Promise<Terminal> {
  const terminal = await tmux.open(COMMAND, options);
  await terminal.until(/^\+>$/);
  return terminal;
}

async function enter(terminal: Terminal, line: string): Promise<void> {
  await terminal.type(line);
  await terminal.press("Enter");
}

/** Waits until the counter has gone on twice, and returns the rows of the screen. */
async function counted(terminal: Terminal): Promise<string> {
  const rows = { rows: true };
  const at = (text: string) => Number(/^count (\d+)$/m.exec(text)?.[1]);
  const first = at(await terminal.until(/^count \d+$/m, rows));
  await terminal.until(new RegExp(`^count (?!${first}$)\\d+$`, "m"), rows);
  return await terminal.until(new RegExp(`^count (?!${first}$)\\d+$`, "m"), rows);
}

const COUNT = "count \\d+\\n(?:wide)+\\S*…\\n";

statusTest("the line that is being typed stays as it is, also in several rows, and so do messages", async (tmux) => {
  const terminal = await open(tmux, { columns: 40, rows: 20 });
  await enter(terminal, "count");
  await terminal.type("half a line");
  assertMatch(await counted(terminal), new RegExp(`^\\+> count\\n${COUNT}\\+> half a line$`));
  await terminal.press("Home");
  await counted(terminal);
  await terminal.type("say ");
  await terminal.press("Enter");
  // what was typed keeps its place, and the lines are below it
  assertMatch(
    await terminal.until(/^half a line$/m) && await counted(terminal),
    new RegExp(`^\\+> count\\n\\+> say half a line\\nhalf a line\\n${COUNT}\\+>$`),
  );
  const long = Array.from({ length: 12 }, (_, i) => `word${i}`).join(" ");
  await terminal.type(`say ${long}`);
  await terminal.until(/word11$/);
  await terminal.press("Home", "Right", "Right");
  const screen = await counted(terminal);
  assertMatch(screen, new RegExp(`\\nhalf a line\\n${COUNT}\\+> say word0 .*\\n.*word11$`));
  await terminal.press("Enter");
  await terminal.until(new RegExp(`say ${long}\n${long}\n${COUNT}\\+>$`));
  assertEquals((await terminal.screen()).match(/^count \d+$/mg)?.length, 1);
  // the same without change, and gone
  await enter(terminal, "count");
  await terminal.until(/^\+> count\n(?:.*\n){2}\+>$/m, { rows: true });
  await enter(terminal, "status 進捗|two");
  await terminal.until(/^進捗\ntwo\n\+>$/m);
  await enter(terminal, "status");
  await terminal.until(new RegExp(`\n${long}\n\\+> count\n\\+> status 進捗\\|two\n\\+> status\n\\+>$`));
});

statusTest("a list of completions, a cleared screen and a question leave nothing of it behind", async (tmux) => {
  const terminal = await open(tmux, { columns: 60, rows: 20 });
  await enter(terminal, "count");
  await counted(terminal);
  await terminal.type("/fi");
  // the second one lists them
  for (let i = 0; i < 2; i++) await terminal.press("Tab");
  await terminal.until(/\/first/);
  assertMatch(await counted(terminal), new RegExp(`^\\+> count\n\\+> /fi\n[^+]*/five[^+]*\n${COUNT}\\+> /fi$`));
  await terminal.press("C-l");
  await terminal.until(new RegExp(`^${COUNT}\\+> /fi$`), { rows: true });
  await terminal.press("C-u");
  await enter(terminal, "ask");
  await terminal.until(/^Password:$/m);
  await terminal.type("secret");
  assertMatch(await counted(terminal), new RegExp(`^\\+> ask\n${COUNT}Password:$`));
  await terminal.press("Enter");
  await terminal.until(/^The answer has 6 characters$/m);
  assertMatch(
    await counted(terminal),
    new RegExp(`^\\+> ask\nPassword:\nThe answer has 6 characters\n${COUNT}\\+>$`),
  );
});

statusTest("a terminal that becomes narrower or wider has each line once, cut to its width", async (tmux) => {
  const terminal = await open(tmux, { columns: 100, rows: 20 });
  await enter(terminal, `status count 1|${"wide".repeat(50)}`);
  // as many rows as there are, since tmux keeps the bottom of a screen
  for (let i = 1; i <= 12; i++) {
    await enter(terminal, `say line ${i}`);
    await terminal.until(new RegExp(`^line ${i}\ncount 1`, "m"));
  }
  await terminal.type("half a line");
  await terminal.until(/half a line$/);
  for (const columns of [41, 20, 90, 30, 100]) {
    await terminal.resize(columns);
    const rows = `say line 12\nline 12\ncount 1\n[wide]{${columns - 3}}…\n\\+> half a line$`;
    await terminal.until(new RegExp(rows), { rows: true });
  }
});

statusTest("a low terminal keeps its room for what is typed and said", async (tmux) => {
  const terminal = await open(tmux, { columns: 40, rows: 4 });
  await enter(terminal, "status one|two|three");
  await terminal.until(/\none\n\+>$/);
  await enter(terminal, "say hello");
  await terminal.until(/\nhello\none\n\+>$/);
});

statusTest("after Ctrl-Z it is drawn again below, and a terminal that was stopped shows the latest", async (tmux) => {
  const terminal = await tmux.open("PS1='shell> ' sh -i", { columns: 60, rows: 30 });
  await terminal.until(/^shell>/m);
  await enter(terminal, `clear; ${COMMAND}`);
  await terminal.until(/^\+>$/m);
  await enter(terminal, "count");
  await terminal.type("half a line");
  await counted(terminal);
  await terminal.press("C-z");
  await terminal.until(/^shell>$/m);
  await enter(terminal, "fg");
  await terminal.until(new RegExp(`shell> fg\n[^+]*${COUNT}\\+> half a line$`), { rows: true });
  await counted(terminal);

  await tmux.stop();
  // it has counted on by then
  await new Promise((resume) => setTimeout(resume, 100));
  tmux.goOn();
  const screen = await counted(terminal);
  assertMatch(screen, new RegExp(`shell> fg\n[^+]*${COUNT}\\+> half a line$`));
  await terminal.press("C-d", "C-u", "C-d");
  await terminal.until(/\+>\nshell>$/);
  const left = (await terminal.screen()).split("shell> fg")[1];
  assert(!/^count \d/m.test(left), left);
});

statusTest("in a script it is below what is printed, and gone at the end", async (tmux) => {
  const folder = await Deno.makeTempDir({ prefix: "udp-chat-" }), go = join(folder, "go");
  try {
    const terminal = await tmux.open(`${COMMAND} script ${quoted(go)}; echo over; cat`, { columns: 40, rows: 20 });
    await terminal.until(/^line 10\nline 20\ncount 2\d\n(?:wide)+.*…$/, { rows: true });
    await Deno.writeTextFile(go, "");
    await terminal.until(/over$/);
    assertEquals(await terminal.screen(), `${TENS}over`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("status: in a script without a terminal there is none", async () => {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: [...PROGRAM, "script"] }).output();
  const [out, aside] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assertEquals([out, aside], ["for the script\n", TENS]);
});
