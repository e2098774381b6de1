/** Files that are sent: found, hashed, read, and watched for changes. */
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { makePipe, openDisk, problemOf, sha256, someBytes, withDisk } from "../../support/disk.ts";

const PIECE = 256 * 1024;

Deno.test("Disk: a file is inspected, and read in any parts", async () => {
  await withDisk(async ({ folder, ask, disk }) => {
    for (const [job, size] of [0, 1, PIECE - 1, PIECE, PIECE + 1, 700_000].entries()) {
      const name = `${size} bytes.bin`, path = join(folder, name), content = someBytes(size);
      await Deno.writeFile(path, content);
      const inspected = await ask({ ask: "inspect", job, path });
      assertEquals(inspected, { is: "inspected", job, name, size, hash: sha256(content) });
      for (const [at, length] of [[0, size], [size >> 1, size >> 2], [size, 0], [size >> 2, size >> 1]]) {
        const octets = content.slice(at, at + length);
        assertEquals(await ask({ ask: "read", job, at, length }), { is: "read", job, at, octets });
      }
      // never fewer bytes than were asked for, without a word
      for (
        const [at, length] of [[0, size + 1], [size, 1], [size + 7, 5], [-1, 1], [0, -1], [0, 2 ** 40], [2 ** 40, 0]]
      ) {
        assertEquals(problemOf(await ask({ ask: "read", job, at, length })), "failed");
      }
      disk.request({ ask: "close", job });
    }
  });
});

Deno.test({
  name: "Disk: what has another length than the system says, as files in /proc have, can't be sent",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await withDisk(async ({ ask }) => {
      // the one is said to have nothing in it, the other one a page
      for (const [job, path] of ["/proc/version", "/sys/kernel/mm/transparent_hugepage/enabled"].entries()) {
        const result = await ask({ ask: "inspect", job, path });
        if (result.is === "failed" && result.problem === "not-found") continue;
        assertEquals(problemOf(result), "not-a-file");
        assert(result.is === "failed" && result.text === `${path} has no fixed size: send a copy of it`);
      }
    });
  },
});

Deno.test("Disk: what is no file can't be sent, and a pipe stops nothing", async () => {
  await withDisk(async ({ folder, ask }) => {
    let job = 0;
    const inspect = async (path: string) => problemOf(await ask({ ask: "inspect", job: ++job, path }));
    assertEquals(await inspect(join(folder, "none")), "not-found");
    assertEquals(await inspect(""), "not-found");
    assertEquals(await inspect(folder), "not-a-file");
    assertEquals(await inspect("a\0b"), "failed");
    assertEquals(await inspect("x".repeat(5000)), "failed");
    await Deno.writeFile(join(folder, "file"), new Uint8Array(1));
    assertEquals(await inspect(join(folder, "file", "in it")), "not-found");
    const pipe = join(folder, "pipe");
    if (await makePipe(pipe)) assertEquals(await inspect(pipe), "not-a-file");
    if (Deno.build.os !== "windows") assertEquals(await inspect("/dev/null"), "not-a-file");
    // without a file that is open there is nothing to be read
    assertEquals(problemOf(await ask({ ask: "read", job: 99, at: 0, length: 1 })), "failed");
  });
});

Deno.test("Disk: a file that is changed while it is sent is noticed, one that is replaced is not changed", async () => {
  await withDisk(async ({ folder, ask }) => {
    const content = someBytes(1000), read = { ask: "read", at: 0, length: 1000 } as const;
    const changes: ((path: string) => Promise<void>)[] = [
      (path) => Deno.writeTextFile(path, "more", { append: true }),
      (path) => Deno.truncate(path, 500),
      async (path) => {
        await Deno.writeFile(path, someBytes(1000, 2));
        // the clock of a disk may tick slowly
        await Deno.utime(path, 1, 1);
      },
    ];
    for (const [job, change] of changes.entries()) {
      const path = join(folder, `${job}`);
      await Deno.writeFile(path, content);
      await ask({ ask: "inspect", job, path });
      assertEquals((await ask({ ...read, job })).is, "read");
      await change(path);
      assertEquals(problemOf(await ask({ ...read, job })), "changed");
    }
    const path = join(folder, "replaced"), job = 9;
    await Deno.writeFile(path, content);
    await ask({ ask: "inspect", job, path });
    await Deno.writeFile(join(folder, "new"), someBytes(1000, 3));
    await Deno.rename(join(folder, "new"), path);
    assertEquals(await ask({ ...read, job }), { is: "read", job, at: 0, octets: content });
  });
});

Deno.test("Disk: paths may be quoted as in a shell, but one that is there as it is typed comes first", async () => {
  await withDisk(async ({ folder, ask }) => {
    const path = join(folder, "my file.txt");
    await Deno.writeTextFile(path, "mine");
    const escaped = Deno.build.os === "windows" ? path : path.replaceAll(" ", "\\ ");
    for (const [job, typed] of [`"${path}"`, `'${path}'`, ` ${path} `, escaped].entries()) {
      const inspected = await ask({ ask: "inspect", job, path: typed });
      assert(inspected.is === "inspected" && inspected.name === "my file.txt", JSON.stringify(inspected));
    }
    if (Deno.build.os === "windows") return;
    await Deno.writeTextFile(`${path} `, "blank");
    const inspected = await ask({ ask: "inspect", job: 9, path: `${path} ` });
    assert(inspected.is === "inspected" && inspected.name === "my file.txt ", JSON.stringify(inspected));
  });
});

Deno.test("Disk: jobs go on side by side, results come later, and a close stops what takes long", async () => {
  await withDisk(async ({ folder, ask, disk, results }) => {
    const large = join(folder, "large"), small = join(folder, "small");
    await Deno.writeTextFile(small, "small");
    // to hash it would take half a minute; Windows would write all of it
    await Deno.writeTextFile(large, "");
    await Deno.truncate(large, Deno.build.os === "windows" ? 100e6 : 40e9);
    disk.request({ ask: "inspect", job: 1, path: large });
    disk.request({ ask: "read", job: 1, at: 0, length: 10 });
    const inspected = ask({ ask: "inspect", job: 2, path: small });
    assertEquals(results, []);
    assertEquals((await inspected).is, "inspected");
    disk.request({ ask: "close", job: 1 });
    // the number may be used again at once
    assertEquals((await ask({ ask: "inspect", job: 1, path: small })).is, "inspected");
    await disk.close();
    assertEquals(results.map(({ is, job }) => `${is} ${job}`), ["inspected 2", "inspected 1"]);
  });
});

Deno.test({
  name: "Disk: without the permission to read nothing is asked, and the flag is named",
  permissions: { read: false },
  fn: async () => {
    const { ask, disk } = openDisk(".");
    const result = await ask({ ask: "inspect", job: 1, path: "deno.json" });
    assert(result.is === "failed" && result.problem === "no-permission");
    assertEquals(
      result.text,
      "Deno was not given the permission to read files: start with --allow-read (or -A)",
    );
    await disk.close();
  },
});
