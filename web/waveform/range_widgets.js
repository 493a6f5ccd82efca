// Between a range in seconds and the widgets that hold it. The widgets are what is saved.

import { isWired, put, widgetOf } from "./graph.js";
import { evenRuler, gridOf } from "./grid.js";
import { within } from "./range.js";

const DEFAULT = { beat: evenRuler(0.5), bar: evenRuler(2) }; // at 120 beats per minute
const NEAR = 0.005; // seconds: half of what the widgets count in

/** @param {any} node @returns {"seconds" | "bars" | "beats" | "mask"} what the node counts in */
export function unitOf(node) {
  const by = widgetOf(node, "by");
  if (by) return by.value;
  return isWired(node, "mask") ? "mask" : "seconds"; // a mask takes the place of start and end
}

/**
 * Whether the range may lie outside of the sound: Repaint then makes it longer.
 * @param {any} node
 */
export function mayExtend(node) {
  return node.comfyClass === "AceStep15Repaint" && unitOf(node) === "seconds";
}

/**
 * @param {any} node
 * @param {number} seconds of the sound
 * @returns {import("./range.js").Range | null} null: only a mask says where
 */
export function readRange(node, seconds) {
  const unit = unitOf(node);
  if (unit === "mask") return null;
  if (unit === "seconds") {
    const { start, end } = secondsWidgets(node);
    const last = widgetOf(node, end)?.value;
    return { start: widgetOf(node, start)?.value ?? 0, end: last < 0 ? seconds : last };
  }
  const ruler = rulerOf(node, unit);
  const [first, count] = countWidgets(unit).map((name) => widgetOf(node, name)?.value ?? 1);
  return { start: ruler.at(first - 1), end: ruler.at(first - 1 + count) };
}

/**
 * @param {any} node
 * @param {import("./range.js").Range} range
 * @param {number} seconds of the sound
 */
export function writeRange(node, range, seconds) {
  const unit = unitOf(node);
  if (unit === "mask") return;
  if (unit === "seconds") {
    const { start, end } = secondsWidgets(node);
    const open = Math.abs(range.end - seconds) < NEAR;
    put(node, start, hundredths(range.start));
    put(node, end, open ? -1 : Math.max(0, hundredths(range.end))); // below 0 is with the sound
    return;
  }
  const ruler = rulerOf(node, unit);
  const [first, count] = countWidgets(unit);
  const place = Math.max(0, ruler.near(range.start));
  put(node, first, place + 1);
  put(node, count, Math.max(1, ruler.near(range.end) - place));
}

/**
 * The lines that a range must lie on; null: anywhere.
 * @param {any} node
 * @param {"free" | "beat" | "bar"} wish
 * @returns {import("./grid.js").Ruler | null}
 */
export function snapOf(node, wish) {
  const unit = unitOf(node);
  if (unit === "bars" || unit === "beats") return rulerOf(node, unit);
  return wish === "free" ? null : (gridOf(node)?.[wish] ?? null);
}

/**
 * Why the user cannot choose what a range snaps to.
 * @param {any} node
 * @returns {string} the name of a message; empty: there is a choice
 */
export function noSnapReason(node) {
  const unit = unitOf(node);
  if (unit === "mask") return "mask";
  if (unit !== "seconds") return "snapsAlways";
  return gridOf(node) ? "" : "snapNeedsTempo";
}

/**
 * What is shown: the sound, and room around it where the range may leave it.
 * @param {any} node
 * @param {number} seconds
 * @returns {import("./range.js").View}
 */
export function viewOf(node, seconds) {
  if (!mayExtend(node)) return { from: 0, to: seconds };
  const range = readRange(node, seconds) ?? { start: 0, end: seconds };
  const room = within(seconds * 0.06, 0.5, 10);
  return { from: Math.min(0, range.start) - room, to: Math.max(seconds, range.end) + room };
}

/** @param {any} node @returns {{start: string, end: string}} names of the widgets */
function secondsWidgets(node) {
  return widgetOf(node, "by") ? { start: "by.start", end: "by.end" } : { start: "start", end: "end" };
}

/** @param {"bars" | "beats"} unit @returns {[string, string]} names of the widgets */
function countWidgets(unit) {
  return unit === "bars" ? ["by.first_bar", "by.bars"] : ["by.first_beat", "by.beats"];
}

/** @param {any} node @param {"bars" | "beats"} unit @returns {import("./grid.js").Ruler} */
function rulerOf(node, unit) {
  const name = unit === "bars" ? "bar" : "beat";
  return gridOf(node)?.[name] ?? DEFAULT[name];
}

/** @param {number} value */
function hundredths(value) {
  return Math.round(value * 100) / 100;
}
