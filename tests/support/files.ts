/**
 * Waits for what another program writes into a file.
 *
 * @module
 */
import { Changing } from "../../scripts/support/waiting.ts";

/** Pause between two looks at a file, in milliseconds. */
const LOOK_AGAIN_MS = 40;

/**
 * Waits until the content of a file matches a pattern, and returns the match.
 *
 * @param deadline Milliseconds.
 */
export async function contentOf(path: string, pattern: RegExp, deadline?: number): Promise<RegExpExecArray> {
  const file = new Changing();
  const looking = setInterval(() => file.changed(), LOOK_AGAIN_MS);
  try {
    const read = () => Deno.readTextFileSync(path);
    return await file.until(() => pattern.exec(read()) ?? undefined, () => `${path} has ${read()}`, deadline);
  } finally {
    clearInterval(looking);
  }
}
