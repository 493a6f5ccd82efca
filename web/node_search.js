// A word that a node of ours lists among its search aliases finds the node among the first three. The
// page searches aliases, but ranks by names alone: without this, udio lists what has au-dio in its name.

import { app } from "../../scripts/app.js";

const AHEAD = 2; // results of others that stay before ours

/** @param {string} prefix of our nodes' names */
export function findByAliases(prefix) {
  const service = app.extensionManager._p?._s?.get("nodeDef")?.nodeSearchService; // of its Pinia stores
  if (typeof service?.searchNode !== "function") return;
  const kind = Object.getPrototypeOf(service); // the page makes a new one when its nodes change
  const search = kind.searchNode;
  kind.searchNode = function (query, filters, options, ...more) {
    const found = search.call(this, query, filters, { ...options, limit: undefined }, ...more);
    return ranked(found, query.trim().toLowerCase(), prefix).slice(0, options?.limit);
  };
}

/** @param {any[]} found definitions, the best first @param {string} word @param {string} prefix */
function ranked(found, word, prefix) {
  const meant = (/** @type {any} */ definition) =>
    definition.name.startsWith(prefix) && definition.search_aliases?.includes(word);
  const ours = found.filter(meant);
  if (ours.length === 0) return found;
  const others = found.filter((definition) => !meant(definition));
  const place = Math.min(found.findIndex(meant), AHEAD);
  return [...others.slice(0, place), ...ours, ...others.slice(place)];
}
