/** What is typed to hand files to each other. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { completeLine, execute, helpText } from "../../../client/terminal/commands.ts";
import { FILE_COMMANDS } from "../../../client/terminal/file_commands.ts";
import { joined } from "../../support/fake_session.ts";
import { FakeTransfers } from "../../support/fake_transfers.ts";

const fake = joined({ name: "Bob" });
const transfers = new FakeTransfers();

/** Types a line. Returns what is asked of the files, and what the user reads. */
function type(line: string): { asked: string[]; read: string[] } {
  const read: string[] = [], before = fake.notices.length;
  execute(line, {
    ...{ session: fake.session, transfers, now: 0, interactive: true },
    print: (text) => read.push(text),
    quit() {},
    setTimes() {},
  });
  return { asked: transfers.take(), read: [...read, ...fake.notices.slice(before)] };
}

Deno.test("file commands: /file offers a file, whose path is the rest of the line", () => {
  for (const command of ["/file", "/sendfile", "/FILE"]) {
    assertEquals(type(`${command} Alice  lecture  3.pdf `), { asked: ["offer Alice lecture  3.pdf"], read: [] });
  }
  assertEquals(type("/file Alice"), { asked: [], read: ["/file takes NAME PATH"] });
  assertEquals(type("/file"), { asked: [], read: ["/file takes NAME PATH"] });
});

Deno.test("file commands: the others take the number of a file, or mean the only one", () => {
  for (const command of ["accept", "decline", "cancel"]) {
    assertEquals(type(`/${command}`), { asked: [command], read: [] });
    assertEquals(type(`/${command} 12 `), { asked: [`${command} 12`], read: [] });
    for (const wrong of ["0", "-1", "1.5", "one", "1 2", "1e3", "1234567890", "0x1"]) {
      const read = [`/${command} takes the number of a file, as /files lists them`];
      assertEquals(type(`/${command} ${wrong}`), { asked: [], read });
    }
  }
  assertEquals(type("/files"), { asked: ["list"], read: [] });
});

Deno.test("file commands: Tab completes the name, and then the path, which may have blanks", () => {
  const paths = ["lecture 3.pdf", "lecture.pdf"], asked: string[] = [];
  const complete = (line: string) =>
    completeLine(line, ["Alice", "Bob"], (typed) => {
      asked.push(typed);
      return paths;
    });
  assertEquals(complete("/file A"), [["Alice "], "A"]);
  assertEquals(asked, []);
  assertEquals(complete("/file Alice le"), [paths, "le"]);
  assertEquals(complete("/sendfile Alice lecture 3"), [paths, "lecture 3"]);
  assertEquals(complete(" /FILE  Alice  "), [paths, ""]);
  assertEquals(asked, ["le", "lecture 3", ""]);
  for (const line of ["/accept 1", "/cancel ", "/send Alice le", "file Alice le", "/nothing Alice le"]) {
    assertEquals(complete(line)[0], [], line);
  }
  assertEquals(completeLine("/fi", [])[0], ["/file ", "/files"]);
});

Deno.test("file commands: /help has the first, and /help files all of them", () => {
  assertStringIncludes(helpText(false), "\n/file NAME PATH ");
  assert(!helpText(false).includes("/accept ["));
  const [all] = type("/help files").read;
  assertEquals(all.split("\n").length, FILE_COMMANDS.length);
  assertStringIncludes(all, "\n/cancel [NUMBER] ");
});
