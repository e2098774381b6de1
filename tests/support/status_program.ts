/**
 * A program with nothing but a terminal. What is typed into it says what it shows:
 *
 * - `status A|B` shows the lines A and B above the prompt, `status` none
 * - `count` counts there, and `count` again stops that
 * - `say TEXT` prints a line, `ask` asks for something that is not shown
 *
 * With the argument `script` it reads nothing: it counts to 50, and prints each tenth number as a line. With a path behind
 * it, it stays at 25 until there is a file.
 *
 * @module
 */
import { openScript } from "../../client/terminal/script_screen.ts";
import { openTerminal } from "../../client/terminal/terminal_screen.ts";

async function chat(): Promise<void> {
  const screen = openTerminal({
    now: 0,
    signal: () => stop(),
    notice: (text) => screen.print(`-- ${text}`),
    answered(text) {
      screen.print(`The answer has ${text.length} characters`);
      screen.prompt();
    },
    complete: (line) => [["/first", "/final", "/five"].filter((word) => word.startsWith(line)), line],
  });
  let timer: ReturnType<typeof setInterval> | undefined, count = 0;

  function stop(): void {
    clearInterval(timer);
    screen.close();
  }

  screen.prompt();
  for await (const line of screen.lines) {
    const [, word, rest] = /^(\S*) ?(.*)$/.exec(line)!;
    if (word === "status") screen.status(rest === "" ? [] : rest.split("|"));
    if (word === "say") screen.print(rest);
    if (word === "count" && timer === undefined) {
      timer = setInterval(() => screen.status([`count ${++count}`, `${"wide".repeat(50)} ${count}`]), 30);
    } else if (word === "count") {
      clearInterval(timer);
      timer = undefined;
    }
    screen.prompt(word === "ask" ? { question: "Password: ", endAnswers: false } : "line");
  }
  stop();
}

function isThere(path: string | undefined): boolean {
  try {
    return path === undefined || Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

async function script(): Promise<void> {
  const screen = openScript({ now: 0, signal() {} });
  screen.print("for the script");
  for (let count = 1; count <= 50; count++) {
    screen.status([`count ${count}`, `${"wide".repeat(50)} ${count}`]);
    if (count % 10 === 0) screen.printAside(`line ${count}`);
    do await new Promise((resume) => setTimeout(resume, 10)); while (count === 25 && !isThere(Deno.args[1]));
  }
  await screen.close();
}

await (Deno.args[0] === "script" ? script() : chat());
