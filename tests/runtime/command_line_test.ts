/** Flags, arguments, numbers and ports. */
import { assertEquals, assertThrows } from "@std/assert";
import { parseNumber, parsePort, readCommandLine } from "../../runtime/command_line.ts";
import { UsageError } from "../../runtime/program.ts";

const OPTIONS = {
  string: ["port", "host"],
  boolean: ["echo", "quiet", "help"],
  negatable: ["echo"],
  default: { echo: true, host: "0.0.0.0" },
  singleDash: { "-sp": "--port", "-u": "--host" },
  positional: 1,
};

const read = (...args: string[]) => readCommandLine(args, OPTIONS);

Deno.test("command line: flags with their values, in every form that people type", () => {
  for (const args of [["--port", "9091"], ["--port=9091"], ["-sp", "9091"], ["-sp=9091"]]) {
    assertEquals(read(...args).port, "9091", args.join(" "));
  }
  assertEquals(read("-u=a=b").host, "a=b");
  assertEquals([read().echo, read("--no-echo").echo, read("--quiet").quiet], [true, false, true]);
  assertEquals([read().host, read("--host", "::").host], ["0.0.0.0", "::"]);
});

Deno.test("command line: arguments without a flag stay text", () => {
  assertEquals(read("0123")._, ["0123"]);
  assertEquals(read("-sp", "1", "9090")._, ["9090"]);
});

Deno.test("command line: an unknown flag, an extra argument or a missing value is named and refused", () => {
  assertThrows(() => read("--prot", "9090"), UsageError, "There is no flag --prot");
  assertThrows(() => read("-x"), UsageError, "There is no flag -x");
  assertThrows(() => read("1", "2"), UsageError, "'2' is one argument too many");
  assertThrows(() => read("--port"), UsageError, "--port takes a value");
  assertThrows(() => read("--port="), UsageError, "--port takes a value");
});

Deno.test("command line: a flag in place of a value is not taken for one", () => {
  assertThrows(() => read("--port", "--quiet"), UsageError, "--port takes a value");
});

Deno.test("command line: a negative number is the value of the flag before it, which may refuse it", () => {
  assertEquals([read("--port", "-1").port, read("-sp", "-5%").port], ["-1", "-5%"]);
  assertThrows(() => read("--quiet", "-1"), UsageError, "There is no flag -1");
});

Deno.test("command line: a flag that takes no value refuses one", () => {
  for (const value of ["false", "true", "0", "foo", ""]) {
    for (const flag of ["--no-echo", "--echo", "--quiet", "--help"]) {
      assertThrows(() => read(`${flag}=${value}`), UsageError, `${flag} takes no value`);
    }
  }
  assertThrows(() => read("--quiet", "false"), UsageError, "--quiet takes no value");
  assertThrows(() => read("-h=1"), UsageError, "--help takes no value");
  assertEquals(read("--", "--quiet=1")._, ["--quiet=1"]);
});

Deno.test("command line: -h is --help", () => {
  assertEquals([read("-h").help, read("--help").help, read().help], [true, true, false]);
});

Deno.test("command line: names of objects' own properties are no flags", () => {
  for (const arg of ["--constructor", "--toString", "--__proto__"]) assertThrows(() => read(arg), UsageError);
  assertEquals(read("constructor")._, ["constructor"]);
});

Deno.test("command line: a port is a number from 1 to 65535; 0 is accepted where it means any port", () => {
  assertEquals([parsePort("1"), parsePort("65535"), parsePort("09090"), parsePort("0", 0)], [1, 65535, 9090, 0]);
  for (const text of ["0", "65536", "-1", "9090x", "", " 9090", "1e3", "0x10", "99999999999", "１"]) {
    assertThrows(() => parsePort(text), UsageError, `'${text}' is no port`);
  }
});

Deno.test("command line: a number has its limits", () => {
  const parse = (value?: string) => parseNumber({ _: [], seconds: value }, "seconds", 3, 86_400);
  assertEquals([parse(), parse("3"), parse("86400")], [undefined, 3, 86_400]);
  for (const text of ["2", "86401", "-3", "3.5", "x", "1e3"]) {
    assertThrows(() => parse(text), UsageError, "--seconds takes a whole number from 3 to 86400");
  }
  assertThrows(
    () => parseNumber({ _: [], timeout: "2" }, "timeout", 3, 9, "seconds"),
    UsageError,
    "--timeout takes a whole number of seconds from 3 to 9",
  );
});
