// A node of the open workflow by the id that the server knows it by.

import { app } from "../../scripts/app.js";

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
