// The element on a node: a canvas that takes the keyboard, buttons and a line of text below it.
// It takes no events any more once its signal, the lifetime of its node, has ended.

import { nameInApp } from "../app_mode.js";
import { CARD, EDGE, GREY, INK, LIT, PAPER } from "../colours.js";
import { lifetimeOf, onTick } from "../node_lifetime.js";

export const HEIGHT = 118; // pixels, with the margins of the page

/**
 * @typedef {object} Row
 * @property {HTMLElement} root
 * @property {HTMLElement} bar of buttons
 * @property {HTMLElement} text
 * @property {AbortSignal} signal
 */

/** @typedef {Row & {canvas: HTMLCanvasElement}} Panel */

/** @type {WeakMap<HTMLElement, number>} pixels that a panel is taller by than it was made, by root */
const rooms = new WeakMap();

/**
 * @param {string} kind its name in tests and style sheets
 * @param {AbortSignal} signal
 * @returns {Panel}
 */
export function makePanel(kind, signal) {
  const { root, bar, text } = makeRow(kind, signal);
  root.style.height = "98px";
  const canvas = makeCanvas(`flex:1 1 64px;height:64px;min-height:0;width:100%;touch-action:none;${CARD}`);
  root.prepend(canvas);
  return { root, canvas, bar, text, signal };
}

/** @param {string} style @returns {HTMLCanvasElement} it takes the keyboard */
export function makeCanvas(style) {
  const canvas = /** @type {HTMLCanvasElement} */ (make("canvas", style));
  canvas.tabIndex = 0;
  canvas.addEventListener("focus", () => (canvas.style.outline = `2px solid ${INK}`));
  canvas.addEventListener("blur", () => (canvas.style.outline = ""));
  return canvas;
}

/**
 * @param {string} kind its name in tests and style sheets
 * @param {AbortSignal} signal
 * @returns {Row}
 */
export function makeRow(kind, signal) {
  const root = make("div", `display:flex;flex-direction:column;gap:4px;width:100%;${CARD}`);
  root.className = `acestep15-${kind}`;
  const { bar, text } = makeBar(root);
  for (const event of ["pointerdown", "pointermove", "pointerup", "dblclick"])
    root.addEventListener(event, (each) => each.stopPropagation()); // the node stays where it is
  return { root, bar, text, signal };
}

/** @param {HTMLElement} root it is the last one in there */
function makeBar(root) {
  const bar = make("div", "display:flex;gap:4px;align-items:center;flex-wrap:wrap;min-height:24px;padding:0 4px");
  const text = make("span", "flex:1;font:11px sans-serif;text-align:right");
  text.setAttribute("aria-live", "polite");
  bar.append(text);
  root.append(bar);
  return { bar, text };
}

/** @param {Row} panel @returns {Row} one more bar of buttons, with a text of one line */
export function addBar({ root, signal }) {
  const { bar, text } = makeBar(root);
  return keepToLine({ root, bar, text, signal });
}

/** @template {Row} R @param {R} row @returns {R} a text that is too long ends in dots */
export function keepToLine(row) {
  row.bar.style.flexWrap = "nowrap";
  row.text.style.cssText += ";overflow:hidden;text-overflow:ellipsis;white-space:nowrap";
  return row;
}

/**
 * Ask for a line of text in the place of a row's own.
 * @param {Row} row
 * @param {string} value
 * @param {(text: string) => void} done not called after Escape
 */
export function askIn({ bar, text, signal }, value, done) {
  const style = `flex:1;min-width:0;font:11px sans-serif;color:${INK};background:${PAPER};border:1px solid ${EDGE}`;
  const field = /** @type {HTMLInputElement} */ (make("input", style));
  field.value = value;
  let open = true; // taking the field away takes the focus from it, too
  const end = (/** @type {boolean} */ keep) => {
    if (!open) return;
    open = false;
    field.replaceWith(text);
    if (keep) done(field.value.trim());
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    event.stopPropagation(); // the page has keys of its own
    if (event.key === "Enter" || event.key === "Escape") end(event.key === "Enter");
  };
  field.addEventListener("keydown", pressed, { signal });
  field.addEventListener("blur", () => end(true), { signal });
  text.replaceWith(field);
  field.focus();
  field.select();
}

/**
 * @param {Row} panel
 * @param {() => void} pressed
 * @returns {HTMLButtonElement} it stands before the text
 */
