/**
 * Measures how much is remembered of many: what has no other trace outside, as what is forgotten counts as new.
 *
 * @module
 */

/** The most entries that any Map has had while `body` ran. */
export function largestMap(body: () => void): number {
  const { set } = Map.prototype;
  let largest = 0;
  Map.prototype.set = function (key, value) {
    set.call(this, key, value);
    largest = Math.max(largest, this.size);
    return this;
  };
  try {
    body();
  } finally {
    Map.prototype.set = set;
  }
  return largest;
}
