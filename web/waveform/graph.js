// The nodes upstream, and widgets: the file that is loaded, values that are read and set.

import { exampleAddress } from "../examples.js";

export const LOADERS = ["LoadAudio", "AceStep15LoadRecording"];
const ENTRY = -10; // the origin of a wire that comes into a subgraph: a number in older pages, a text in newer ones
const MARK = / \[(input|output|temp)\]$/; // of ComfyUI, behind a file's name: the folder that it is in

/**
 * The node whose output the input `name` is wired to.
 * @param {any} node
 * @param {string} name
 * @returns {any | null}
 */
export function upstreamNode(node, name) {
  const slot = node.inputs?.findIndex((/** @type {any} */ each) => each.name === name) ?? -1;
  return slot < 0 ? null : (node.getInputNode?.(slot) ?? null);
}

/**
 * The input of the subgraph around a node that its input or widget `name` is wired to.
 * @param {any} node
 * @param {string} name
 * @returns {string | null}
 */
export function outside(node, name) {
  const input = node.inputs?.find((/** @type {any} */ each) => (each.widget?.name ?? each.name) === name);
  const link = input?.link == null ? null : node.graph.getLink(input.link);
  return Number(link?.origin_id) === ENTRY ? node.graph.inputs[link.origin_slot].name : null;
}

/** @param {any} node @param {string} name @returns {boolean} */
export function isWired(node, name) {
  return node.inputs?.some((/** @type {any} */ each) => each.name === name && each.link != null);
}

/** @param {any} node @param {string} name @returns {any} a widget, or undefined */
export function widgetOf(node, name) {
  return node?.widgets?.find((/** @type {any} */ each) => each.name === name);
}

/**
 * Set a widget as if the user had.
 * @param {any} node
 * @param {string} name
 * @param {any} value
 */
export function put(node, name, value) {
  const widget = widgetOf(node, name);
  if (!widget || widget.value === value) return;
  widget.value = value;
  widget.callback?.(value);
}

/**
 * The address of the file that a loader upstream would load; null where none is wired.
 * @param {any} node
 * @param {string} input
 * @param {(path: string) => string} address
 * @returns {string | null}
 */
export function sourceFile(node, input, address) {
  const loader = upstreamNode(node, input);
  const file = LOADERS.includes(loader?.comfyClass) ? widgetOf(loader, "audio")?.value : null;
  return typeof file === "string" && file ? recordingAddress(file, address) : null;
}

/**
 * @param {string} file the value of a loader
 * @param {(path: string) => string} address
 * @returns {string}
 */
export function recordingAddress(file, address) {
  const example = exampleAddress(file);
  if (example) return example;
  const parts = file.replace(MARK, "").split("/");
  const filename = /** @type {string} */ (parts.pop());
  const place = { filename, subfolder: parts.join("/"), type: file.match(MARK)?.[1] ?? "input" };
  return address(`/view?${new URLSearchParams(place)}`);
}
