/** Address validation: a client may join when it sends back the cookie that was sent to its address. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { AddressValidation } from "../../../server/room/address_validation.ts";

const A = "192.0.2.1:1", B = "192.0.2.1:2";

Deno.test("address validation: each address has a cookie of its own, the same until it is used", () => {
  const validation = new AddressValidation();
  const cookie = validation.cookieFor(A, 0);
  assertEquals(validation.cookieFor(A, 0), cookie);
  assertNotEquals(validation.cookieFor(B, 0), cookie);
  assertEquals([A, B, "192.0.2.1:3"].map((address) => validation.isCookieOf(address, cookie)), [true, false, false]);
  assertEquals(["", undefined].map((none) => validation.isCookieOf("192.0.2.1:3", none)), [false, false]);
  validation.forget(A);
  assertEquals(validation.isCookieOf(A, cookie), false);
  assertNotEquals(validation.cookieFor(A, 0), cookie);
});

Deno.test("address validation: cookies are 64 random bits", () => {
  const validation = new AddressValidation();
  const cookies = new Set(Array.from({ length: 1000 }, (_, i) => validation.cookieFor(`10.0.0.1:${i + 1}`, 0)));
  assertEquals(cookies.size, 1000);
  for (const cookie of cookies) assert(/^[0-9a-f]{16}$/.test(cookie));
  assertNotEquals([...cookies].sort(), [...cookies]);
});

Deno.test("address validation: the latest 10,000 addresses of a flood are remembered", () => {
  const validation = new AddressValidation();
  const first = validation.cookieFor(A, 0);
  const cookies = Array.from({ length: 10_000 }, (_, i) => validation.cookieFor(`10.0.0.1:${i + 1}`, 0));
  assertEquals([validation.isCookieOf(A, first), validation.isCookieOf("10.0.0.1:1", cookies[0])], [false, true]);
});

Deno.test("address validation: an address is fresh for five seconds after its last greeting", () => {
  const validation = new AddressValidation();
  const fresh = (now: number) => validation.hasGreetedRecently(A, now);
  assertEquals(fresh(0), false);
  validation.cookieFor(A, 0);
  assertEquals([fresh(0), fresh(4999), fresh(5000)], [true, true, false]);
  validation.cookieFor(A, 5000);
  assertEquals([fresh(9999), fresh(10_000), validation.hasGreetedRecently(B, 9999)], [true, false, false]);
});
