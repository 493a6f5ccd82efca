// What a node warns of, as a message of the page: a report is read when one looks for it. Each once a run.

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { nodeAt } from "./find_node.js";
import { TEXT } from "./node_text.js";

const WARNING = "warning: "; // of nodes/node_text.py
const LIFE = 20_000; // ms

export function showWarnings() {
  const told = new Set();
  api.addEventListener("execution_start", () => told.clear());
  api.addEventListener("executed", ({ detail }) => {
    const lines = (detail.output?.[TEXT] ?? []).join("\n").split("\n");
    for (const line of lines) {
      if (!line.startsWith(WARNING) || told.has(line)) continue;
      told.add(line);
      show(nodeAt(detail.display_node ?? detail.node)?.title ?? "", line.slice(WARNING.length));
    }
  });
}

/** @param {string} summary @param {string} detail */
function show(summary, detail) {
  app.extensionManager.toast.add({ severity: "warn", summary, detail, life: LIFE });
}
