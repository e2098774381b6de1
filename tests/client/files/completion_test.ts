/** Paths as users type them, and what Tab makes of them. */
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { completePath } from "../../../client/files/completion.ts";
import { resolvePath } from "../../../client/files/typed_path.ts";

const IS_WINDOWS = Deno.build.os === "windows";

/** Runs something in a temporary folder with these files; what ends with `/` is a folder. */
async function withFiles(paths: string[], run: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "udp-chat-" });
  try {
    for (const path of paths) {
      if (path.endsWith("/")) await Deno.mkdir(join(folder, path));
      else await Deno.writeTextFile(join(folder, path), "");
    }
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What is completed, without what was typed before. */
function complete(before: string, typed: string): string[] {
  return completePath(before + typed).map((whole) => {
    assert(whole.startsWith(before), whole);
    return whole.slice(before.length);
  });
}

Deno.test("completePath: whole paths, sorted; folders end with a slash; hidden ones only by their dot", async () => {
  const paths = ["lecture/", "lecture/one.pdf", "lecture.pdf", "left", "other", ".hidden", ".secret/", "Lead"];
  await withFiles(paths, (folder) => {
    const before = `${folder}/`;
    assertEquals(complete(before, "le"), ["lecture/", "lecture.pdf", "left"]);
    assertEquals(complete(before, "lecture/"), ["lecture/one.pdf"]);
    assertEquals(complete(before, "lecture/o"), ["lecture/one.pdf"]);
    assertEquals(complete(before, ""), ["Lead", "lecture/", "lecture.pdf", "left", "other"]);
    assertEquals(complete(before, "."), [".hidden", ".secret/"]);
    assertEquals(complete(before, ".."), ["../"]);
    assertEquals(complete(before, "none"), []);
    assertEquals(complete(before, "none/x"), []);
    assertEquals(complete(before, "left/"), []);
    assertEquals(completePath(folder), [`${folder}/`]);
  });
});

Deno.test("completePath: in the working folder, which is the project's", () => {
  assert(completePath("client").includes("client.ts"));
  assert(completePath("client").includes("client/"));
  assertEquals(completePath("./client.t"), ["./client.ts"]);
});

Deno.test("completePath: blanks need no quotes, but have them if they were begun", async () => {
  await withFiles(["my file.pdf", "my folder/", "my folder/in it"], (folder) => {
    assertEquals(complete(`${folder}/`, "my f"), ["my file.pdf", "my folder/"]);
    for (const quote of [`"`, "'"]) {
      assertEquals(complete(`${quote}${folder}/`, "my f"), [`my file.pdf${quote}`, "my folder/"]);
      assertEquals(complete(`${quote}${folder}/`, "my folder/"), [`my folder/in it${quote}`]);
    }
  });
});

Deno.test({
  name:
    "completePath: blanks and the like have a backslash if one was typed, as in the path of a file that was dragged",
  ignore: IS_WINDOWS,
  fn: async () => {
    await withFiles(["my file (2).pdf", "my folder/", "my folder/it's in", "back\\slash"], (folder) => {
      const before = `${folder}/`;
      for (const typed of ["my\\", "my\\ ", "my\\ f", "\\my f"]) {
        assertEquals(complete(before, typed), [String.raw`my\ file\ \(2\).pdf`, String.raw`my\ folder/`]);
      }
      assertEquals(complete(before, String.raw`my\ file\ \(`), [String.raw`my\ file\ \(2\).pdf`]);
      assertEquals(complete(before, String.raw`my\ folder/`), [String.raw`my\ folder/it\'s\ in`]);
      assertEquals(complete(before, "my folder/"), ["my folder/it's in"]);
      // it would be taken for one before the next character
      assertEquals(complete(before, "back"), [String.raw`back\\slash`]);
      assertEquals(complete(`"${before}`, "back"), [String.raw`back\slash"`]);
    });
  },
});

Deno.test({
  name: "completePath: what can't be typed or printed is left out, and links to folders are folders",
  ignore: IS_WINDOWS,
  fn: async () => {
    const odd = ["a\nb", "a\u001b[2J", "a\u202eb", "a ", "a"];
    await withFiles([...odd, "folder/"], async (folder) => {
      await Deno.symlink(join(folder, "folder"), join(folder, "link"));
      await Deno.symlink("nowhere", join(folder, "loose"));
      assertEquals(complete(`${folder}/`, "a"), ["a"]);
      assertEquals(complete(`${folder}/`, "l"), ["link/", "loose"]);
    });
  },
});

Deno.test("completePath: at most 100", async () => {
  const paths = Array.from({ length: 120 }, (_, i) => `file ${1000 + i}`);
  await withFiles(paths, (folder) => assertEquals(complete(`${folder}/`, "f"), paths.slice(0, 100)));
});

Deno.test("completePath, resolvePath: ~/ is the home folder, and stays as it was typed", () => {
  const home = Deno.env.get(IS_WINDOWS ? "USERPROFILE" : "HOME");
  if (!home) return console.log("Skipped: there is no home folder");
  assertEquals(resolvePath("~/a b"), `${home}/a b`);
  assertEquals(resolvePath("~"), home);
  assertEquals(resolvePath("~other/a"), "~other/a");
  assertEquals(completePath("~"), ["~/"]);
  for (const path of completePath("~/")) assert(path.startsWith("~/"), path);
});

Deno.test("resolvePath: quotes around a path are taken off, those in it stay", () => {
  assertEquals(resolvePath(`"my file.pdf"`), "my file.pdf");
  assertEquals(resolvePath(` 'my file.pdf' `), "my file.pdf");
  assertEquals(resolvePath(`it's`), "it's");
  assertEquals(resolvePath(`"half`), `"half`);
  assertEquals(resolvePath(`"`), `"`);
  assertEquals(resolvePath(`""`), "");
});

Deno.test({
  name: "resolvePath: a backslash before a character is taken off, but not in quotes",
  ignore: IS_WINDOWS,
  fn: () => {
    assertEquals(resolvePath(String.raw`my\ file\ \(2\).pdf`), "my file (2).pdf");
    assertEquals(resolvePath(String.raw`a\\b`), String.raw`a\b`);
    assertEquals(resolvePath(String.raw`'a\ b'`), String.raw`a\ b`);
    assertEquals(resolvePath(String.raw`\~/a`), "~/a");
  },
});

Deno.test({
  name: "completePath: without permissions there is nothing, and nothing is asked for",
  permissions: { read: false, env: false },
  fn: () => {
    for (const typed of ["", "cl", "/", "~", "~/"]) assertEquals(completePath(typed), []);
    assertEquals(resolvePath("~/x"), "~/x");
  },
});
