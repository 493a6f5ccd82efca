// Has a part of a take repainted by the open workflow: the take becomes the source of its Repaint, and the part the region.

import { app } from "../../../scripts/app.js";
import { allNodes } from "../find_node.js";
import { asUndoStep } from "../undo_step.js";
import { isWired, upstreamNode } from "./graph.js";
import { unitOf, writeRange } from "./range_widgets.js";
import { canBeSource, putSource } from "./use_as_source.js";

const REPAINT = "AceStep15Repaint";
const MASK = "AceStep15RegionMask";

/**
 * One step for the page's undo.
 * @param {import("./take_store.js").File & {seconds: number}} take
 * @param {import("./range.js").Range} part
 * @returns {string} the name of the message that says what became of it
 */
export function repaintPart(take, part) {
  const tasks = allNodes().filter(({ comfyClass }) => comfyClass === REPAINT);
  if (!tasks.length) return "noRepaint";
  const regions = new Set(tasks.map(regionOf));
  if (regions.has(null)) return "regionWired";
  if (!canBeSource(tasks)) return "sourceWired";
  asUndoStep(() => {
    putSource(take, tasks);
    for (const node of regions) writeRange(node, part, take.seconds);
  });
  app.canvas.setDirty(true, true);
  return "partPut";
}

/** @param {any} task @returns {any | null} the node whose widgets say where; null: other nodes do */
function regionOf(task) {
  if (!isWired(task, "mask")) return isWired(task, "start") || isWired(task, "end") ? null : task;
  const mask = upstreamNode(task, "mask");
  return mask?.comfyClass === MASK && unitOf(mask) !== "mask" ? mask : null;
}
