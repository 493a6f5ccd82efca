// Changes the text in a box as typing would: the box can undo it, and the page knows of it.

import { asUndoStep } from "../undo_step.js";
import { difference } from "./difference.js";

/**
 * @param {HTMLTextAreaElement} area it has the focus afterwards
 * @param {import("./difference.js").Edit} edit the cursor stands behind it
 */
export function edit(area, { from, to, put }) {
  area.focus({ preventScroll: true });
  area.setSelectionRange(from, to);
  const done = put === "" ? from === to || document.execCommand("delete") : document.execCommand("insertText", false, put);
  if (done) return;
  area.setRangeText(put, from, to, "end"); // a browser without the command, which cannot undo this
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

/**
 * The whole text. The focus stays where it is.
 * @param {HTMLTextAreaElement} area
 * @param {string} text
 */
export function rewrite(area, text) {
  const focused = document.activeElement;
  edit(area, difference(area.value, text));
  if (focused instanceof HTMLElement && focused !== area) {
    if (focused === document.body) area.blur();
    else focused.focus({ preventScroll: true });
  }
}

/** The page's own undo comes back to what is in the workflow now. */
export function keepStep() {
  asUndoStep(() => {});
}
