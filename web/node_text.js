// The text that stands on a node after it ran: its report, and what of its inputs was not read.
// The files that it saved are a click away there. While a node runs the page shows texts of its own, which newer
// pages drop at the end of the run.

import { api } from "../../scripts/api.js";
import { nodeAt } from "./find_node.js";
import { lifetimeOf } from "./node_lifetime.js";
import { makeFit, makeRow, mount, onExecuted } from "./waveform/panel.js";
import { addressOf } from "./waveform/take_store.js";

export const TEXT = "ace_step_text"; // of nodes/node_text.py
const NAME = "node_text";
const OF_THE_PAGE = "$$node-text-preview"; // its widget of a running node
const COUNT = /(^|\n)\w+ \d+ of (at most )?\d+(, [\w ]+ left)?$/; // of ace_core/time_left.py
const DRAWN = 200; // ms until Nodes 2.0 has drawn a node without a widget that is gone
const LINE = 16; // pixels
const MOST_LINES = 10; // the rest is scrolled to

/** @typedef {import("./waveform/take_store.js").File} File */

/** @param {any} node */
export function addText(node) {
  onExecuted(node, (output) => show(node, (output?.[TEXT] ?? []).join("\n"), output?.audio ?? []));
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

/** @param {any} node @param {string} text @param {File[]} files that the node saved */
function show(node, text, files) {
  remove(node, OF_THE_PAGE);
  remove(node, NAME);
  if (text === "") return;
  const row = makeRow("node-text", lifetimeOf(node));
  row.bar.remove();
  row.root.append(row.text);
  row.text.style.cssText =
    "flex:1;overflow:auto;white-space:pre-wrap;overflow-wrap:anywhere;user-select:text;font:12px sans-serif;padding:4px 6px";
  row.text.replaceChildren(...partsOf(text, files).map(elementOf));
  const lines = Math.min(text.split("\n").length + 1, MOST_LINES); // one may be folded
  mount(node, row, () => {}, NAME, LINE * lines + 10);
  makeFit(node);
}

/**
 * @param {string} text
 * @param {File[]} files
 * @returns {(string | File)[]} the text, with each file where its name begins a line
 */
export function partsOf(text, files) {
  return text.split(/(?<=\n)/).flatMap((line) => {
    const file = files.find(({ filename }) => line.startsWith(`${filename}:`));
    return file ? [file, line.slice(file.filename.length)] : [line];
  });
}

/** @param {string | File} part @returns {string | HTMLElement} */
function elementOf(part) {
  if (typeof part === "string") return part;
  const link = document.createElement("a");
  link.href = addressOf(part);
  link.download = link.textContent = part.filename;
  link.style.color = "inherit";
  return link;
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
