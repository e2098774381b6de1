/** Address validation: a client may join when it sends back the cookie that was sent to its address. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { AddressValidation, isShortEnough } from "../../../server/room/address_validation.ts";

const A = "192.0.2.1:1", B = "192.0.2.1:2";

Deno.test("address validation: each address has a cookie of its own", () => {
  const validation = new AddressValidation();
  const cookie = validation.cookieFor(A, 0);
  assertEquals(validation.cookieFor(A, 0), cookie);
  assertNotEquals(validation.cookieFor(B, 0), cookie);
  assertEquals([A, B, "192.0.2.1:3"].map((address) => validation.isCookieOf(address, cookie, 0)), [true, false, false]);
  assertEquals(["", undefined].map((none) => validation.isCookieOf("192.0.2.1:3", none, 0)), [false, false]);
});

Deno.test("address validation: another server, or this one after a restart, does not know the cookie", () => {
  assertEquals(new AddressValidation().isCookieOf(A, new AddressValidation().cookieFor(A, 0), 0), false);
});

Deno.test("address validation: cookies are 64 random bits", () => {
  const validation = new AddressValidation();
  const cookies = new Set(Array.from({ length: 1000 }, (_, i) => validation.cookieFor(`10.0.0.1:${i + 1}`, 0)));
  assertEquals(cookies.size, 1000);
  for (const cookie of cookies) assert(/^[0-9a-f]{16}$/.test(cookie));
  assertNotEquals([...cookies].sort(), [...cookies]);
});

Deno.test("address validation: a cookie is good for 30 s, and for 60 s at most", () => {
  const validation = new AddressValidation();
  for (const [begin, pause] of [[0, 0], [100_000, 29_999], [300_000, 45_000]]) {
    validation.cookieFor(B, begin);
    const at = begin + pause;
    const cookie = validation.cookieFor(A, at);
    assert(validation.isCookieOf(A, cookie, at + 30_000), `from ${at}, after 30 s`);
    assertEquals(validation.isCookieOf(A, cookie, at + 60_000), false, `from ${at}, after 60 s`);
  }
  const old = validation.cookieFor(A, 500_000);
  assertEquals(validation.isCookieOf(A, old, 900_000), false, "after a long pause");
});

Deno.test("address validation: an answer may have three times the bytes of the request", () => {
  const retry = { dialect: "v1", type: "RETRY", id: 1, cookie: "0123456789abcdef" } as const;
  assertEquals([16, 17].map((bytes) => isShortEnough(retry, bytes)), [false, true]);
  assert(isShortEnough({ ...retry, id: 100 }, 17), "exactly three times as many");
});

Deno.test("address validation: an address is fresh for five seconds after its last greeting", () => {
  const validation = new AddressValidation();
  const fresh = (now: number) => validation.hasGreetedRecently(A, now);
  assertEquals(fresh(0), false);
  validation.noteGreeting(A, 0);
  assertEquals([fresh(0), fresh(4999), fresh(5000)], [true, true, false]);
  validation.noteGreeting(A, 5000);
  assertEquals([fresh(9999), fresh(10_000), validation.hasGreetedRecently(B, 9999)], [true, false, false]);
});
