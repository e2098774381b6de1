/**
 * Chooses the screen: a terminal, or a pipe.
 *
 * @module
 */
import { openPipe } from "./pipe_screen.ts";
import type { Screen, ScreenOptions } from "./screen.ts";
import { openTerminal } from "./terminal_screen.ts";

/** Opens a terminal when standard input and standard output are both one, otherwise a pipe; and welcomes the user. */
export function openScreen(options: ScreenOptions): Screen {
  const isTerminal = Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  const screen = isTerminal ? openTerminal(options) : openPipe(options);
  screen.print("Welcome to the chat room!\nType your message and press Enter to send it");
  return screen;
}
