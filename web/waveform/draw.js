// Draws a sound on a canvas: peaks, a range, beats, times and numbers of bars, the position of the player.

import { coloursOf } from "../colours.js";
import { gripsOf } from "./grips.js";
import { FULL, loudest } from "./peaks.js";
import { barMarks, timeMarks } from "./time_ruler.js";

export const STRIP = 12; // pixels: height of the times below the wave, and of the bars above it
const FONT = 10; // pixels
const STRENGTHS = { kept: 0.6, veil: 0.15, beat: 0.12, bar: 0.3 }; // of a colour, 1 covers
const HANDLE = 4; // pixels: half the width of a handle
const MIN_GRID_DISTANCE = 4; // pixels between lines of a grid
const TICK = 4; // pixels

/**
 * @typedef {object} Scene
 * @property {number[]} peaks
 * @property {number} seconds of the sound
 * @property {number} [begin] seconds: where the sound lies on the line of time; 0 as a rule
 * @property {import("./range.js").View} view
 * @property {import("./range.js").Range | null} [range]
 * @property {import("./range.js").Range | null} [played] drawn bright, without handles
 * @property {number | null} [now] seconds
 * @property {import("./grid.js").Grid | null} [grid]
 */

/**
 * Where things are drawn; all lengths are in pixels of a page that is not enlarged.
 * @typedef {object} Space
 * @property {number} width
 * @property {number} height
 * @property {number} top of the wave
 * @property {number} bottom of the wave
 * @property {number} fine pixels of the screen in one of these
 * @property {(time: number) => number} x
 */

/** @typedef {CanvasRenderingContext2D} Brush */
/** @typedef {import("../colours.js").Colours} Colours */

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Scene} scene
 */
export function draw(canvas, scene) {
  const { brush, ...size } = brushOf(canvas);
  paint(brush, scene, size, coloursOf(canvas));
}

/**
 * Of a canvas with as many pixels as the screen has for it; lengths are those of `Space`.
 * @param {HTMLCanvasElement} canvas
 * @returns {{brush: Brush, width: number, height: number, fine: number}}
 */
export function brushOf(canvas) {
  const fine = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((each) => Math.max(1, Math.round(each * fine)));
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const brush = /** @type {Brush} */ (canvas.getContext("2d"));
  brush.setTransform(fine, 0, 0, fine, 0, 0);
  return { brush, width: width / fine, height: height / fine, fine };
}

/**
 * @param {Brush} brush
 * @param {Scene} scene
 * @param {{width: number, height: number, fine: number}} size see `Space`
 * @param {Colours} colours
 */
export function paint(brush, scene, size, colours) {
  const { from, to } = scene.view;
  const space = {
    ...size,
    top: scene.grid?.bar ? STRIP : 0,
    bottom: size.height - STRIP,
    x: (/** @type {number} */ time) => ((time - from) / (to - from)) * size.width,
  };
  brush.fillStyle = colours.paper;
  brush.fillRect(0, 0, space.width, space.height);
  brush.fillStyle = colours.ink;
  drawGrid(brush, scene, space);
  drawPeaks(brush, scene, space, colours);
  brush.fillStyle = colours.accent;
  if (scene.range) drawRange(brush, scene.range, scene.view, space);
  brush.fillStyle = colours.ink;
  drawMarks(brush, scene, space);
  if (scene.now != null) line(brush, space, space.x(scene.now), 2);
}

/** @param {Brush} brush @param {Scene} scene @param {Space} space @param {Colours} colours */
function drawPeaks(brush, scene, { width, top, bottom, fine, x }, { ink, accent }) {
  const { peaks, seconds, begin = 0 } = scene;
  const range = scene.range ?? scene.played;
  const [left, right] = [x(begin), x(begin + seconds)];
  const step = peaks.length / (right - left);
  const [first, last] = [Math.max(0, Math.floor(left * fine)), Math.min(width * fine, Math.ceil(right * fine))];
  /** @param {number} from @param {number} stop @param {string} colour columns of the screen */
  const bars = (from, stop, colour) => {
    brush.fillStyle = colour;
    for (let column = Math.max(first, from); column < Math.min(last, stop); column++) {
      const place = (column / fine - left) * step;
      const peak = loudest(peaks, place, place + step / fine);
      const tall = Math.max(1, Math.round((peak / FULL) * (bottom - top) * fine * 0.94));
      const high = Math.ceil(((top + bottom) * fine - tall) / 2); // whole pixels, or silence fades
      brush.fillRect(column / fine, high / fine, 1 / fine, tall / fine);
    }
  };
  const start = range ? Math.round(x(range.start) * fine) : last;
  const end = range ? Math.round(x(range.end) * fine) : last;
  brush.globalAlpha = STRENGTHS.kept;
  bars(first, start, ink);
  bars(end, last, ink);
  brush.globalAlpha = 1;
  bars(start, end, accent);
}

/** @param {Brush} brush @param {Scene} scene @param {Space} space */
function drawGrid(brush, { grid, view }, space) {
  const lines = /** @type {[import("./grid.js").Ruler | null | undefined, number][]} */ ([
    [grid?.beat, STRENGTHS.beat],
    [grid?.bar, STRENGTHS.bar],
  ]);
  for (const [ruler, strength] of lines) {
    if (!ruler || space.x(ruler.step) - space.x(0) < MIN_GRID_DISTANCE) continue;
    brush.globalAlpha = strength;
    for (let n = ruler.near(view.from); ruler.at(n) <= view.to; n++) line(brush, space, space.x(ruler.at(n)), 1);
  }
  brush.globalAlpha = 1;
}

/** @param {Brush} brush @param {Scene} scene @param {Space} space */
function drawMarks(brush, { grid, view }, space) {
  const { width, top, bottom, x } = space;
  brush.font = `${FONT}px sans-serif`;
  brush.textBaseline = "middle";
  const write = (/** @type {import("./time_ruler.js").Mark} */ { time, label }, /** @type {number} */ y) => {
    if (x(time) + 3 + brush.measureText(label).width <= width) brush.fillText(label, x(time) + 3, y + STRIP / 2);
  };
  for (const mark of timeMarks(view, width)) {
    brush.fillRect(x(mark.time), bottom, 1, TICK);
    write(mark, bottom);
  }
  if (!grid?.bar) return;
  for (const mark of barMarks(grid.bar, view, width)) {
    brush.fillRect(x(mark.time), top - STRIP, 1, STRIP);
    write(mark, top - STRIP);
  }
}

/**
 * @param {Brush} brush
 * @param {import("./range.js").Range} range
 * @param {import("./range.js").View} view
 * @param {Space} space
 */
function drawRange(brush, range, view, space) {
  const { width, height, x } = space;
  const { start, end } = gripsOf(range, view, width);
  const centres = [start, end].map(([left, right]) => (left + right) / 2);
  const [left, right] = [x(range.start), x(range.end)];
  brush.globalAlpha = STRENGTHS.veil;
  brush.fillRect(left, 0, right - left, height);
  brush.globalAlpha = 1;
  for (const [edge, centre] of [
    [left, centres[0]],
    [right, centres[1]],
  ]) {
    line(brush, space, edge, 2);
    brush.fillRect(Math.min(edge, centre), height / 2 - 1, Math.abs(edge - centre), 2); // a short range's lie beside it
    brush.fillRect(centre - HANDLE, height / 2 - 3 * HANDLE, 2 * HANDLE, 6 * HANDLE);
  }
}

/** @param {Brush} brush @param {Space} space @param {number} x @param {number} width */
function line(brush, { height }, x, width) {
  brush.fillRect(x - width / 2, 0, width, height);
}
