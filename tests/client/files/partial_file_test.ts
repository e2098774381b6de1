/** Files that come: written beside their names, gone on with, verified, and named without replacing anything. */
import { assert, assertEquals } from "@std/assert";
import { join, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { pathAsTyped } from "../../../client/files/partial_file.ts";
import { ROOT } from "../../../scripts/programs.ts";
import { creating, listFolder, openDisk, partOf, problemOf, someBytes } from "../../support/disk.ts";
import { takeFile, takePart, textOf, withDisk, withSmallDisk } from "../../support/disk.ts";

const IS_WINDOWS = Deno.build.os === "windows";

Deno.test("Disk: a file that comes is written beside its name, and has it when it is whole", async () => {
  await withDisk(async (outer) => {
    const folder = join(outer.folder, "to", "come"), to = openDisk(folder), content = someBytes(600_000);
    const { ask, disk } = to, part = partOf("a b.bin", content);
    assertEquals(listFolder(outer.folder), []);
    assertEquals(await ask(creating(1, "a b.bin", content)), { is: "created", job: 1, have: 0 });
    for (const [at, end] of [[0, 300_000], [300_000, 300_001], [300_001, 600_000]]) {
      const written = await ask({ ask: "write", job: 1, at, octets: content.subarray(at, end) });
      assertEquals(written, { is: "written", job: 1, have: end });
      assertEquals(listFolder(folder), [part]);
    }
    const path = join(folder, "a b.bin");
    assertEquals(await ask({ ask: "finish", job: 1 }), { is: "finished", job: 1, path });
    assertEquals(listFolder(folder), ["a b.bin"]);
    assertEquals(await Deno.readFile(path), content);
    if (!IS_WINDOWS) assertEquals((await Deno.stat(path)).mode! & 0o111, 0);
    await disk.close();
    assertEquals(listFolder(folder), ["a b.bin"]);
  });
});

Deno.test("Disk: the same file goes on where it was, any other one begins anew", async () => {
  await withDisk(async (to) => {
    const content = someBytes(500_000), other = someBytes(500_000, 2);
    await takePart(to, 1, "notes", content, 350_000);
    // closed and opened again at once
    assertEquals(await to.ask(creating(2, "notes", content)), { is: "created", job: 2, have: 350_000 });
    assertEquals(await to.ask(creating(3, "notes", other)), { is: "created", job: 3, have: 0 });
    assertEquals(await to.ask(creating(4, "others", content)), { is: "created", job: 4, have: 0 });
    await to.disk.close();
    assertEquals(listFolder(to.folder), [partOf("notes", content)]);
    // in the next run of the program
    const next = openDisk(to.folder), result = await takeFile(next, 1, "notes", content);
    assertEquals(result, { is: "finished", job: 1, path: join(to.folder, "notes") });
    assertEquals(await Deno.readFile(join(to.folder, "notes")), content);
    await next.disk.close();
  });
});

Deno.test("Disk: a file goes on after any cuts", async () => {
  await withDisk(async (to) => {
    const content = someBytes(300_000);
    const cuts = [0, 1, 1, 65_536, 262_143, 262_144, 262_145, 299_999, 300_000];
    for (const [job, cut] of cuts.entries()) await takePart(to, job, "cut", content, cut);
    assertEquals(await to.ask(creating(20, "cut", content)), { is: "created", job: 20, have: 300_000 });
    assertEquals((await to.ask({ ask: "finish", job: 20 })).is, "finished");
    assertEquals(await Deno.readFile(join(to.folder, "cut")), content);
  });
});

Deno.test("Disk: who offers another size, or nearly the same hash, does nothing to what is there of a file", async () => {
  await withDisk(async (to) => {
    const content = someBytes(1000), offer = creating(1, "notes", content);
    await takePart(to, 1, "notes", content, 600);
    const near = offer.hash.slice(0, 63) + (offer.hash.endsWith("0") ? "1" : "0");
    const others = [{ size: 0 }, { size: 10 }, { size: 600 }, { size: 2000 }, { hash: near }, { hash: near, size: 10 }];
    for (const [i, other] of others.entries()) {
      const job = 10 + i;
      assertEquals(await to.ask({ ...offer, ...other, job }), { is: "created", job, have: 0 });
      await to.ask({ ask: "finish", job });
      to.disk.request({ ask: "close", job });
    }
    assertEquals(await to.ask(creating(2, "notes", content)), { is: "created", job: 2, have: 600 });
    await to.disk.close();
    assertEquals(listFolder(to.folder), [partOf("notes", content)]);
  });
});

Deno.test("Disk: what is longer than the file is in its way, and stays as it is", async () => {
  await withDisk(async (to) => {
    for (const [job, length] of [0, 1000].entries()) {
      const content = someBytes(length), path = join(to.folder, partOf("long", content));
      await Deno.writeFile(path, new Uint8Array(length + 1));
      assertEquals(
        textOf(await to.ask(creating(job, "long", content))),
        `${path} is in the way, as it is longer than the file that comes: delete it, or have files come to another folder`,
      );
      to.disk.request({ ask: "close", job });
    }
    await to.disk.close();
    assertEquals(listFolder(to.folder).length, 2);
  });
});

Deno.test("Disk: what was there of a file is verified; if it is wrong, the file begins anew", async () => {
  await withDisk(async (to) => {
    const content = someBytes(1000);
    await Deno.writeFile(join(to.folder, partOf("false", content)), someBytes(400, 9));
    const result = await takeFile(to, 2, "false", content);
    assertEquals(problemOf(result), "wrong-hash");
    assertEquals(
      result.is === "failed" && result.text,
      "what has arrived, or what was here of it before, is not what was offered: " +
        "let false be offered again, it begins anew",
    );
    assertEquals(listFolder(to.folder), []);
    // offered again, nothing of it is there
    assertEquals((await takeFile(to, 3, "false", content)).is, "finished");
  });
});

Deno.test("Disk: what has not the hash that was offered is deleted", async () => {
  await withDisk(async ({ folder, ask }) => {
    const content = someBytes(1000);
    await ask(creating(1, "x", content));
    await ask({ ask: "write", job: 1, at: 0, octets: someBytes(1000, 2) });
    const result = await ask({ ask: "finish", job: 1 });
    assertEquals(problemOf(result), "wrong-hash");
    assertEquals(
      result.is === "failed" && result.text,
      "what has arrived is not what was offered: let x be offered again",
    );
    assertEquals(listFolder(folder), []);
  });
});

Deno.test("Disk: only what is next is written, nothing behind the end, and only what is whole is finished", async () => {
  await withDisk(async ({ folder, ask }) => {
    const content = someBytes(1000), write = { ask: "write", job: 1 } as const;
    await ask(creating(1, "x", content));
    assertEquals(problemOf(await ask({ ...write, at: 10, octets: content.subarray(10, 20) })), "failed");
    await ask({ ...write, at: 0, octets: content.subarray(0, 999) });
    assertEquals(problemOf(await ask({ ...write, at: 0, octets: content.subarray(0, 1) })), "failed");
    assertEquals(problemOf(await ask({ ...write, at: 999, octets: content.subarray(0, 2) })), "failed");
    assertEquals(problemOf(await ask({ ask: "finish", job: 1 })), "failed");
    await ask({ ...write, at: 999, octets: content.subarray(999) });
    assertEquals((await ask({ ask: "finish", job: 1 })).is, "finished");
    assertEquals(problemOf(await ask({ ask: "finish", job: 1 })), "failed");
    assertEquals(problemOf(await ask({ ...write, at: 1000, octets: new Uint8Array(0) })), "failed");
    assertEquals(problemOf(await ask({ ask: "create", job: 2, name: "x", size: 1, hash: "../../x" })), "failed");
    assertEquals(listFolder(folder), ["x"]);
  });
});

Deno.test("Disk: an empty file comes too, and of one that nothing came of nothing stays", async () => {
  await withDisk(async (to) => {
    assertEquals((await takeFile(to, 1, "empty", new Uint8Array(0))).is, "finished");
    assertEquals((await Deno.stat(join(to.folder, "empty"))).size, 0);
    await to.ask(creating(2, "never", someBytes(10)));
    await to.disk.close();
    assertEquals(listFolder(to.folder), ["empty"]);
  });
});

Deno.test("Disk: no file is ever replaced, whatever the name from the network is", async () => {
  await withDisk(async (to) => {
    const mine = join(to.folder, "report.pdf");
    await Deno.writeTextFile(mine, "mine");
    if (!IS_WINDOWS) await Deno.symlink("nowhere", join(to.folder, "report (2).pdf"));
    await Deno.mkdir(join(to.folder, "report (3).pdf"));
    const free = IS_WINDOWS ? [2, 4] : [4, 5];
    for (const [job, n] of free.entries()) {
      const path = join(to.folder, `report (${n}).pdf`), result = await takeFile(to, job, "report.pdf", someBytes(job));
      assertEquals(result, { is: "finished", job, path });
    }
    assertEquals(await Deno.readTextFile(mine), "mine");
    const result = await takeFile(to, 9, "../../.bashrc", someBytes(9));
    assertEquals(result, { is: "finished", job: 9, path: join(to.folder, "bashrc") });
  });
});

Deno.test("Disk: where a file has one name only, none is replaced either", async () => {
  const { link } = Deno;
  Deno.link = () => Promise.reject(Object.assign(new Error("Operation not permitted"), { code: "EPERM" }));
  try {
    await withDisk(async (to) => {
      await Deno.writeTextFile(join(to.folder, "a.txt"), "mine");
      const content = someBytes(10), result = await takeFile(to, 1, "a.txt", content);
      assertEquals(result, { is: "finished", job: 1, path: join(to.folder, "a (2).txt") });
      assertEquals(listFolder(to.folder), ["a (2).txt", "a.txt"]);
      assertEquals(await Deno.readTextFile(join(to.folder, "a.txt")), "mine");
      assertEquals(await Deno.readFile(join(to.folder, "a (2).txt")), content);
    });
  } finally {
    Deno.link = link;
  }
});

Deno.test("pathAsTyped: a file in the working folder can be typed as it is told", () => {
  assertEquals(pathAsTyped(".", "a.txt"), `.${sep}a.txt`);
  assertEquals(pathAsTyped(`.${sep}`, "a.txt"), `.${sep}a.txt`);
  assertEquals(pathAsTyped("in", "a.txt"), `in${sep}a.txt`);
});

Deno.test("Disk: a folder that is none is told", async () => {
  await withDisk(async ({ folder }) => {
    const file = join(folder, "file");
    await Deno.writeTextFile(file, "");
    for (const path of [file, join(file, "in it")]) {
      const to = openDisk(path), result = await to.ask(creating(1, "x", someBytes(1)));
      assert(result.is === "failed" && result.text === `${path} is no folder`, JSON.stringify(result));
      await to.disk.close();
    }
  });
});

Deno.test("Disk: on a full disk the part that is whole stays, and goes on when there is room", async () => {
  await withSmallDisk(256 * 1024, async (folder) => {
    const to = openDisk(folder), content = someBytes(200_000), hog = join(folder, "hog");
    await Deno.writeFile(hog, new Uint8Array(150_000));
    await to.ask(creating(1, "x", content));
    await to.ask({ ask: "write", job: 1, at: 0, octets: content.subarray(0, 50_000) });
    assertEquals(
      problemOf(await to.ask({ ask: "write", job: 1, at: 50_000, octets: content.subarray(50_000) })),
      "disk-full",
    );
    to.disk.request({ ask: "close", job: 1 });
    const created = await to.ask(creating(2, "x", content));
    assert(created.is === "created" && created.have >= 50_000 && created.have < 150_000, JSON.stringify(created));
    assertEquals(
      problemOf(await to.ask({ ask: "write", job: 2, at: created.have, octets: content.subarray(created.have) })),
      "disk-full",
    );
    await Deno.remove(hog);
    to.disk.request({ ask: "close", job: 2 });
    assertEquals((await takeFile(to, 3, "x", content)).is, "finished");
    assertEquals(await Deno.readFile(join(folder, "x")), content);
    await to.disk.close();
  });
});

Deno.test({
  name: "Disk: without the permission to write nothing is asked, and the flag is named",
  permissions: { read: true },
  fn: async () => {
    const { ask, disk } = openDisk(".");
    const result = await ask(creating(1, "x", someBytes(1)));
    assert(result.is === "failed" && result.problem === "no-permission");
    assertEquals(result.text, "Deno was not given the permission to write files: start with --allow-write (or -A)");
    await disk.close();
  },
});

/** Has a program of its own, which is started by these words, take files of 200,000 bytes; returns what it prints. */
async function takeElsewhere(at: string, folders: string[], start: (...deno: string[]) => string[]): Promise<string> {
  const script = join(at, "script.ts"), support = join(ROOT, "tests", "support", "disk.ts");
  await Deno.writeTextFile(
    script,
    `import { openDisk, someBytes, takeFile } from ${JSON.stringify(pathToFileURL(support))};
    for (const folder of ${JSON.stringify(folders)}) {
      const to = openDisk(folder), result = await takeFile(to, 1, "x", someBytes(200_000));
      console.log(result.is === "failed" ? result.problem + ": " + result.text : result.is);
      await to.disk.close();
    }`,
  );
  const [program, ...args] = start(Deno.execPath(), "run", "--no-check", "-q", "--config", join(ROOT, "deno.json"));
  const options = { args: [...args, script], env: { NO_COLOR: "1" } };
  const { stdout, stderr } = await new Deno.Command(program, options).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

Deno.test("Disk: permissions for one folder are enough for that folder", async () => {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "udp-chat-" }));
  try {
    const into = join(folder, "into"), flags = [`--allow-read=${into}`, `--allow-write=${into}`];
    const printed = await takeElsewhere(folder, [into, join(folder, "other")], (...deno) => [...deno, ...flags]);
    assertEquals(
      printed,
      "finished\n" +
        "no-permission: Deno was not given the permission to write files: start with --allow-write (or -A)\n",
    );
    assertEquals(listFolder(folder), ["into", "script.ts"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test({
  name: "Disk: a file that is too large for its disk is as one on a full disk",
  ignore: IS_WINDOWS,
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "udp-chat-" });
    try {
      // a shell can set the limit; without the trap the system would end the program
      const limited = `trap '' XFSZ; ulimit -f 100; exec "$@"`;
      const printed = await takeElsewhere(folder, [folder], (...deno) => ["sh", "-c", limited, "sh", ...deno, "-A"]);
      assert(printed.startsWith("disk-full: the disk takes no file as large as "), printed);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
