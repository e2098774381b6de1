/** What can be typed into the server's terminal. */
import { assertEquals, assertMatch } from "@std/assert";
import { execute } from "../../server/console.ts";
import { type NetworkConditions, NetworkEmulator, PERFECT } from "../../server/doors/network_emulator.ts";

const SUMMARY = "3 members joined, 2 here";
const NAMES = "Signed In Users: Alice (and 1 unnamed)";

/** A console, a way to type into it, and how often it has stopped the server. */
function openConsole(): {
  emulator: NetworkEmulator;
  trace: { isOn: boolean };
  stops(): number;
  type(line: string): string;
} {
  const emulator = new NetworkEmulator(1);
  const trace = { isOn: false };
  let stops = 0;
  const options = {
    emulator,
    trace,
    arrived: () => 47,
    summary: () => SUMMARY,
    list: () => NAMES,
    room: { isOrder: (line: string) => line.startsWith("say "), orderHelp: ["say TEXT  says it to everybody"] },
    order: (line: string) => ({ text: `done: ${line}` }),
    stop: () => void stops++,
  };
  return { emulator, trace, stops: () => stops, type: (line) => execute(line, options) };
}

Deno.test("console: each setting can be changed, and the answer shows the whole emulator", () => {
  const { emulator, type } = openConsole();
  assertEquals(type("drop 20%"), "The network is now: drop 20%, duplicate 0%, corrupt 0%, delay 0..0 ms, each way");
  type("duplicate 5%");
  type("delay 20..200");
  assertEquals(
    type("corrupt 1%"),
    "The network is now: drop 20%, duplicate 5%, corrupt 1%, delay 20..200 ms, each way",
  );
  const all: NetworkConditions = { drop: 0.2, duplicate: 0.05, corrupt: 0.01, delay: [20, 200] };
  assertEquals(emulator.conditions, all);
  assertEquals(type("drop 0"), "The network is now: drop 0%, duplicate 5%, corrupt 1%, delay 20..200 ms, each way");
  assertEquals(type("perfect"), "The network is now: drop 0%, duplicate 0%, corrupt 0%, delay 0..0 ms, each way");
  assertEquals(emulator.conditions, PERFECT);
});

Deno.test("console: extra spaces, capitals and an equals sign are accepted", () => {
  for (const line of ["  drop   20%  ", "DROP 20%", "drop=20%", "drop = 20 %", "Drop\t20%", "/drop 20%"]) {
    const { emulator, type } = openConsole();
    type(line);
    assertEquals(emulator.conditions, { ...PERFECT, drop: 0.2 }, JSON.stringify(line));
  }
  const { emulator, type } = openConsole();
  type("delay 20..200 ms");
  assertEquals(emulator.conditions.delay, [20, 200]);
});

Deno.test("console: status, or an empty line, shows the emulator and what the room has seen", () => {
  const { type } = openConsole();
  type("drop 20%");
  for (const line of ["status", "STATUS", "", "   "]) {
    assertMatch(type(line), /^drop 20%, duplicate 0%, corrupt 0%, delay 0\.\.0 ms, each way.*\n/);
    assertMatch(type(line), /\nso far: arrived 47, dropped 0, doubled 0, damaged 0, passed 0\n/);
    assertMatch(type(line), new RegExp(`\n${SUMMARY}$`));
  }
});

Deno.test("console: help names every command", () => {
  const { type } = openConsole();
  for (const command of ["drop", "duplicate", "delay", "corrupt", "perfect", "status", "list", "trace", "quit"]) {
    assertMatch(type("help"), new RegExp(`^${command}\\b`, "m"));
  }
});

Deno.test("console: help comes in every form that people type, and says how the server is stopped", () => {
  const { type } = openConsole();
  for (const line of ["HELP", "?", "/help", "/?"]) assertEquals(type(line), type("help"), line);
  assertMatch(type("help"), /Ctrl-C/);
});

Deno.test("console: list shows who is here", () => {
  const { type } = openConsole();
  for (const line of ["list", "who", "/list", "LIST"]) assertEquals(type(line), NAMES, line);
});

Deno.test("console: trace is switched on and off, says which it is, and takes nothing else", () => {
  const { trace, type } = openConsole();
  const ON = "What is ignored is printed; trace off ends that", OFF = "What is ignored is not printed";
  assertEquals([type("trace"), trace.isOn], [OFF, false]);
  assertEquals([type("trace on"), trace.isOn], [ON, true]);
  assertEquals([type("trace"), trace.isOn], [ON, true]);
  assertEquals([type("trace maybe"), trace.isOn], ["trace takes on or off", true]);
  assertEquals([type("/TRACE off"), trace.isOn], [OFF, false]);
});

Deno.test("console: quit stops the server", () => {
  const { type, stops } = openConsole();
  for (const line of ["quit", "stop", "exit", "/quit", "Quit"]) assertEquals(type(line), "", line);
  assertEquals(stops(), 5);
});

Deno.test("console: an unknown command or a wrong value changes nothing, and the answer says what is right", () => {
  const { emulator, type } = openConsole();
  type("drop 20%");
  for (const line of ["nonsense", "drp 20%", "constructor", "__proto__ 1", "toString", "--drop 20%", "//help"]) {
    assertMatch(type(line), /^There is no command '.*'; help lists them$/, line);
  }
  for (const value of ["", "20", "1", "150%", "-1", "a lot", "20% 30%"]) {
    assertEquals(type(`drop ${value}`), "drop takes a share with its percent sign, like 20%", value);
    assertEquals(type(`corrupt ${value}`), "corrupt takes a share with its percent sign, like 20%", value);
  }
  for (const value of ["", "200..20", "fast", "20 200"]) {
    assertEquals(type(`delay ${value}`), "delay takes milliseconds, like 50 or 20..200", value);
  }
  assertEquals(emulator.conditions, { ...PERFECT, drop: 0.2 });
});

Deno.test("console: a change does not affect the initial conditions of other emulators", () => {
  const { type } = openConsole();
  type("perfect");
  type("drop 20%");
  assertEquals(new NetworkEmulator().conditions, { drop: 0, duplicate: 0, corrupt: 0, delay: [0, 0] });
});

Deno.test("console: what the room can do is done there, as it was typed, and help lists it", () => {
  const { type } = openConsole();
  assertEquals(type("/say Break until 11:15"), "done: say Break until 11:15");
  assertMatch(type("help"), /^say TEXT {7}says it to everybody\ndrop 20% {7}loses/);
});
