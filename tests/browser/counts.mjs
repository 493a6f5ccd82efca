// Runs a song that takes a while. Finds {texts: [of the counts], shown: how many stood on a node,
//   left: widgets of the page on nodes after the run, grown: [kind, height before, and after] of nodes that
//   stayed taller}

import { job, load, pressRun } from "../../tools/browser/page.mjs";

export async function visit(page) {
  const { page: workflow } = job.workflows.find(({ name }) => name === "text_to_music");
  await load(page, "text_to_music", workflow);
  await page.evaluate(watch, job.renderer === "nodes2" ? 90.2 : 90); // the other's are in the cache
  await pressRun(page);
  await page.waitForFunction(() => window.counts.ended);
  await page.waitForTimeout(1000); // what the page takes down late
  return page.evaluate(look);
}

// What follows runs in the page.
async function watch(seconds) {
  const { api } = await import("/scripts/api.js");
  const nodes = () => window.app.graph.nodes;
  const counts = { texts: [], shown: 0, ended: false, heights: {} };
  window.counts = counts;
  for (const widget of nodes().flatMap((node) => node.widgets ?? []))
    if (widget.name === "seconds") widget.value = seconds;
  counts.heights = Object.fromEntries(nodes().map((node) => [node.id, node.size[1]]));
  const own = (node) => node.widgets?.some(({ name }) => name === "$$node-text-preview");
  api.addEventListener("progress_text", ({ detail }) => {
    if (!/\d+ of (at most )?\d+/.test(detail.text)) return;
    counts.texts.push(detail.text);
    if (nodes().some(own)) counts.shown += 1;
  });
  api.addEventListener("execution_success", () => (counts.ended = true));
}

function look() {
  const { texts, shown, heights } = window.counts;
  const widgets = (node) => (node.widgets ?? []).map(({ name }) => name);
  const { nodes } = window.app.graph;
  return {
    texts,
    shown,
    left: nodes.filter((node) => widgets(node).includes("$$node-text-preview")).length,
    grown: nodes
      .filter((node) => !widgets(node).some((name) => ["node_text", "waveform"].includes(name)))
      .filter((node) => !node.imgs?.length && node.size[1] > heights[node.id] + 1)
      .map(({ id, comfyClass, size }) => [comfyClass, heights[id], size[1]]),
  };
}
