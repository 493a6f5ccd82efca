// What the page's undo takes back at once.

import { app } from "../../scripts/app.js";

/**
 * The workflow as it is before and after `change` are two of the page's states, whatever lies between them.
 * @template T
 * @param {() => T} change
 * @returns {T}
 */
export function asUndoStep(change) {
  app.canvas.emitBeforeChange();
  try {
    return change();
  } finally {
    app.canvas.emitAfterChange();
  }
}
