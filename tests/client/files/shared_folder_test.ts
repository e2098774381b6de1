/** Files that come to a folder where others write too: other programs, and users who mean harm. */
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import type { FileResult } from "../../../client/files/files.ts";
import { creating, listFolder, makePipe, openDisk, partOf, problemOf, someBytes } from "../../support/disk.ts";
import { takeFile, takePart, textOf, withDisk } from "../../support/disk.ts";

const IS_WINDOWS = Deno.build.os === "windows";

Deno.test({
  name: "Disk: nothing is written through a link or into anything else that has the name of the partial file",
  ignore: IS_WINDOWS,
  fn: async () => {
    await withDisk(async (to) => {
      const { folder, ask } = to, content = someBytes(100), mine = join(folder, "mine");
      await Deno.writeTextFile(mine, "mine");
      const ways: ((path: string) => Promise<boolean | void>)[] = [
        (path) => Deno.symlink("mine", path),
        (path) => Deno.symlink("new", path),
        (path) => Deno.mkdir(path),
        makePipe,
      ];
      for (const [job, make] of ways.entries()) {
        const name = `x${job}`;
        if (await make(join(folder, partOf(name, content))) === false) continue;
        assertEquals(problemOf(await ask(creating(job, name, content))), "failed");
      }
      // a file of two names: a program was killed just when it gave it its name, or it is somebody's trick
      await Deno.link(mine, join(folder, partOf("hard", content)));
      assertEquals(await ask(creating(9, "hard", content)), { is: "created", job: 9, have: 0 });
      await ask({ ask: "write", job: 9, at: 0, octets: content });
      assertEquals(await Deno.readTextFile(mine), "mine");
      assert(!listFolder(folder).includes("new"));
      // a backup may give it another name while it is written
      const other = someBytes(100, 2);
      await ask(creating(10, "kept", other));
      await Deno.link(join(folder, partOf("kept", other)), join(folder, "backup"));
      await ask({ ask: "write", job: 10, at: 0, octets: other });
      assertEquals((await ask({ ask: "finish", job: 10 })).is, "finished");
      // it is replaced while it is written
      await Deno.remove(join(folder, partOf("hard", content)));
      await Deno.symlink("mine", join(folder, partOf("hard", content)));
      assertEquals(problemOf(await ask({ ask: "finish", job: 9 })), "failed");
      assert(!listFolder(folder).includes("hard"));
      await to.disk.close();
      assertEquals(await Deno.readTextFile(mine), "mine");
    });
  },
});

Deno.test("Disk: two do not write to one partial file; when one is done, the other can", async () => {
  await withDisk(async (to) => {
    const content = someBytes(1000), other = openDisk(to.folder);
    await to.ask(creating(1, "x", content));
    await to.ask({ ask: "write", job: 1, at: 0, octets: content.subarray(0, 400) });
    const inUse = [await to.ask(creating(2, "x", content)), await other.ask(creating(1, "x", content))];
    for (const result of inUse) {
      assertEquals(problemOf(result), "failed");
      assert(result.is === "failed" && result.text.includes("is in use"), JSON.stringify(result));
    }
    to.disk.request({ ask: "close", job: 1 });
    // before Deno 2.5 the lock is given to the one that waited, and has no use for it
    const deadline = performance.now() + 5000;
    let result: FileResult;
    do {
      result = await other.ask(creating(1, "x", content));
    } while (result.is === "failed" && performance.now() < deadline);
    assertEquals(result, { is: "created", job: 1, have: 400 });
    await other.disk.close();
  });
});

Deno.test({
  name: "Disk: what others can write to, or could, is not gone on with",
  ignore: IS_WINDOWS,
  fn: async () => {
    await withDisk(async (to) => {
      const content = someBytes(1000), path = join(to.folder, partOf("x", content));
      await takePart(to, 1, "x", content, 400);
      const problems: string[] = [];
      const begin = async (job: number) => {
        const result = await to.ask(creating(job, "x", content));
        if (result.is === "created") to.disk.request({ ask: "close", job });
        else problems.push(textOf(result));
        return result.is === "created" ? result.have : undefined;
      };
      assertEquals(await begin(2), 400);
      assertEquals((await Deno.stat(path)).mode! & 0o022, 0);
      for (const mode of [0o666, 0o620, 0o602]) {
        await Deno.chmod(path, mode);
        assertEquals(await begin(mode), undefined);
      }
      await Deno.chmod(path, 0o600);
      if (Deno.uid() !== 0) console.log("Skipped: only root can give a file to another user");
      else {
        await Deno.chown(path, 65534, null);
        assertEquals(await begin(3), undefined);
        await Deno.chown(path, 0, null);
      }
      const told = (why: string) => `${path} is in the way, as ${why}: delete it, or have files come to another folder`;
      assertEquals(
        new Set(problems),
        new Set([told("other users may write to it"), ...Deno.uid() ? [] : [told("it is another user's")]]),
      );
      // on a disk that has the same rights for all its files they say nothing
      const { stat } = Deno.FsFile.prototype;
      Deno.FsFile.prototype.stat = async function () {
        return { ...await stat.call(this), mode: 0o100777 };
      };
      try {
        assertEquals(await begin(4), 400);
      } finally {
        Deno.FsFile.prototype.stat = stat;
      }
      await to.disk.close();
      assertEquals(listFolder(to.folder), [partOf("x", content)]);
    });
  },
});

Deno.test("Disk: who takes a file while another program gives the same one its name takes nothing from it", async () => {
  const { link } = Deno, { prototype } = Deno.FsFile, locks = Object.getOwnPropertyDescriptors(prototype);
  for (const hasLocks of [true, false]) {
    await withDisk(async (to) => {
      const content = someBytes(1000), other = openDisk(to.folder);
      let meanwhile: FileResult | undefined;
      Deno.link = async (...paths) => {
        await link(...paths);
        Deno.link = link;
        meanwhile = await other.ask(creating(1, "x", content));
      };
      if (!hasLocks) {
        Object.assign(prototype, { lock: () => Promise.resolve(), tryLock: () => Promise.resolve(true) });
      }
      try {
        assertEquals(await takeFile(to, 1, "x", content), { is: "finished", job: 1, path: join(to.folder, "x") });
        await to.disk.close();
        if (hasLocks) {
          assert(textOf(meanwhile!).includes(" is in use: "));
          assertEquals(listFolder(to.folder), ["x"]);
        } else {
          assertEquals(meanwhile, { is: "created", job: 1, have: 0 });
          await other.ask({ ask: "write", job: 1, at: 0, octets: content });
          assertEquals((await other.ask({ ask: "finish", job: 1 })).is, "finished");
          assertEquals(listFolder(to.folder), ["x", "x (2)"]);
        }
      } finally {
        Deno.link = link;
        Object.defineProperties(prototype, locks);
        if (!locks.tryLock) delete (prototype as { tryLock?: unknown }).tryLock;
        await other.disk.close();
      }
    });
  }
});
