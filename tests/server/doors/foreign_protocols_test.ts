import { assert, assertEquals } from "@std/assert";
import { countBlank, foreignProtocol, httpAnswer, MAX_HEAD_BYTES } from "../../../server/doors/foreign_protocols.ts";

const bytes = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const COOKIE = "\x21\x12\xa4\x42";
const long = "a".repeat(2 * MAX_HEAD_BYTES);

Deno.test("foreign protocols: HTTP, TLS and SSH are known by their first bytes", () => {
  for (
    const [head, expected] of [
      ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "http"],
      ["POST /say HTTP/1.1\r\n\r\nhello", "http"],
      ["OPTIONS * HTTP/1.1\r\n", "http"],
      ["CONNECT example.org:443 HTTP/1.1\r\n", "http"],
      ["GET http://example.org/ HTTP/1.0\r\n", "http"],
      ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http"],
      ["brew-it /pot HTTP/1.1", "http"],
      ["get /x http/1.1\n", "http"],
      [`GET /${long}`, "http"],
      [`POST /${long} HTTP/1.1\r\n`, "http"],
      ["\x16\x03\x01\x02\x00", "tls"],
      ["\x16\x03", "tls"],
      [" \t\0GET / HTTP/1.1\r\n", "http"],
      ["  \r\n\t\nPOST / HTTP/1.1\r\n", "http"],
      ["POST\t/\tHTTP/1.1\r\n", "http"],
      ["GET /a b HTTP/1.1\r\n", "http"],
      ["OPTIONS rtsp://x/ RTSP/1.0\r\n", "http"],
      ["INVITE sip:x@y SIP/2.0\r\n", "http"],
      [`\0\x03\0\x10${COOKIE}hello`, "stun"],
      [`\x03\0\x10${COOKIE}hello`, "stun"],
      [`\0\x5c\0\x01\0\x50${COOKIE}hello`, "stun"],
      [`\x5c\0\x01\0\x50${COOKIE}hello`, "stun"],
      ["SSH-2.0-OpenSSH_9.6\r\n", "ssh"],
      ["SSH-1.99-x", "ssh"],
    ] as const
  ) {
    assertEquals(foreignProtocol(bytes(head)), expected, head.slice(0, 40));
  }
});

Deno.test("foreign protocols: what people and programs say is none of them", () => {
  for (
    const text of [
      "hello",
      "hello\n",
      "GET up!\n",
      "GET\n",
      "GET /\n",
      "I love HTTP/2\n",
      "look https://example.org\n",
      "/name Alice",
      "hi /all",
      "see /etc/hosts",
      "look https://example.org/x",
      "get /x",
      "GETTING /x",
      "connect to me",
      "SSH is nice",
      "SSH\n",
      "\x16hi",
      "PUTTING it off",
      "Zo\xc3\xab",
      "  hello\n",
      "hi\0",
      "look at sip:x@y\n",
      "! $B and so on",
      long,
      `hi ${long}`,
    ]
  ) {
    assertEquals(foreignProtocol(bytes(text)), "none", text.slice(0, 40));
  }
});

Deno.test("foreign protocols: a request that arrives byte by byte is never taken for a chat", () => {
  for (
    const request of [
      "GET / HTTP/1.1\r\n",
      "POST /a/b?c=d HTTP/1.1\r\n",
      "DELETE /a HTTP/1.1\r\n",
      "CONNECT example.org:443 HTTP/1.1\r\n",
      "  GET / HTTP/1.1\r\n",
      "PATCH \t/a HTTP/1.1\r\n",
      "SSH-2.0-x",
      "\x16\x03\x01",
      `\0\x03\0\x10${COOKIE}`,
      `\x03\0\x10${COOKIE}`,
    ]
  ) {
    let verdict = "unclear";
    for (let end = 1; end <= request.length && verdict === "unclear"; end++) {
      verdict = foreignProtocol(bytes(request.slice(0, end)));
    }
    assert(!["none", "unclear"].includes(verdict), request);
  }
});

Deno.test("foreign protocols: what has no end is judged by what there is", () => {
  for (const text of ["GET / HT", "POST /say", "CONNECT x:1"]) assertEquals(foreignProtocol(bytes(text), true), "http");
  for (const text of ["GET", "G", "see /etc/hosts", "\x16", "SSH-"]) {
    assertEquals(foreignProtocol(bytes(text), true), "none");
  }
});

Deno.test("foreign protocols: empty lines at the beginning are counted", () => {
  assertEquals(["", "\r\n\n\0", "\nhi\n", "hi"].map((text) => countBlank(bytes(text))), [0, 4, 1, 0]);
});

Deno.test("foreign protocols: the answer is a whole response of HTTP", () => {
  const [head, body] = new TextDecoder().decode(httpAnswer()).split("\r\n\r\n");
  assert(head.startsWith("HTTP/1.0 400 Bad Request\r\n"));
  assertEquals(/Content-Length: (\d+)/.exec(head)?.[1], String(body.length));
});
