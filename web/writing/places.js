// Where the page shows a widget of a node: on the node itself, on a subgraph that it is promoted to, in an app.

import { app } from "../../../scripts/app.js";
import { textAreaInApp } from "../app_mode.js";
import { allNodes } from "../find_node.js";
import { isWired, outside, widgetOf } from "../waveform/graph.js";

const TEXT = "customtext"; // the page's type of a widget with several lines

/** @typedef {{node: any, name: string}} Owner a node, and what the widget is called on it */

/**
 * @param {any} node
 * @param {string} name of its widget
 * @returns {HTMLTextAreaElement[]} the boxes that one can write in now
 */
export function textAreasOf(node, name) {
  const found = ownersOf(node, name).flatMap((owner) => [classic(owner), drawn(owner), textAreaInApp(owner)]);
  return [...new Set(found)].flatMap((area) => (area?.isConnected ? [area] : []));
}

/**
 * The value that a run would take.
 * @param {any} node
 * @param {string} name of its widget
 * @returns {any} undefined where a wire brings it
 */
export function valueOf(node, name) {
  const owner = /** @type {Owner} */ (ownersOf(node, name).at(-1));
  return isWired(owner.node, owner.name) ? undefined : widgetOf(owner.node, owner.name)?.value;
}

/** @param {any} node @param {string} name @returns {Owner[]} with the subgraphs that it is promoted to, outwards */
export function ownersOf(node, name) {
  const outer = outside(node, name);
  const hosts = outer == null ? [] : hostsOf(node.graph);
  return [{ node, name }, ...hosts.flatMap((host) => ownersOf(host, /** @type {string} */ (outer)))];
}

/** @param {any} graph @returns {any[]} the nodes that stand for it, if it is a subgraph */
function hostsOf(graph) {
  return allNodes().filter(({ subgraph }) => subgraph === graph);
}

/** @param {Owner} owner @returns {HTMLTextAreaElement | null} */
function classic({ node, name }) {
  const element = widgetOf(node, name)?.element;
  return element instanceof HTMLTextAreaElement ? element : null;
}

/** @param {Owner} owner @returns {HTMLTextAreaElement | undefined} that of Nodes 2.0, which has no name of the widget */
function drawn({ node, name }) {
  if (app.canvas.graph !== node.graph) return undefined;
  const areas = document.querySelectorAll(`[data-node-id="${node.id}"] textarea`);
  const names = (node.widgets ?? []).filter(({ type }) => type === TEXT).map((/** @type {any} */ each) => each.name);
  const area = areas.length === names.length ? areas[names.indexOf(name)] : undefined;
  return /** @type {HTMLTextAreaElement | undefined} */ (area);
}
