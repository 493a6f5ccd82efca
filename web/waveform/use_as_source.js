// Makes a take the source of the open workflow: in the loader above its tasks, or in one that is put beside them.

import { app } from "../../../scripts/app.js";
import { allNodes } from "../find_node.js";
import { asUndoStep } from "../undo_step.js";
import { LOADERS, isWired, outside, put, upstreamNode } from "./graph.js";

const OURS = "AceStep15";
const LOADER = "AceStep15LoadRecording";
const COMPARES = "AceStep15Mixdown"; // with a source, which it may lack
const INPUT = "source";
const SPACE = 40; // between nodes, in units of the canvas

/**
 * One step for the page's undo.
 * @param {import("./take_store.js").File} file
 * @returns {string} the name of the message that says what became of it
 */
export function useAsSource(file) {
  const tasks = allNodes().filter(hasSource);
  if (!canBeSource(tasks)) return tasks.length ? "sourceWired" : "noTask";
  const added = asUndoStep(() => putSource(file, tasks));
  app.canvas.setDirty(true, true);
  return added ? "sourceAdded" : "sourceSet";
}

/** @param {any[]} tasks @returns {boolean} whether a loader is above them, or room for one */
export function canBeSource(tasks) {
  return tasks.some((task) => !isWired(task, INPUT) || loadersAbove(task, INPUT).length);
}

/**
 * @param {import("./take_store.js").File} file
 * @param {any[]} tasks
 * @returns {boolean} whether loaders were added for it
 */
export function putSource(file, tasks) {
  const loaders = [...new Set(tasks.flatMap((task) => loadersAbove(task, INPUT)))];
  const chosen = loaders.length ? loaders : addLoaders(tasks.filter((task) => !isWired(task, INPUT)));
  for (const loader of chosen) put(loader, "audio", nameOf(file));
  return !loaders.length;
}

/** @param {import("./take_store.js").File} file @returns {string} as ComfyUI names it in the widget of a loader */
function nameOf({ filename, subfolder, type }) {
  return `${[...subfolder.split(/[\\/]/), filename].filter(Boolean).join("/")} [${type}]`;
}

/** @param {any} node @returns {boolean} whether it is a node of ours that starts from a recording */
function hasSource({ comfyClass, inputs }) {
  if (!comfyClass?.startsWith(OURS) || comfyClass === COMPARES) return false;
  return inputs?.some((/** @type {any} */ { name, type }) => name === INPUT && type === "AUDIO");
}

/** @param {any} node @param {string} name of its input @returns {any[]} whose sound comes to it, on whatever way */
function loadersAbove(node, name) {
  const outer = outside(node, name);
  if (outer != null) {
    const around = allNodes().filter(({ subgraph }) => subgraph === node.graph);
    return around.flatMap((each) => loadersAbove(each, outer));
  }
  const above = upstreamNode(node, name);
  if (!above) return [];
  if (LOADERS.includes(above.comfyClass)) return [above];
  const sounds = above.inputs?.filter(({ type }) => type === "AUDIO" || type === "*") ?? [];
  return sounds.flatMap((/** @type {any} */ each) => loadersAbove(above, each.name));
}

/** @param {any[]} tasks @returns {any[]} one for each graph that has some of them, at the left of its first */
function addLoaders(tasks) {
  return [...new Set(tasks.map(({ graph }) => graph))].map((graph) => {
    const [first, ...others] = tasks.filter((task) => task.graph === graph);
    const loader = window.LiteGraph.createNode(LOADER);
    graph.add(loader);
    loader.pos = freePlace(graph, loader, first);
    for (const task of [first, ...others]) loader.connect(0, task, task.findInputSlot(INPUT));
    return loader;
  });
}

/** @param {any} graph @param {any} node @param {any} beside @returns {number[]} at its left, below what is there */
function freePlace(graph, node, beside) {
  const [width, height] = node.size;
  const place = [beside.pos[0] - width - SPACE, beside.pos[1]];
  const near = (/** @type {number[]} */ [start, length], /** @type {number[]} */ [from, other]) =>
    start < from + other + SPACE && from < start + length + SPACE;
  const inTheWay = (/** @type {any} */ { boundingRect: [x, y, wide, high] }) =>
    near([x, wide], [place[0], width]) && near([y, high], [place[1], height]);
  const others = graph.nodes.filter((/** @type {any} */ each) => each !== node);
  for (let other = others.find(inTheWay); other; other = others.find(inTheWay))
    place[1] = other.boundingRect[1] + other.boundingRect[3] + SPACE * 2; // below its own title
  return place;
}
