// The text that stands on a node after it ran: its report, and what of its inputs was not read.
// While a node runs the page shows texts of its own, which newer pages drop at the end of the run.

import { api } from "../../scripts/api.js";
import { nodeAt } from "./find_node.js";
import { lifetimeOf } from "./node_lifetime.js";
import { makeRow, mount, onExecuted } from "./waveform/panel.js";

const KEY = "ace_step_text"; // of nodes/node_text.py
const NAME = "node_text";
const OF_THE_PAGE = "$$node-text-preview"; // its widget of a running node
const LINE = 16; // pixels
const MOST_LINES = 10; // the rest is scrolled to

/** @param {any} node */
export function addText(node) {
  onExecuted(node, (output) => show(node, (output?.[KEY] ?? []).join("\n")));
}

/** Before a node of `prefix` runs again, the text of its last run goes. @param {string} prefix */
export function clearTexts(prefix) {
  api.addEventListener("executing", (/** @type {any} */ { detail }) => {
    const node = detail == null ? undefined : nodeAt(detail.node ?? detail);
    if (node?.comfyClass?.startsWith(prefix)) remove(node, NAME);
  });
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
