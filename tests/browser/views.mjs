// How a workflow lies before one who opens it from the templates, in a window of a laptop. Finds
// {scale, boxes: [[left, top, width, height] in pixels of the window]}

import { job, still } from "../../tools/browser/page.mjs";

export const LAPTOP = { width: 1440, height: 900 }; // pixels

export async function openAsTemplate(page, name, workflow) {
  await page.evaluate(openTemplate, [workflow, name]);
  await still(page);
  if (job.pictures) await page.screenshot({ path: `${job.pictures}/view.${name}.${job.renderer}.png` });
  return page.evaluate(view);
}

// What follows runs in the page.
async function openTemplate([workflow, name]) {
  await window.app.loadGraphData(workflow, true, true, name, { openSource: "template" });
}

function view() {
  const { scale, offset } = window.app.canvas.ds;
  const boxOf = ([left, top, width, height]) =>
    [left + offset[0], top + offset[1], width, height].map((each) => each * scale);
  return { scale, boxes: window.app.graph.nodes.map(({ boundingRect }) => boxOf(boundingRect)) };
}
