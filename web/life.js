// What runs for a node ends with the node: a timer, a sound, a request, a listener of the page.
// A node is gone when the page removes it, or drops the subgraph around it, which older pages do
// without calling onRemoved.

import { app } from "../../scripts/app.js";

const PERIOD = 120; // ms

/**
 * @typedef {object} Life
 * @property {AbortController} end
 * @property {boolean} stood whether the node was in the open workflow yet
 * @property {(() => void)[]} ticks
 */

/** @type {WeakMap<any, Life>} by node; one that never entered a workflow is not kept alive */
const lives = new WeakMap();

/**
 * @param {any} node
 * @returns {AbortSignal} aborted once the node has left the open workflow
 */
export function lifeOf(node) {
  return (lives.get(node) ?? begin(node)).end.signal;
}

/**
 * Call `tick` a few times a second while the node is in the open workflow.
 * @param {any} node
 * @param {() => void} tick
 */
export function often(node, tick) {
  (lives.get(node) ?? begin(node)).ticks.push(tick);
}

/** @param {any} node @returns {Life} */
function begin(node) {
  const life = { end: new AbortController(), stood: false, ticks: [] };
  lives.set(node, life);
  const reference = new WeakRef(node); // the timer alone must not keep the node
  const timer = setInterval(() => {
    const left = reference.deref();
    if (!left || !goesOn(left)) clearInterval(timer);
  }, PERIOD);
  const removed = node.onRemoved;
  node.onRemoved = function (/** @type {any[]} */ ...given) {
    life.end.abort();
    return removed?.apply(this, given);
  };
  return life;
}

/** @param {any} node @returns {boolean} */
function goesOn(node) {
  const life = /** @type {Life} */ (lives.get(node));
  const stands = isOpen(node);
  if (life.stood && !stands) life.end.abort();
  life.stood = stands;
  if (life.end.signal.aborted) return false;
  if (stands) for (const tick of life.ticks) tick();
  return true;
}

/** @param {any} node @returns {boolean} whether it is in the open workflow, at any depth */
function isOpen(node) {
  if (!node.graph) return false;
  const root = app.rootGraph ?? app.graph;
  const place = root.subgraphs?.get(node.graph.id) ?? root;
  return place.getNodeById(node.id)?.onRemoved === node.onRemoved; // own to each node, see above
}
