/** What the system says of files, in words. */
import { assert, assertEquals } from "@std/assert";
import { failureOf, FileFailure } from "../../../client/files/file_failure.ts";

Deno.test("failureOf: each error of the system is one sentence with the path", () => {
  const errors: [code: string | undefined, problem: string][] = [
    ["ENOENT", "not-found"],
    ["ENOTDIR", "not-found"],
    ["EISDIR", "not-a-file"],
    ["EACCES", "no-permission"],
    ["EPERM", "no-permission"],
    ["EROFS", "no-permission"],
    ["ENOSPC", "disk-full"],
    ["EDQUOT", "disk-full"],
    ["EFBIG", "disk-full"],
    ["EIO", "failed"],
    [undefined, "failed"],
  ];
  for (const [code, expected] of errors) {
    for (const access of ["read", "write"] as const) {
      const error = Object.assign(new Error("Input/output error (os error 5): open 'a/b.txt'"), { code });
      const { problem, message } = failureOf(error, access, "a/b.txt");
      assertEquals(problem, expected, code);
      assert(message.includes("a/b.txt") && !message.includes("os error") && !message.endsWith("."), message);
    }
  }
  assertEquals(failureOf(new Error(""), "read", "x").message, "x can't be read: for an unknown reason");
});

Deno.test({
  name: "failureOf: a full disk is found by the number of the error too, as Deno has no code for all of them",
  ignore: Deno.build.os !== "linux",
  fn: () => {
    for (const number of [27, 28, 122]) {
      const { problem, message } = failureOf(new Error(`What it is (os error ${number})`), "write", "x");
      assertEquals(problem, "disk-full", message);
    }
    assertEquals(failureOf(new Error("What it is (os error 1234567)"), "write", "x").problem, "failed");
  },
});

Deno.test("failureOf: a missing permission names its flag, what is in words already stays", () => {
  for (const access of ["read", "write"] as const) {
    const error = new Deno.errors.NotCapable(`Requires write access to "x", run again with the --allow-${access} flag`);
    const { problem, message } = failureOf(error, "read", "x");
    assertEquals(problem, "no-permission");
    assertEquals(message, `Deno was not given the permission to ${access} files: start with --allow-${access} (or -A)`);
  }
  const failure = new FileFailure("changed", "x has been changed");
  assertEquals(failureOf(failure, "write", "y"), failure);
});
