// Nodes 2.0 draws a choice that brings inputs of its own (ComfyUI's DynamicCombo) with the value it
// had before a workflow was loaded. The widget knows better: it is told to the page once more.

/** @param {any} node */
export function showChoices(node) {
  for (const widget of node.widgets ?? []) {
    const own = Object.getOwnPropertyDescriptor(widget, "value");
    if (widget.type !== "combo" || !own?.get) continue;
    inherited(widget)?.set?.call(widget, widget.value);
  }
}

/**
 * The accessor behind the widget's own, which is the one that the page watches.
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
