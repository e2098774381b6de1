#!/bin/sh
# Makes this folder ready to run: installs Deno if there is none and fetches the
# dependencies. When the JSR registry can't be reached (a blocked network, a
# proxy that only knows npm), it writes a stand-in for the @std packages to
# vendor/: the same code, taken from npm. It is safe to run again at any time.
# Set DENO to use another Deno.
set -eu
cd "$(dirname "$0")/.."

fail() {
  echo "setup: $1" >&2
  exit 1
}
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

if [ -z "${DENO:-}" ]; then
  if ! command -v deno >/dev/null 2>&1; then
    if [ -x "${DENO_INSTALL:-$HOME/.deno}/bin/deno" ]; then
      :
    elif command -v npm >/dev/null 2>&1; then
      echo "setup: installing Deno with npm"
      npm install --global deno >/dev/null 2>&1 ||
        fail "'npm install --global deno' failed: run it by hand to see why (rights?)"
    elif command -v curl >/dev/null 2>&1; then
      echo "setup: installing Deno with its own installer"
      # not through a pipe: sh would run a script that is cut off, and take an empty one for a success
      curl -fsSL --output "$temporary/install.sh" https://deno.land/install.sh ||
        fail "Deno's installer can't be fetched: is there a network? Or install Deno as https://deno.com says"
      sh "$temporary/install.sh" --yes >/dev/null ||
        fail "Deno's installer failed: install Deno as https://deno.com says"
    else
      fail "there is no Deno, and neither npm nor curl to fetch it with: install it as https://deno.com says"
    fi
  fi
  if ! DENO=$(command -v deno); then
    DENO=${DENO_INSTALL:-$HOME/.deno}/bin/deno
    echo "setup: deno is not on your PATH yet: export PATH=\"$(dirname "$DENO"):\$PATH\""
  fi
fi
# a proxy may have its own certificate, which is only in the system's store
export DENO_TLS_CA_STORE="${DENO_TLS_CA_STORE:-mozilla,system}"
runtime=$("$DENO" --version 2>/dev/null) ||
  fail "there is no Deno that runs at $DENO: install it as https://deno.com says"
echo "setup: $(echo "$runtime" | head -n 1)"

# Writes one export of an @std package: PACKAGE NAME, with the type declarations on stdin.
stand_in() {
  folder=vendor/jsr.io/@std/$1/$(version "$1")
  mkdir -p "$folder"
  cat >"$folder/$2.d.ts"
  printf '// @ts-types="./%s.d.ts"\nexport * from "npm:deno-std@1.4.0/%s/%s.js";\n' \
    "$2" "$1" "$2" >"$folder/$2.ts"
}

version() {
  sed -n "s|.*\"jsr:@std/$1@\([^\"]*\)\".*|\1|p" deno.json
}

# Writes the two files by which Deno finds a package: PACKAGE EXPORTS, the exports as JSON.
manifest() {
  folder=vendor/jsr.io/@std/$1
  printf '{"scope":"std","name":"%s","latest":"%s","versions":{"%s":{}}}\n' \
    "$1" "$(version "$1")" "$(version "$1")" >"$folder/meta.json"
  printf '{"manifest":{},"exports":%s}\n' "$2" >"$folder/$(version "$1")_meta.json"
}

write_stand_in() {
  stand_in cli parse_args <<'TYPES'
export interface ParseOptions {
  boolean?: boolean | string | readonly string[];
  string?: string | readonly string[];
  collect?: string | readonly string[];
  negatable?: string | readonly string[];
  alias?: Record<string, string | readonly string[]>;
  default?: Record<string, unknown>;
  stopEarly?: boolean;
  "--"?: boolean;
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}
// deno-lint-ignore no-explicit-any
export type Args = { _: (string | number)[]; [name: string]: any };
export function parseArgs(args: readonly string[], options?: ParseOptions): Args;
TYPES
  manifest cli '{"./parse-args":"./parse_args.ts"}'

  {
    for colour in bold dim red green yellow blue magenta cyan gray \
      brightRed brightGreen brightYellow brightBlue brightMagenta brightCyan; do
      echo "export function $colour(text: string): string;"
    done
    echo "export function getColorEnabled(): boolean;"
    echo "export function setColorEnabled(value: boolean): void;"
    echo "export function stripAnsiCode(text: string): string;"
  } | stand_in fmt colors
  stand_in fmt bytes <<'TYPES'
export function format(bytes: number, options?: { binary?: boolean }): string;
TYPES
  manifest fmt '{"./colors":"./colors.ts","./bytes":"./bytes.ts"}'

  stand_in assert mod <<'TYPES'
// deno-lint-ignore-file no-explicit-any
export class AssertionError extends Error {}
export function assert(value: unknown, message?: string): asserts value;
export function assertEquals<T>(actual: T, expected: T, message?: string): void;
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void;
export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): asserts actual is T;
export function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T>;
export function assertMatch(actual: string, expected: RegExp, message?: string): void;
export function assertNotMatch(actual: string, expected: RegExp, message?: string): void;
export function assertStringIncludes(actual: string, expected: string, message?: string): void;
export function assertArrayIncludes<T>(actual: ArrayLike<T>, expected: ArrayLike<T>, message?: string): void;
export function assertObjectMatch(actual: Record<PropertyKey, any>, expected: Record<PropertyKey, unknown>, message?: string): void;
export function assertGreater<T>(actual: T, expected: T, message?: string): void;
export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void;
export function assertLess<T>(actual: T, expected: T, message?: string): void;
export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void;
export function assertThrows<E extends Error = Error>(fn: () => unknown, type?: new (...args: any[]) => E, includes?: string): E;
export function assertRejects<E extends Error = Error>(fn: () => PromiseLike<unknown>, type?: new (...args: any[]) => E, includes?: string): Promise<E>;
export function fail(message?: string): never;
export function unreachable(reason?: string): never;
TYPES
  manifest assert '{".":"./mod.ts"}'
}

fetch_dependencies() {
  # the file imports every package that the project uses, so that later runs need no network
  "$DENO" cache scripts/dependencies.ts
}

log=$temporary/log
if fetch_dependencies >"$log" 2>&1; then
  echo "setup: dependencies are here"
elif write_stand_in && fetch_dependencies >"$log" 2>&1; then
  echo "setup: JSR can't be reached; @std stands in vendor/, from npm"
else
  cat "$log" >&2
  fail "the dependencies can't be fetched: neither from JSR nor from npm"
fi
echo "setup: ready. Next: deno run -A server.ts 9090"
