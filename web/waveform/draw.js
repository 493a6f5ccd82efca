// Draws a sound on a canvas: peaks, a range, beats, the position of the player.

import { coloursOf } from "../colours.js";
import { FULL } from "./peaks.js";

const STRENGTHS = { kept: 0.6, veil: 0.15, beat: 0.12, bar: 0.3 }; // of a colour, 1 covers
const HANDLE = 4; // pixels: half the width of a handle
const MIN_GRID_DISTANCE = 4; // pixels between lines of a grid

/**
 * @typedef {object} Scene
 * @property {number[]} peaks
 * @property {number} seconds of the sound
 * @property {import("./range.js").View} view
 * @property {import("./range.js").Range | null} [range]
 * @property {import("./range.js").Range | null} [played] drawn bright, without handles
 * @property {number | null} [now] seconds
 * @property {import("./grid.js").Grid | null} [grid]
 */

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Scene} scene
 */
export function draw(canvas, scene) {
  const ratio = window.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  const height = Math.max(1, Math.round(canvas.clientHeight * ratio));
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const brush = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const colours = coloursOf(canvas);
  brush.fillStyle = colours.paper;
  brush.fillRect(0, 0, width, height);
  const { from, to } = scene.view;
  const x = (/** @type {number} */ time) => ((time - from) / (to - from)) * width;
  brush.fillStyle = colours.ink;
  if (scene.grid) drawGrid(brush, scene, x);
  drawPeaks(brush, scene, x, colours);
  brush.fillStyle = colours.accent;
  if (scene.range) drawRange(brush, scene.range, x);
  brush.fillStyle = colours.ink;
  if (scene.now != null) line(brush, x(scene.now), 2 * ratio);
}

/**
 * @param {CanvasRenderingContext2D} brush
 * @param {Scene} scene
 * @param {(t: number) => number} x
 * @param {import("../colours.js").Colours} colours
 */
function drawPeaks(brush, scene, x, { ink, accent }) {
  const { width, height } = brush.canvas;
  const { peaks, seconds } = scene;
  const range = scene.range ?? scene.played;
  const first = Math.max(0, Math.floor(x(0)));
  const last = Math.min(width, Math.ceil(x(seconds)));
  const step = peaks.length / (x(seconds) - x(0));
  /** @param {number} from @param {number} stop @param {string} colour */
  const bars = (from, stop, colour) => {
    brush.fillStyle = colour;
    for (let column = Math.max(first, from); column < Math.min(last, stop); column++) {
      const peak = peaks[Math.min(peaks.length - 1, Math.floor((column + 0.5 - x(0)) * step))] ?? 0;
      const tall = Math.max(1, Math.round((peak / FULL) * height * 0.94));
      brush.fillRect(column, Math.ceil((height - tall) / 2), 1, tall); // whole pixels, or silence fades
    }
  };
  const start = range ? Math.round(x(range.start)) : last;
  const end = range ? Math.round(x(range.end)) : last;
  brush.globalAlpha = STRENGTHS.kept;
  bars(first, start, ink);
  bars(end, last, ink);
  brush.globalAlpha = 1;
  bars(start, end, accent);
}

/** @param {CanvasRenderingContext2D} brush @param {Scene} scene @param {(t: number) => number} x */
function drawGrid(brush, scene, x) {
  const { beat, bar } = /** @type {import("./grid.js").Grid} */ (scene.grid);
  const { from, to } = scene.view;
  for (const [ruler, strength] of /** @type {[import("./grid.js").Ruler | null, number][]} */ ([[beat, STRENGTHS.beat], [bar, STRENGTHS.bar]])) {
    if (!ruler || x(ruler.step) - x(0) < MIN_GRID_DISTANCE) continue;
    brush.globalAlpha = strength;
    for (let n = ruler.near(from); ruler.at(n) <= to; n++) line(brush, x(ruler.at(n)), 1);
  }
  brush.globalAlpha = 1;
}

/** @param {CanvasRenderingContext2D} brush @param {import("./range.js").Range} range @param {(t: number) => number} x */
function drawRange(brush, range, x) {
  const { height } = brush.canvas;
  brush.globalAlpha = STRENGTHS.veil;
  brush.fillRect(x(range.start), 0, x(range.end) - x(range.start), height);
  brush.globalAlpha = 1;
  for (const end of [range.start, range.end]) {
    line(brush, x(end), 2);
    brush.fillRect(x(end) - HANDLE, height / 2 - 3 * HANDLE, 2 * HANDLE, 6 * HANDLE);
  }
}

/** @param {CanvasRenderingContext2D} brush @param {number} x @param {number} width */
function line(brush, x, width) {
  brush.fillRect(x - width / 2, 0, width, brush.canvas.height);
}
