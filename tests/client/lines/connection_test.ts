/** The client's TCP connection: how it is opened, and how its end is told. */
import { assertEquals } from "@std/assert";
import { Connection, type ConnectionEvent } from "../../../client/lines/connection.ts";
import { FakeConnection } from "../../support/fake_connection.ts";

/** Replaces the system's connections as long as `body` runs. */
async function withConnection(conn: FakeConnection, body: () => Promise<void>): Promise<void> {
  const { connect } = Deno;
  Deno.connect = (() => Promise.resolve(conn)) as unknown as typeof Deno.connect;
  try {
    await body();
  } finally {
    Deno.connect = connect;
  }
}

Deno.test("connection: lines leave at once, and the end that follows a write that failed is a broken one", async () => {
  for (const isBroken of [false, true]) {
    const conn = new FakeConnection();
    conn.failure = isBroken ? new Deno.errors.BrokenPipe() : undefined;
    await withConnection(conn, async () => {
      const written = Promise.withResolvers<void>();
      const connection = new Connection({ hostname: "server", port: 1 }, written.resolve);
      const events: ConnectionEvent[] = [];
      connection.connect();
      for await (const event of connection) {
        events.push(event.type === "bytes" ? { ...event, bytes: event.bytes.slice() } : event);
        if (event.type === "connected") {
          assertEquals(conn.done, ["setNoDelay true"]);
          connection.write(new TextEncoder().encode("hello\n"));
          if (!isBroken) await written.promise;
          conn.arrive("the last word\n");
          conn.end();
        }
        if (event.type === "closed") break;
      }
      const bytes = new TextEncoder().encode("the last word\n");
      // what the server has said before is read first
      assertEquals(events, [{ type: "connected" }, { type: "bytes", bytes }, { type: "closed", isBroken }]);
      assertEquals([connection.isWriting, conn.text], [isBroken, isBroken ? "" : "hello\n"]);
      connection.hangUp();
      assertEquals(conn.isClosed, true);
    });
  }
});

Deno.test("connection: the next one begins without the failure of the one before", async () => {
  const first = new FakeConnection(), second = new FakeConnection();
  first.failure = new Deno.errors.BrokenPipe();
  const ends: boolean[] = [];
  const connection = new Connection({ hostname: "server", port: 1 }, () => {});
  const events = connection[Symbol.asyncIterator]();
  for (const conn of [first, second]) {
    await withConnection(conn, async () => {
      connection.connect();
      assertEquals((await events.next()).value, { type: "connected" });
      if (conn === first) connection.write(new TextEncoder().encode("hello\n"));
      conn.arrive("the last word\n");
      assertEquals((await events.next()).value.type, "bytes");
      conn.end();
      const { value } = await events.next();
      if (value.type === "closed") ends.push(value.isBroken);
      connection.hangUp();
    });
  }
  assertEquals(ends, [true, false]);
});
