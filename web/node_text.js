// The text that stands on a node after it ran: its report, and what of its inputs was not read.
// While a node runs the page shows texts of its own, which newer pages drop at the end of the run.

import { api } from "../../scripts/api.js";
import { nodeAt } from "./find_node.js";
import { lifetimeOf } from "./node_lifetime.js";
import { makeRow, mount, onExecuted } from "./waveform/panel.js";

export const TEXT = "ace_step_text"; // of nodes/node_text.py
const NAME = "node_text";
const OF_THE_PAGE = "$$node-text-preview"; // its widget of a running node
const COUNT = /(^|\n)\w+ \d+ of (at most )?\d+(, [\w ]+ left)?$/; // of ace_core/time_left.py
const DRAWN = 200; // ms until Nodes 2.0 has drawn a node without a widget that is gone
const LINE = 16; // pixels
const MOST_LINES = 10; // the rest is scrolled to

/** @param {any} node */
export function addText(node) {
  onExecuted(node, (output) => show(node, (output?.[TEXT] ?? []).join("\n")));
}

/** Before a node of `prefix` runs again, the text of its last run goes. @param {string} prefix */
export function clearTexts(prefix) {
  api.addEventListener("executing", (/** @type {any} */ { detail }) => {
    const node = detail == null ? undefined : nodeAt(detail.node ?? detail);
    if (node?.comfyClass?.startsWith(prefix)) remove(node, NAME);
  });
}

/** What the page shows of our counts goes with the run of its node, which older pages leave there. */
export function clearProgress() {
  /** @type {Map<any, number>} heights before the text, by node */
  const heights = new Map();
  const end = (/** @type {any} */ running) => {
    for (const [node, height] of heights)
      if (node !== running) {
        heights.delete(node);
        remove(node, OF_THE_PAGE);
        setTimeout(() => heights.has(node) || lower(node, height), DRAWN);
      }
  };
  api.addEventListener("executing", (/** @type {any} */ { detail }) =>
    end(detail == null ? undefined : nodeAt(detail.node ?? detail)),
  );
  for (const event of ["execution_success", "execution_error", "execution_interrupted"])
    api.addEventListener(event, () => end(undefined));
  api.addEventListener("progress_text", (/** @type {any} */ { detail }) => {
    const node = COUNT.test(detail.text) ? nodeAt(detail.nodeId) : undefined;
    if (node && !heights.has(node)) heights.set(node, node.size[1]);
  });
}

/** @param {any} node @param {number} height what it had before; a report has made it as tall as it needs */
function lower(node, height) {
  const reported = node.widgets?.some((/** @type {any} */ { name }) => name === NAME);
  if (!reported) node.setSize([node.size[0], height]);
}

/** @param {any} node @param {string} text */
function show(node, text) {
  remove(node, OF_THE_PAGE);
  remove(node, NAME);
  if (text === "") return;
  const row = makeRow("node-text", lifetimeOf(node));
  row.bar.remove();
  row.root.append(row.text);
  row.text.style.cssText =
    "flex:1;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere;user-select:text;font:12px sans-serif;padding:4px 6px";
  row.text.textContent = text;
  const lines = Math.min(text.split("\n").length + 1, MOST_LINES); // one may be folded
  mount(node, row, () => {}, NAME, LINE * lines + 10);
  node.setSize([node.size[0], Math.max(node.size[1], node.computeSize()[1])]);
  node.setDirtyCanvas(true, true);
}

/** @param {any} node @param {string} name of a widget */
function remove(node, name) {
  const widget = node.widgets?.find((/** @type {any} */ each) => each.name === name);
  if (!widget) return;
  if (node.removeWidget) node.removeWidget(widget);
  else {
    widget.onRemove?.();
    node.widgets.splice(node.widgets.indexOf(widget), 1);
  }
}
