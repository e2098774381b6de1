/** HPKE against the example of RFC 9180, appendix A.1.1, and what must not open. */
import { assert, assertEquals } from "@std/assert";
import { fromHex, toHex } from "../../protocol/bytes.ts";
import { open, seal } from "../../protocol/hpke.ts";
import { CRYPTO } from "../../runtime/crypto.ts";

const textOf = (hex: string) => new TextDecoder().decode(fromHex(hex));

Deno.test("HPKE: the first text of RFC 9180, A.1.1", () => {
  const sender = {
    privateKey: fromHex("52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736"),
    publicKey: fromHex("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"),
  };
  const receiver = {
    privateKey: fromHex("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8"),
    publicKey: fromHex("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d"),
  };
  const context = {
    info: textOf("4f6465206f6e2061204772656369616e2055726e"),
    additional: textOf("436f756e742d30"),
  };
  const text = fromHex("4265617574792069732074727574682c20747275746820626561757479");
  const sealed = seal(text, receiver.publicKey, context, CRYPTO, sender)!;
  assertEquals(sealed.key, sender.publicKey);
  assertEquals(
    toHex(sealed.sealed),
    "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a",
  );
  assertEquals(open(sealed, receiver, context, CRYPTO), text);
});

Deno.test("HPKE: nothing opens with another key, another context, or another byte", () => {
  const pair = CRYPTO.newX25519KeyPair(), context = { info: "register", additional: "Alice" };
  const text = new Uint8Array(80).fill(7), sealed = seal(text, pair.publicKey, context, CRYPTO)!;
  assertEquals(open(sealed, pair, context, CRYPTO), text);
  assertEquals(open(sealed, CRYPTO.newX25519KeyPair(), context, CRYPTO), undefined);
  for (const change of [{ info: "" }, { additional: "Bob" }]) {
    assertEquals(open(sealed, pair, { ...context, ...change }, CRYPTO), undefined);
  }
  for (const i of [0, 40, 95]) {
    const changed = { ...sealed, sealed: sealed.sealed.map((byte, at) => at === i ? byte ^ 1 : byte) };
    assertEquals(open(changed, pair, context, CRYPTO), undefined);
  }
  assertEquals(open({ ...sealed, sealed: new Uint8Array(5) }, pair, context, CRYPTO), undefined);
});

Deno.test("HPKE: a public key of small order is refused on both sides", () => {
  const pair = CRYPTO.newX25519KeyPair(), context = { info: "", additional: "" };
  const small = [new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31))];
  for (const key of small) {
    assertEquals(seal(new Uint8Array(1), key, context, CRYPTO), undefined);
    assertEquals(open({ key, sealed: new Uint8Array(17) }, pair, context, CRYPTO), undefined);
  }
});

Deno.test("HPKE: each text has a key of its own", () => {
  const pair = CRYPTO.newX25519KeyPair(), context = { info: "", additional: "" };
  const [one, other] = [1, 2].map(() => toHex(seal(new Uint8Array(80), pair.publicKey, context, CRYPTO)!.sealed));
  assert(one !== other);
});