export function addButton(panel, pressed) {
  const style = `border:1px solid ${EDGE};border-radius:4px;padding:2px 7px;font:11px sans-serif;cursor:pointer;white-space:nowrap;color:${INK};background:${PAPER}`;
  const button = /** @type {HTMLButtonElement} */ (make("button", style));
  button.type = "button";
  button.addEventListener("click", pressed, { signal: panel.signal });
  panel.bar.insertBefore(button, panel.text);
  return button;
}

/** @param {HTMLButtonElement} button @param {boolean} on */
export function light(button, on) {
  button.style.background = on ? LIT.paper : PAPER;
  button.style.color = on ? LIT.ink : INK;
  button.setAttribute("aria-pressed", String(on));
}

/**
 * Grey where it does nothing now. It stays in the order of Tab, so that its title can be read.
 * @param {HTMLButtonElement} button
 * @param {boolean} allowed
 */
export function allow(button, allowed) {
  button.style.color = allowed ? INK : GREY;
  button.style.borderStyle = allowed ? "solid" : "dashed";
  button.style.cursor = allowed ? "pointer" : "not-allowed";
  button.setAttribute("aria-disabled", String(!allowed));
}

/**
 * @param {Panel} panel
 * @param {(event: KeyboardEvent) => boolean} key whether it was one of the panel's own
 */
export function onKey({ canvas, signal }, key) {
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (!key(event)) return;
    event.preventDefault();
    event.stopPropagation(); // the page has keys of its own
  };
  canvas.addEventListener("keydown", pressed, { signal });
}

/**
 * Put the panel on a node. It holds no value: nothing of it is saved or sent.
 * @param {any} node
 * @param {Row} panel
 * @param {() => void} tick called a few times a second while the panel can be seen
 * @param {string} [name] of the widget
 * @param {number} [height] pixels
 * @returns {any} the widget
 */
export function mount(node, panel, tick, name = "waveform", height = HEIGHT) {
  const widget = node.addDOMWidget(name, `acestep15_${name}`, panel.root, {
    serialize: false,
    hideOnZoom: false,
    getMinHeight: () => height + roomOf(panel),
    getMaxHeight: () => height + roomOf(panel),
    getValue: () => "",
    setValue: () => {},
  });
  widget.serialize = false;
  if (name === "waveform") nameInApp(node, widget);
  // the page's side panel writes its own width here; on the canvas the node's is meant
  Object.defineProperty(widget, "width", { get: () => undefined, set: () => {} });
  onTick(node, () => {
    keepShown(node, name, panel.root);
    if (panel.root.isConnected) tick();
  });
  return widget;
}

/** @param {Row} panel @returns {number} pixels */
function roomOf({ root }) {
  return rooms.get(root) ?? 0;
}

/**
 * Make a panel taller than it was made, and its node where that is too low.
 * @param {any} node
 * @param {Row} panel
 * @param {number} pixels
 */
export function addRoom(node, panel, pixels) {
  const { root } = panel;
  root.style.height = `${parseFloat(root.style.height) - roomOf(panel) + pixels}px`;
  rooms.set(root, pixels);
  makeFit(node);
}

/** @param {any} node as tall as its widgets need, and no lower than it is */
export function makeFit(node) {
  node.setSize([node.size[0], Math.max(node.size[1], node.computeSize()[1])]);
  node.setDirtyCanvas(true, true);
}

/** @type {Map<string, WeakRef<HTMLElement>>} what the document shows, by graph, node and widget */
const shown = new Map();

/**
 * After an undo Nodes 2.0 still shows the panel of the node that it has replaced: this one takes its place.
 * @param {any} node
 * @param {string} name of the widget
 * @param {HTMLElement} root
 */
function keepShown(node, name, root) {
  const key = `${node.graph.id} ${node.id} ${name}`;
  const before = shown.get(key)?.deref();
  if (!root.isConnected && before?.isConnected) before.replaceWith(root);
  if (root.isConnected && before !== root) shown.set(key, new WeakRef(root));
}

/**
 * @param {any} node
 * @param {(output: any) => void} callback called with the output of a run
 */
export function onExecuted(node, callback) {
  const executed = node.onExecuted;
  node.onExecuted = function (/** @type {any[]} */ ...given) {
    executed?.apply(this, given);
    if (!lifetimeOf(node).aborted) callback(given[0]);
  };
}

/** @param {string} kind @param {string} style @returns {HTMLElement} */
function make(kind, style) {
  const element = document.createElement(kind);
  element.style.cssText = style;
  return element;
}
