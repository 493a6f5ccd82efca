// The part of a sound that is shown: closer, further, to the side. Numbers only; it knows no page.

import { within } from "./range.js";

/** @typedef {import("./range.js").View} View */

const SHORTEST_VIEW = 0.25; // seconds
const LEAD = 0.1; // of a view, before what it has been turned to
const MARGIN = 0.25; // of a range's length, beside it when the view goes to it

/**
 * @param {View} view
 * @param {View} whole
 * @returns {View} as long as `view` where there is so much, inside `whole`
 */
export function inside(view, whole) {
  const length = Math.min(lengthOf(view), lengthOf(whole));
  const from = within(view.from, whole.from, whole.to - length);
  return { from, to: from + length };
}

/**
 * @param {View} view
 * @param {View} whole
 * @param {number} factor of its length
 * @param {number} at seconds that stay where they are drawn
 * @returns {View}
 */
export function zoomed(view, whole, factor, at) {
  const most = lengthOf(whole);
  const length = within(lengthOf(view) * factor, Math.min(SHORTEST_VIEW, most), most);
  const from = at - ((at - view.from) / lengthOf(view)) * length;
  return inside({ from, to: from + length }, whole);
}

/** @param {View} view @param {View} whole @param {number} delta seconds @returns {View} */
export function panned(view, whole, delta) {
  return inside({ from: view.from + delta, to: view.to + delta }, whole);
}

/** @param {import("./range.js").Range} range @param {View} whole @returns {View} with some room on either side */
export function around({ start, end }, whole) {
  const room = Math.max((end - start) * MARGIN, SHORTEST_VIEW / 2);
  return inside({ from: start - room, to: end + room }, whole);
}

/**
 * The next page when the play position runs out of the view; a view elsewhere stays where the user put it.
 * @param {View} view
 * @param {View} whole
 * @param {number} before seconds, the last position
 * @param {number} now seconds
 * @returns {View}
 */
export function followed(view, whole, before, now) {
  const shown = (/** @type {number} */ time) => view.from <= time && time <= view.to;
  return shown(before) && !shown(now) ? revealed(view, whole, now) : view;
}

/** @param {View} view @param {View} whole @param {number} time seconds @returns {View} the next one that has it */
export function revealed(view, whole, time) {
  if (view.from <= time && time <= view.to) return view;
  const from = time - lengthOf(view) * LEAD;
  return inside({ from, to: from + lengthOf(view) }, whole);
}

/** @param {View} view @returns {number} seconds */
export function lengthOf({ from, to }) {
  return to - from;
}
