// The nodes of the open workflow: all of them, and one by the id that the server knows it by.

import { app } from "../../scripts/app.js";

/** @returns {any[]} those in subgraphs, too */
export function allNodes() {
  const root = app.rootGraph ?? app.graph;
  return [root, ...(root.subgraphs?.values() ?? [])].flatMap(({ nodes }) => nodes);
}

/** @param {string | null} id with those of the subgraphs around it before it: 3:12 @returns {any} a node, or undefined */
export function nodeAt(id) {
  let graph = app.rootGraph ?? app.graph;
  let node;
  for (const part of String(id).split(":")) {
    node = graph?.getNodeById(part);
    graph = node?.subgraph;
  }
  return node;
}
