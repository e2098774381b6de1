/** The ids of requests: counted, and known again. */
import { assertEquals } from "@std/assert";
import { RequestIds } from "../../../client/session/request_ids.ts";

Deno.test("request ids: each follows the one before, and only those that were given are known", () => {
  const ids = new RequestIds(100);
  assertEquals([ids.has(100), ids.has(101), ids.has(undefined)], [false, false, false]);
  assertEquals([ids.next(), ids.next()], [101, 102]);
  assertEquals([99, 100, 101, 102, 103].map((id) => ids.has(id)), [false, false, true, true, false]);
});
