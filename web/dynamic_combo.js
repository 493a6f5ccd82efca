// Nodes 2.0 draws a combo that brings further inputs (ComfyUI's DynamicCombo) with the value it had before
// a workflow was loaded. Setting the widget's value once more refreshes it.

/** @param {any} node */
export function refreshDynamicCombos(node) {
  for (const widget of node.widgets ?? []) {
    const property = Object.getOwnPropertyDescriptor(widget, "value");
    if (widget.type !== "combo" || !property?.get) continue;
    inherited(widget)?.set?.call(widget, widget.value);
  }
}

/**
 * The inherited accessor of the widget's value, which is the one that the page watches.
 * @param {any} widget
 * @returns {PropertyDescriptor | undefined}
 */
function inherited(widget) {
  for (let kind = Object.getPrototypeOf(widget); kind; kind = Object.getPrototypeOf(kind)) {
    const found = Object.getOwnPropertyDescriptor(kind, "value");
    if (found) return found;
  }
  return undefined;
}
