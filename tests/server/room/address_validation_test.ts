/** Address validation: a client may join when it sends back the cookie that was sent to its address. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { AddressValidation } from "../../../server/room/address_validation.ts";

const A = "192.0.2.1:1", B = "192.0.2.1:2";

Deno.test("address validation: each address has a cookie of its own, the same until it is used", () => {
  const newcomers = new AddressValidation();
  const cookie = newcomers.cookieFor(A, 0);
  assertEquals(newcomers.cookieFor(A, 0), cookie);
  assertNotEquals(newcomers.cookieFor(B, 0), cookie);
  assertEquals([A, B, "192.0.2.1:3"].map((address) => newcomers.isCookieOf(address, cookie)), [true, false, false]);
  assertEquals(["", undefined].map((none) => newcomers.isCookieOf("192.0.2.1:3", none)), [false, false]);
  newcomers.forget(A);
  assertEquals(newcomers.isCookieOf(A, cookie), false);
  assertNotEquals(newcomers.cookieFor(A, 0), cookie);
});

Deno.test("address validation: cookies are 64 random bits", () => {
  const newcomers = new AddressValidation();
  const cookies = new Set(Array.from({ length: 1000 }, (_, i) => newcomers.cookieFor(`10.0.0.1:${i + 1}`, 0)));
  assertEquals(cookies.size, 1000);
  for (const cookie of cookies) assert(/^[0-9a-f]{16}$/.test(cookie));
  assertNotEquals([...cookies].sort(), [...cookies]);
});

Deno.test("address validation: the latest 10,000 addresses of a flood are remembered", () => {
  const newcomers = new AddressValidation();
  const first = newcomers.cookieFor(A, 0);
  const cookies = Array.from({ length: 10_000 }, (_, i) => newcomers.cookieFor(`10.0.0.1:${i + 1}`, 0));
  assertEquals([newcomers.isCookieOf(A, first), newcomers.isCookieOf("10.0.0.1:1", cookies[0])], [false, true]);
});

Deno.test("address validation: an address is fresh for five seconds after its last greeting", () => {
  const newcomers = new AddressValidation();
  const fresh = (now: number) => newcomers.hasGreetedRecently(A, now);
  assertEquals(fresh(0), false);
  newcomers.cookieFor(A, 0);
  assertEquals([fresh(0), fresh(4999), fresh(5000)], [true, true, false]);
  newcomers.cookieFor(A, 5000);
  assertEquals([fresh(9999), fresh(10_000), newcomers.hasGreetedRecently(B, 9999)], [true, false, false]);
});
