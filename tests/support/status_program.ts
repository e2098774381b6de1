/**
 * A program with nothing but a terminal. What is typed into it says what it shows:
 *
 * - `status A|B` shows the lines A and B above the prompt, `status` none
 * - `count` counts there, and `count` again stops that
 * - `say TEXT` prints a line, `ask` asks for something that is not shown
 *
 * @module
 */
import { openTerminal } from "../../client/terminal/terminal_screen.ts";

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
    timer = setInterval(() => screen.status([`count ${++count}`, `${"wide".repeat(50)} ${count}`]), 10);
  } else if (word === "count") {
    clearInterval(timer);
    timer = undefined;
  }
  screen.prompt(word === "ask" ? { question: "Password: ", endAnswers: false } : "line");
}
stop();
