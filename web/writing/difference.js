// A change of a text.

/**
 * @typedef {object} Edit
 * @property {number} from where it begins in the text
 * @property {number} to where what it takes away ends
 * @property {string} put what stands there instead
 */

/**
 * @param {string} before
 * @param {string} after
 * @returns {Edit} what makes one of the other
 */
export function difference(before, after) {
  const most = Math.min(before.length, after.length);
  let from = 0;
  while (from < most && before[from] === after[from]) from++;
  let same = 0;
  while (same < most - from && before.at(-1 - same) === after.at(-1 - same)) same++;
  return { from, to: before.length - same, put: after.slice(from, after.length - same) };
}
