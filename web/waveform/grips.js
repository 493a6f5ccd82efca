// Where a range can be held, in pixels: its ends and its middle are as large as a pointer needs, however short the
// range is drawn. Numbers only; it knows no page.

import { within } from "./range.js";
import { lengthOf } from "./zoom.js";

const END = 18; // pixels: width of the area that holds an end
const MIDDLE = 12; // pixels: least width of the one between them

/** @typedef {[number, number]} Span pixels */
/** @typedef {{start: Span, whole: Span, end: Span}} Grips */

/**
 * An end is held around its line. Where the range is shorter than that they lie side by side, and inside the
 * picture where the range is.
 * @param {import("./range.js").Range} range
 * @param {import("./range.js").View} view
 * @param {number} width pixels
 * @returns {Grips}
 */
export function gripsOf(range, view, width) {
  const x = (/** @type {number} */ time) => ((time - view.from) / lengthOf(view)) * width;
  const [left, right] = [x(range.start), x(range.end)];
  const half = Math.max(MIDDLE, right - left - END) / 2;
  const shown = right >= 0 && left <= width;
  const short = right - left < MIDDLE + END;
  const room = half + END;
  const middle = (left + right) / 2;
  const centre = short && shown ? within(middle, room, width - room) : middle;
  return {
    start: [centre - room, centre - half],
    whole: [centre - half, centre + half],
    end: [centre + half, centre + room],
  };
}

/**
 * @param {Grips | null} grips
 * @param {number} x pixels
 * @returns {import("./range.js").Part | "new"} a new range begins where none is
 */
export function partAt(grips, x) {
  if (!grips) return "new";
  for (const part of /** @type {const} */ (["start", "end", "whole"])) {
    const [left, right] = grips[part];
    if (left <= x && x <= right) return part;
  }
  return "new";
}
