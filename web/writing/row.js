// A slim row of buttons at the foot of a box that one writes in: the box keeps its height, the text gives way.

import { makeRow } from "../waveform/panel.js";

const BOX = "data-acestep15-writing"; // an attribute, since the page sets the classes of its elements anew
// in an app the height of the box is that of its text and the row, on the canvas it is given
const STYLE = `
[${BOX}] { display: flex; flex-direction: column; }
[${BOX}] > textarea { flex: 1 1 auto; min-height: 24px; }
[${BOX}] > .acestep15-writing { flex: none; }`;

export function addWritingStyle() {
  const style = document.createElement("style");
  style.textContent = STYLE;
  document.head.append(style);
}

/**
 * @param {string} name of the widget
 * @param {AbortSignal} signal
 * @returns {import("../waveform/panel.js").Row} its text has one line
 */
export function makeWritingRow(name, signal) {
  const row = makeRow("writing", signal);
  row.root.dataset.writing = name;
  row.bar.style.cssText += ";flex-wrap:nowrap;padding:1px 4px;min-height:22px";
  row.text.style.cssText += ";overflow:hidden;text-overflow:ellipsis;white-space:nowrap";
  for (const event of ["mousedown", "pointerdown"])
    row.root.addEventListener(event, (each) => {
      each.preventDefault(); // the text keeps the focus, and its cursor
      each.stopPropagation();
    });
  return row;
}

/** @param {HTMLTextAreaElement} area @param {import("../waveform/panel.js").Row} row */
export function putBelow(area, { root }) {
  const box = /** @type {HTMLElement} */ (area.parentElement);
  if (root.parentElement === box) return;
  box.setAttribute(BOX, "");
  box.append(root);
}

/** @param {HTMLTextAreaElement} area @returns {boolean} whether one can write there */
export function isOpen(area) {
  return !area.disabled && !area.readOnly;
}
