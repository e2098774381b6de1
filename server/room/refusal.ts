/**
 * Why somebody does not get what it asks for.
 *
 * @module
 */

/** The code of an ERROR, and a sentence for the user. */
export interface Refusal<Code extends string = string> {
  code: Code;
  text: string;
}
