// The arithmetic of a range on a line of time: what is held, where it may go, how it snaps.
// Numbers only; it knows no page.

/** @typedef {{start: number, end: number}} Range seconds */
/** @typedef {"start" | "end" | "whole"} Part what is moved */
/** @typedef {{from: number, to: number}} View the seconds that are shown */

export const PARTS = /** @type {const} */ (["start", "whole", "end"]);
export const SHORTEST = 0.04; // seconds: one latent frame

/**
 * The part of the range at `time`; a new range begins where none is.
 * @param {Range | null} range
 * @param {number} time
 * @param {number} reach seconds around an end that hold it
 * @returns {Part | "new"}
 */
export function partAt(range, time, reach) {
  if (!range) return "new";
  const toStart = Math.abs(time - range.start);
  const toEnd = Math.abs(time - range.end);
  if (Math.min(toStart, toEnd) <= reach) return toStart < toEnd ? "start" : "end";
  return range.start < time && time < range.end ? "whole" : "new";
}

/**
 * `range` with `part` moved by `delta` seconds, inside `view`.
 * @param {Range} range
 * @param {Part} part
 * @param {number} delta
 * @param {View} view
 * @param {number} [grid] seconds between the lines it snaps to; 0: none
 * @returns {Range}
 */
export function moved(range, part, delta, view, grid = 0) {
  if (part === "whole") {
    const length = range.end - range.start;
    const start = within(snapped(range.start + delta, grid), view.from, view.to - length);
    return { start, end: start + length };
  }
  const shortest = Math.max(SHORTEST, grid);
  if (part === "start") {
    const start = snapped(range.start + delta, grid);
    return { start: within(start, view.from, range.end - shortest), end: range.end };
  }
  const end = snapped(range.end + delta, grid);
  return { start: range.start, end: within(end, range.start + shortest, view.to) };
}

/**
 * The range between two secondsWidgets, in whichever order.
 * @param {number} one
 * @param {number} other
 * @param {View} view
 * @param {number} [grid]
 * @returns {Range}
 */
export function between(one, other, view, grid = 0) {
  const [first, last] = [one, other].map((time) => snapped(time, grid)).sort((a, b) => a - b);
  const start = within(first, view.from, view.to - SHORTEST);
  return { start, end: within(last, start + Math.max(SHORTEST, grid), view.to) };
}

/** @param {number} time @param {number} grid */
export function snapped(time, grid) {
  return grid > 0 ? Math.round(time / grid) * grid : time;
}

/** @param {number} value @param {number} least @param {number} most */
export function within(value, least, most) {
  return Math.max(least, Math.min(most, value));
}

/** @param {number} seconds @returns {string} 75.5 as 1:15.50 */
export function clock(seconds) {
  const sign = seconds < 0 ? "-" : "";
  const whole = Math.round(Math.abs(seconds) * 100);
  const minutes = Math.floor(whole / 6000);
  return `${sign}${minutes}:${((whole % 6000) / 100).toFixed(2).padStart(5, "0")}`;
}
