// What is written beside a waveform: times at round distances, and numbers of bars. Numbers only; it knows no page.

import { brief } from "./range.js";
import { lengthOf } from "./zoom.js";

/** @typedef {{time: number, label: string}} Mark seconds */

const STEPS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300]; // seconds
const TIME_DISTANCE = 48; // pixels at least from one time to the next
const BAR_DISTANCE = 24; // pixels at least from one number to the next
const NEAR = 1e-9; // of a step: what floats make of a line at the edge

/**
 * @param {import("./range.js").View} view
 * @param {number} width pixels
 * @returns {Mark[]}
 */
export function timeMarks(view, width) {
  const least = (TIME_DISTANCE / width) * lengthOf(view);
  const step = STEPS.find((each) => each >= least) ?? STEPS[STEPS.length - 1];
  const [first, last] = [Math.ceil(view.from / step - NEAR), Math.floor(view.to / step + NEAR)];
  const count = Math.max(0, last - first + 1);
  return Array.from({ length: count }, (_, n) => ({ time: (first + n) * step, label: brief((first + n) * step) }));
}

/**
 * The first bar is number 1, wherever it begins; what lies before it has none.
 * @param {import("./grid.js").Ruler} bar
 * @param {import("./range.js").View} view
 * @param {number} width pixels
 * @returns {Mark[]}
 */
export function barMarks(bar, view, width) {
  const distance = (bar.step / lengthOf(view)) * width;
  let every = 1;
  while (every * distance < BAR_DISTANCE) every *= 2;
  const [near, last] = [bar.near(view.from), bar.near(view.to)];
  const marks = [];
  for (let place = Math.max(0, Math.ceil(near / every) * every); place <= last; place += every) {
    const time = bar.at(place);
    if (view.from <= time && time <= view.to) marks.push({ time, label: String(place + 1) });
  }
  return marks;
}
