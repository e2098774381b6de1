/** The command line of the client: its flags for files. The others are tested where what they do is. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "node:path";
import { shownFolder } from "../../client/file_flags.ts";
import { type ClientOptions, readOptions } from "../../client/options.ts";
import { UsageError } from "../../runtime/program.ts";

/** Calls a function with a folder in which there is a file. */
async function inFolder(body: (folder: string, file: string) => void): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "udp-chat-" });
  const file = join(folder, "lecture 3.pdf");
  try {
    await Deno.writeTextFile(file, "x");
    body(folder, file);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What is asked with files. */
function read(...args: string[]): ClientOptions["files"] {
  const options = readOptions([...args, "192.168.1.10", "9090"]);
  assert(typeof options !== "string");
  return options.files;
}

function refused(message: string, ...args: string[]): void {
  const error = assertThrows(() => read(...args), UsageError);
  assertEquals(error.message, message);
}

Deno.test("options: what is done with files, and where they go", async () => {
  assertEquals(read(), { folder: "." });
  await inFolder((folder, file) => {
    assertEquals(read("--downloads", folder), { folder });
    const send = { to: "Bob", path: file, wait: 10_000 };
    assertEquals(read("--send", file, "--to", "Bob"), { folder: ".", task: { send } });
    assertEquals(read("--send", file, "--to", "Bob", "--wait", "0"), {
      folder: ".",
      task: { send: { ...send, wait: 0 } },
    });
    const receive = { from: "Alice", keep: false };
    assertEquals(read("--receive", folder, "--from", "Alice"), { folder, task: { receive } });
    assertEquals(read("--receive", folder, "--from", "Alice", "--keep"), {
      folder,
      task: { receive: { ...receive, keep: true } },
    });
  });
});

Deno.test("options: a flag for files that means nothing, or is wrong, is refused", async () => {
  await inFolder((folder, file) => {
    const sends = ["--send", file, "--to", "Bob"], receives = ["--receive", folder, "--from", "Alice"];
    refused("--send and --receive exclude each other", ...sends, ...receives);
    refused("--send needs --to NAME, the member who is to get the file", "--send", file);
    refused("--receive needs --from NAME, the member whose files are taken", "--receive", folder);
    refused("--to is only for --send", "--to", "Bob");
    refused("--wait is only for --send", "--wait", "3", ...receives);
    refused("--from is only for --receive", ...sends, "--from", "Alice");
    refused("--keep is only for --receive", "--keep");
    for (const task of [sends, receives]) {
      refused(
        "--downloads is for a chat; with --receive DIR files go to that folder",
        ...task,
        ...["--downloads", folder],
      );
      refused(`${task[0]} is for UDP; with --tcp nobody hands over files`, "--tcp", ...task);
    }
    refused("--downloads is for UDP; with --tcp nobody hands over files", "--tcp", "--downloads", folder);
    refused("--keep is for UDP; with --tcp nobody hands over files", "--tcp", "--keep");
    for (const input of [["--send", "-"], ["--send=-"]]) {
      refused("--send takes a file; standard input can't be sent", ...input, "--to", "Bob");
    }
    refused("--send is given twice, and taken once", ...sends, "--send", file);
    refused("--to is given twice, and taken once", ...sends, "--to", "Carole");
    for (const wait of ["-1", "86401", "1.5", "soon"]) {
      refused("--wait takes a whole number of seconds from 0 to 86400", ...sends, "--wait", wait);
    }
    const rule = assertThrows(() => read("--name", "a b"), UsageError).message;
    refused(rule, "--send", file, "--to", "a b");
    refused(rule, "--receive", folder, "--from", "a b");
  });
});

Deno.test("options: a file or a folder that can't be used is found out at once", async () => {
  await inFolder((folder, file) => {
    const missing = join(folder, "missing");
    refused(`There is no file '${missing}'`, "--send", missing, "--to", "Bob");
    refused(`'${folder}' is a folder; --send takes a file`, "--send", folder, "--to", "Bob");
    for (const flags of [["--downloads"], ["--from", "Alice", "--receive"]]) {
      refused(`There is no folder '${missing}'`, ...flags, missing);
      refused(`'${file}' is no folder`, ...flags, file);
    }
    // what is in the text begins no other line
    refused("There is no file 'a?b'", "--send", "a\nb", "--to", "Bob");
    if (Deno.build.os !== "windows") {
      refused("'/dev/null' is no regular file", "--send", "/dev/null", "--to", "Bob");
    }
  });
});

Deno.test({
  name: "options: without the permission Deno asks nobody, and the flag is named",
  permissions: { read: false, write: false },
  fn() {
    refused(
      "Deno was not given the permission to read files: start with --allow-read (or -A)",
      ...["--send", "lecture.pdf", "--to", "Bob"],
    );
    refused(
      "Deno was not given the permission to read files: start with --allow-read (or -A)",
      ...["--downloads", "."],
    );
    assertEquals(shownFolder("."), "this folder");
  },
});

Deno.test({
  name: "options: a folder is to be written to",
  permissions: { read: true, write: false },
  fn() {
    refused(
      "Deno was not given the permission to write files: start with --allow-write (or -A)",
      ...["--receive", ".", "--from", "Alice"],
    );
  },
});

Deno.test("options: a folder is shown as it was typed, and the working folder by its path", () => {
  assertEquals([shownFolder("downloads"), shownFolder("a\nb"), shownFolder(".")], ["downloads", "a?b", Deno.cwd()]);
});
