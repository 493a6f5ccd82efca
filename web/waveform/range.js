// The arithmetic of a range on a line of time: where it may go, how it snaps, how it is written.
// Numbers only; it knows no page.

/** @typedef {{start: number, end: number}} Range seconds */
/** @typedef {"start" | "end" | "whole"} Part what is moved */
/** @typedef {import("./grid.js").Ruler} Ruler */
/** @typedef {{from: number, to: number}} View the seconds that are shown */

export const PARTS = /** @type {const} */ (["start", "whole", "end"]);
export const SHORTEST = 0.04; // seconds: one latent frame

/**
 * `range` with `part` moved by `delta` seconds, inside `view`.
 * @param {Range} range
 * @param {Part} part
 * @param {number} delta
 * @param {View} view
 * @param {Ruler | null} [ruler] the lines that it snaps to
 * @returns {Range}
 */
export function moved(range, part, delta, view, ruler = null) {
  if (part === "whole") {
    const length = range.end - range.start;
    const start = within(snapped(range.start + delta, ruler), view.from, view.to - length);
    return { start, end: start + length };
  }
  if (part === "start") {
    const start = snapped(range.start + delta, ruler);
    return { start: within(start, view.from, beside(range.end, -1, ruler)), end: range.end };
  }
  const end = snapped(range.end + delta, ruler);
  return { start: range.start, end: within(end, beside(range.start, 1, ruler), view.to) };
}

/**
 * The range between two secondsWidgets, in whichever order.
 * @param {number} one
 * @param {number} other
 * @param {View} view
 * @param {Ruler | null} [ruler]
 * @returns {Range}
 */
export function between(one, other, view, ruler = null) {
  const [first, last] = [one, other].map((time) => snapped(time, ruler)).sort((a, b) => a - b);
  const start = within(first, view.from, view.to - SHORTEST);
  return { start, end: within(last, beside(start, 1, ruler), view.to) };
}

/** @param {number} time @param {Ruler | null} ruler */
export function snapped(time, ruler) {
  return ruler ? ruler.at(ruler.near(time)) : time;
}

/**
 * The nearest time that the other end of a range at `time` may have: the next line, or a frame away.
 * @param {number} time
 * @param {1 | -1} side
 * @param {Ruler | null} ruler
 */
function beside(time, side, ruler) {
  return ruler ? ruler.at(ruler.near(time) + side) : time + side * SHORTEST;
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

/** @param {number} seconds @returns {string} 12 as 0:12, and 12.5 as 0:12.5 */
export function brief(seconds) {
  return clock(seconds).replace(/\.?0+$/, "");
}
