// What a node sends that ComfyUI had in its cache is what it sent when it ran: in another workflow it may be, or in
// this one before it was opened again. Whose it is now is in the workflow that was sent with the run.

import { api } from "../../../scripts/api.js";

/** @type {Set<string>} ids of the nodes that the current run has from the cache */
let cached = new Set();

export function followCache() {
  api.addEventListener("execution_start", () => (cached = new Set()));
  api.addEventListener("execution_cached", ({ detail }) => (cached = new Set(detail.nodes.map(String))));
}

/**
 * A node that was not run again, as it is saved in the workflow that was sent; null: it ran.
 * @param {{node: string, prompt_id: string}} detail of what it sent
 * @returns {Promise<any>}
 */
export async function cachedNode({ node, prompt_id: run }) {
  if (!cached.has(String(node))) return null;
  const workflow = await workflowOf(run).catch(() => null);
  return workflow && savedNode(workflow, String(node));
}

/** @param {string} run @returns {Promise<any>} */
async function workflowOf(run) {
  const { queue_running: running } = await (await fetch(api.apiURL("/queue"))).json();
  const history = await (await fetch(api.apiURL(`/history/${run}`))).json();
  const prompt = history[run]?.prompt ?? running.find((/** @type {any[]} */ [, id]) => id === run);
  return prompt?.[3]?.extra_pnginfo?.workflow;
}

/**
 * @param {any} workflow as it was saved
 * @param {string} id of a node, with those of the subgraphs around it before it: 3:12
 * @returns {any} the node, or undefined
 */
export function savedNode(workflow, id) {
  const subgraphs = workflow.definitions?.subgraphs ?? [];
  let graph = workflow;
  let entry;
  for (const part of id.split(":")) {
    entry = graph?.nodes.find((/** @type {any} */ each) => String(each.id) === part);
    graph = subgraphs.find((/** @type {any} */ each) => each.id === entry?.type);
  }
  return entry;
}
