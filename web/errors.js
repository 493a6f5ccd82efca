// The sentence of an error of ours, where the page itself does not show it: newer pages say only that
// a node failed, and keep what is wrong behind a button; all do so of a value that a node refuses before
// anything runs.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";

const LIBRARY = "ace_core."; // the errors that say what to do; see ace_core/errors.py
const REFUSED = "custom_validation_failed"; // ComfyUI's word for what a node itself refuses
const SAYS = " - "; // between the widget's name and the sentence
const SETTLED = 300; // ms: until the page has drawn its own message
const LIFE = 30_000; // ms

/** @param {string} prefix of our nodes' names */
export function showErrors(prefix) {
  showRefusals(prefix);
  api.addEventListener("execution_error", ({ detail }) => {
    const { exception_type: type, exception_message: message, node_type: kind } = detail;
    if (!type?.startsWith(LIBRARY)) return;
    setTimeout(() => show(kind, message.trim()), SETTLED);
  });
}

/** @param {string} prefix */
function showRefusals(prefix) {
  const queue = api.queuePrompt;
  const tell = (/** @type {any} */ answer) => {
    const said = refusals(answer, prefix);
    setTimeout(() => said.forEach(([kind, sentence]) => show(kind, sentence)), SETTLED);
  };
  api.queuePrompt = async function (/** @type {any[]} */ ...given) {
    try {
      const answer = await queue.apply(this, given);
      tell(answer); // some outputs run, others do not
      return answer;
    } catch (error) {
      tell(error.response);
      throw error;
    }
  };
}

/** @param {any} answer of the server @param {string} prefix @returns {string[][]} the id of a node's class, its sentence */
function refusals(answer, prefix) {
  const nodes = Object.values(answer?.node_errors ?? {});
  const ours = nodes.filter(({ class_type: kind }) => kind.startsWith(prefix));
  return ours.flatMap(({ class_type: kind, errors }) => {
    const refused = errors.filter((/** @type {any} */ { type }) => type === REFUSED);
    return refused.map((/** @type {any} */ { details }) => [kind, sentenceOf(details)]);
  });
}

/** @param {string} details the name of the widget, then the sentence */
function sentenceOf(details) {
  return details.slice(details.indexOf(SAYS) + SAYS.length);
}

/** @param {string} kind the id of the node's class @param {string} sentence */
function show(kind, sentence) {
  const places = document.querySelectorAll('[data-testid="error-overlay"], [role="dialog"]');
  if ([...places].some(({ innerText }) => innerText.includes(sentence))) return;
  const summary = window.LiteGraph.registered_node_types[kind]?.title ?? kind;
  app.extensionManager.toast.add({ severity: "error", summary, detail: sentence, life: LIFE });
}
