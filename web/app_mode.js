// What differs where ComfyUI's page shows a workflow as an app: widgets in a list of their own, beside
// the results. Which they are, and what they are called there, is in the workflow.

const LIST = '[data-testid="linear-widgets"]';
export const LABEL = "acestep15 label"; // a property of the node; as in tools/workflows/apps.py
// as tall as a verse and a chorus, whatever its font; the page's own box has three lines
const STYLE = `${LIST} [data-widget-key$=":lyrics"] textarea { min-height: 150px; }`;

export function addAppStyle() {
  const style = document.createElement("style");
  style.textContent = STYLE;
  document.head.append(style);
}

/** @param {Element} element @returns {boolean} whether it is shown in an app */
export function isInApp(element) {
  return element.closest(LIST) != null;
}

/**
 * A widget of ours has no input that could carry its name in the app.
 * @param {any} node
 * @param {any} widget
 */
export function nameInApp(node, widget) {
  Object.defineProperty(widget, "label", {
    get: () => node.properties?.[LABEL],
    set: (label) => label && (node.properties[LABEL] = label),
    configurable: true,
  });
}

/**
 * @param {{node: any, name: string}} widget
 * @returns {HTMLTextAreaElement | undefined} its box in the app
 */
export function textAreaInApp({ node, name }) {
  const key = `${node.id}:${name}`; // newer pages have that of the workflow before it
  const shown = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(`${LIST} [data-widget-key]`));
  const entry = [...shown].find(({ dataset }) => `:${dataset.widgetKey}`.endsWith(`:${key}`));
  return entry?.querySelector("textarea") ?? undefined;
}
