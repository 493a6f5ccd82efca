// How a workflow lies before one who opens it from the templates, in a window of a laptop. Finds
// {name: {scale, boxes: [[left, top, width, height] in units]}}

import { drawn, job } from "../../tools/browser/page.mjs";

const [LAPTOP, BEFORE] = [{ width: 1440, height: 900 }, { width: 2560, height: 1300 }]; // pixels
const SETTLE = 300; // ms: the page fits its view when the nodes have been measured

export async function visit(page) {
  await page.setViewportSize(LAPTOP);
  const seen = {};
  for (const { name, page: workflow } of job.workflows) {
    await page.evaluate(openTemplate, [workflow, name]);
    await page.waitForTimeout(SETTLE);
    seen[name] = await page.evaluate(view);
    if (job.pictures) await page.screenshot({ path: `${job.pictures}/view.${name}.${job.renderer}.png` });
  }
  await page.setViewportSize(BEFORE);
  await drawn(page);
  return seen;
}

// What follows runs in the page.
async function openTemplate([workflow, name]) {
  await window.app.loadGraphData(workflow, true, true, name, { openSource: "template" });
}

function view() {
  const { canvas, graph } = window.app;
  return { scale: canvas.ds.scale, boxes: graph.nodes.map(({ boundingRect }) => [...boundingRect]) };
}
