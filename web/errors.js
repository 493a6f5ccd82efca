// The sentence of an error of ours, where the page itself does not show it: newer pages say only that
// a node failed, and keep what is wrong behind a button.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";

const LIBRARY = "ace_core."; // the errors that say what to do; see ace_core/errors.py
const SETTLED = 300; // ms: until the page has drawn its own message
const LIFE = 30_000; // ms

export function showErrors() {
  api.addEventListener("execution_error", ({ detail }) => {
    const { exception_type: type, exception_message: message, node_type: kind } = detail;
    if (!type?.startsWith(LIBRARY)) return;
    setTimeout(() => show(kind, message.trim()), SETTLED);
  });
}

/** @param {string} kind the id of the node's class @param {string} sentence */
function show(kind, sentence) {
  if (document.querySelector('[data-testid="error-overlay"]')?.innerText.includes(sentence)) return;
  const summary = window.LiteGraph.registered_node_types[kind]?.title ?? kind;
  app.extensionManager.toast.add({ severity: "error", summary, detail: sentence, life: LIFE });
}
