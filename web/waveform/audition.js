// What Play plays of a sound with a range: from the play position on, or the range, or the range again and again.
// Numbers only; it knows no page.

import { within } from "./range.js";

const LEAD = 1; // seconds before a range that is repeated, where no bars are known

/** @typedef {{from: number, until: number, again: number | null}} Part seconds; `again`: where it goes on from `until` */

/**
 * @param {import("./range.js").Range} range
 * @param {number} seconds of the sound; there is nothing yet where a song is extended
 * @param {number | null} position null: the start of the range
 * @param {number | null} lead seconds before the range that a loop begins with; null: once
 * @returns {Part}
 */
export function partToPlay(range, seconds, position, lead) {
  const { start, end } = heard(range, seconds);
  const at = position != null && position < seconds ? position : null;
  if (lead != null) {
    const again = Math.max(0, start - lead);
    return { from: at != null && at < end ? at : again, until: end, again };
  }
  const from = at ?? start;
  return { from, until: start <= from && from < end ? end : seconds, again: null };
}

/**
 * @param {number} start seconds of a range
 * @param {import("./grid.js").Ruler | null | undefined} bar
 * @returns {number} seconds: the bar before it
 */
export function leadBefore(start, bar) {
  if (!bar) return LEAD;
  const place = bar.near(start);
  return bar.at(place) - bar.at(place - 1);
}

/** @param {import("./range.js").Range} range @param {number} seconds @returns {import("./range.js").Range} */
function heard(range, seconds) {
  const start = within(range.start, 0, seconds);
  const end = within(range.end, 0, seconds);
  return start < end ? { start, end } : { start: 0, end: seconds };
}
