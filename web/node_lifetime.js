// What runs for a node ends with the node: a timer, a sound, a request, a listener of the page.
// A node is gone when the page removes it, or drops the subgraph around it, which older pages do
// without calling onRemoved.

import { app } from "../../scripts/app.js";

const PERIOD = 120; // ms

/**
 * @typedef {object} Lifetime
 * @property {AbortController} end
 * @property {boolean} stood whether the node was in the open workflow yet
 * @property {(() => void)[]} ticks
 */

/** @type {WeakMap<any, Lifetime>} by node; one that never entered a workflow is not kept alive */
const lifetimes = new WeakMap();

/**
 * @param {any} node
 * @returns {AbortSignal} aborted once the node has left the open workflow
 */
export function lifetimeOf(node) {
  return (lifetimes.get(node) ?? begin(node)).end.signal;
}

/**
 * Call `tick` a few times a second while the node is in the open workflow.
 * @param {any} node
 * @param {() => void} tick
 */
export function onTick(node, tick) {
  (lifetimes.get(node) ?? begin(node)).ticks.push(tick);
}

/** @param {any} node @returns {Lifetime} */
function begin(node) {
  const lifetime = { end: new AbortController(), stood: false, ticks: [] };
  lifetimes.set(node, lifetime);
  const reference = new WeakRef(node); // the timer alone must not keep the node
  const timer = setInterval(() => {
    const left = reference.deref();
    if (!left || !goesOn(left)) clearInterval(timer);
  }, PERIOD);
  const removed = node.onRemoved;
  node.onRemoved = function (/** @type {any[]} */ ...given) {
    lifetime.end.abort();
    return removed?.apply(this, given);
  };
  return lifetime;
}

/** @param {any} node @returns {boolean} */
function goesOn(node) {
  const lifetime = /** @type {Lifetime} */ (lifetimes.get(node));
  const stands = isOpen(node);
  if (lifetime.stood && !stands) lifetime.end.abort();
  lifetime.stood = stands;
  if (lifetime.end.signal.aborted) return false;
  if (stands) for (const tick of lifetime.ticks) tick();
  return true;
}

/** @param {any} node @returns {boolean} whether it is in the open workflow, at any depth */
function isOpen(node) {
  if (!node.graph) return false;
  const root = app.rootGraph ?? app.graph;
  const place = root.subgraphs?.get(node.graph.id) ?? root;
  return place.getNodeById(node.id)?.onRemoved === node.onRemoved; // own to each node, see above
}
