/** The session as a browser gets it: bundled, without node:, and run where there is neither Deno nor Node. */
import { assert, assertEquals, assertNotMatch } from "@std/assert";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createContext, runInContext } from "node:vm";
import type { Session } from "../client/session/session.ts";
import type { Shown } from "../client/session/shown.ts";
import type { decode, encode } from "../protocol.ts";
import { BuildError, ROOT, runDeno } from "../scripts/programs.ts";
import { FakeRoom } from "./support/fake_room.ts";

/** What the bundle gives. */
interface Bundle {
  Session: typeof Session;
  encode: typeof encode;
  decode: typeof decode;
}

/** Bundles the session and the codec for a browser; undefined where the bundler can't be fetched. */
async function bundle(): Promise<string | undefined> {
  const folder = await Deno.makeTempDir({ prefix: "udp-chat-" });
  try {
    const entry = join(folder, "entry.ts"), output = join(folder, "bundle.js");
    const url = (path: string) => pathToFileURL(join(ROOT, path));
    await Deno.writeTextFile(
      entry,
      `import { Session } from "${url("client/session/session.ts")}";
       import { decode, encode } from "${url("protocol.ts")}";
       Object.assign(globalThis, { bundle: { Session, decode, encode } });\n`,
    );
    await runDeno(["bundle", "--platform", "browser", "--format", "iife", "--output", output, entry]);
    return await Deno.readTextFile(output);
  } catch (error) {
    const isOffline = /error sending request|failed to download/i;
    if (error instanceof BuildError && isOffline.test(error.message) && /esbuild/.test(error.message)) return undefined;
    throw error;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const script = await bundle();

/** A test of the bundle. */
function browserTest(name: string, fn: (script: string) => void): void {
  const reason = script === undefined ? " (skipped: the bundler can't be fetched)" : "";
  Deno.test({ name: `browser: ${name}${reason}`, ignore: script === undefined, fn: () => fn(script!) });
}

browserTest("the bundle imports nothing and asks nothing of Deno or Node", (script) => {
  assertNotMatch(script, /["']node:|["']npm:|["']jsr:|\brequire\(|^\s*import\b|\bimport\(/m);
  assertNotMatch(script, /\bDeno\b|\bprocess\b|\bBuffer\b/);
});

browserTest("it joins a room, says something and hears it, with nothing but what browsers have", (script) => {
  const realm = createContext({ crypto, TextEncoder, TextDecoder });
  assertEquals(runInContext("typeof Deno + typeof process + typeof require", realm), "undefined".repeat(3));
  runInContext(script, realm);
  const { Session, encode, decode } = realm.bundle as Bundle;

  const room = new FakeRoom();
  const address = "192.168.1.30:50001", shown: Shown[] = [];
  const underWay: Uint8Array[] = [];
  const session = new Session({
    server: "the page's own server",
    name: "Zoë",
    // as a WebSocket would carry them
    send: (packet) => void underWay.push(encode(packet)),
    show: (what) => void shown.push(what),
  });
  let now = 0;
  session.start(now);
  session.say("hello from a page", now);
  for (let steps = 0; steps < 100 && !shown.some(({ kind }) => kind === "message"); steps++) {
    for (const bytes of underWay.splice(0)) {
      const sent = room.datagram(address, new TextDecoder().decode(bytes)).filter(({ to }) => to === address);
      for (const { bytes } of sent) {
        const decoded = decode(bytes);
        assert(decoded.ok);
        session.receive(decoded.packet, now);
      }
    }
    now += 100;
    session.wake(now);
  }
  const [message] = shown.filter((what) => what.kind === "message");
  assertEquals([message?.text, message?.name, message?.from], ["hello from a page", "Zoë", address]);
  assertEquals(session.state, "joined");
});
