// Puts the seeds of a take back to where they came from, and keeps them there.

import { nodeAt } from "../find_node.js";
import { outside, widgetOf } from "./graph.js";

const CONTROL = "control_after_generate";
const FIXED = "fixed";

/** @typedef {Record<string, Record<string, number>>} Seeds by the node's number and the input */

/** @param {Seeds} seeds @returns {boolean} whether there was a widget for one of them */
export function putSeeds(seeds) {
  const inputs = Object.entries(seeds).flatMap(([id, values]) => Object.entries(values).map((each) => [id, ...each]));
  return inputs.map(([id, name, value]) => putSeed(String(id), String(name), Number(value))).some(Boolean);
}

/** @param {Seeds} seeds @returns {string} as in 7, 8 */
export function seedText(seeds) {
  return [...new Set(Object.values(seeds).flatMap(({ seed, noise_seed }) => seed ?? noise_seed ?? []))].join(", ");
}

/** @param {string} id @param {string} name @param {number} value @returns {boolean} */
function putSeed(id, name, value) {
  const node = nodeAt(id);
  if (!node) return false;
  const control = widgetOf(node, CONTROL);
  if (control && name !== "retake_seed") control.value = FIXED;
  const outer = outside(node, name);
  if (outer) return putSeed(id.split(":").slice(0, -1).join(":"), outer, value);
  const widget = widgetOf(node, name);
  if (!widget) return false;
  widget.value = value;
  widget.callback?.(value);
  node.setDirtyCanvas(true, true);
  return true;
}
