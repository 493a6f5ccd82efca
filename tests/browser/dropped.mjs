// Drops a saved file of each format on the canvas. Finds {opened: {ending: titles of the nodes that are open}}

import { job } from "../../tools/browser/page.mjs";

const SECONDS = 20_000; // ms until a workflow is open

export async function visit(page) {
  const opened = {};
  for (const [ending, file] of Object.entries(job.dropped)) {
    await page.evaluate(addInput);
    await page.setInputFiles("#dropped", file); // the browser says what type it takes it for
    await page.evaluate(drop);
    await page.waitForFunction(isOpen, ending, { timeout: SECONDS }).catch(() => {});
    opened[ending] = await page.evaluate(titles);
  }
  return { opened };
}

// What follows runs in the page.
function addInput() {
  const input = document.createElement("input");
  Object.assign(input, { type: "file", id: "dropped" });
  document.body.append(input);
}

function drop() {
  const input = document.getElementById("dropped");
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(input.files[0]);
  input.remove();
  const canvas = window.app.canvas.canvas;
  canvas.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}

function isOpen(title) {
  return window.app.graph.nodes.some((node) => node.title === title);
}

function titles() {
  return window.app.graph.nodes.map(({ title }) => title);
}
