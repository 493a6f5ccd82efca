// Finds {pages: {node id: what its help shows}, raw: {node id: its text with a bar outside of code}, beside:
// widths}.
//
// The help pages where a user reads them: the info button above a selected node opens the page's side
// panel. What the panel's other tab does to the node's waveform is seen there, too.

import { job, load } from "../../tools/browser/page.mjs";

const PANEL = "Comfy.RightSidePanel.IsOpen";
const LOADING = 30_000; // ms: until a help page and its picture have come

export async function visit(page) {
  await load(page, "help", job.workflows.find(({ name }) => name === "repaint_section").page);
  const found = { pages: {} };
  for (const kind of job.help) {
    await page.evaluate(select, kind);
    await page.getByTestId("info-button").click();
    await page.waitForFunction(isShown, kind, { timeout: LOADING });
    found.pages[kind] = await page.evaluate(read);
    await page.evaluate(openPanel, { PANEL, open: false });
  }
  found.raw = await page.evaluate(rawBars);
  await page.evaluate(select, "AceStep15Repaint");
  await page.evaluate(openPanel, { PANEL, open: true });
  await page.getByRole("tab", { name: "Parameters" }).click();
  await page.getByText(await page.evaluate(nameOfWaveform), { exact: true }).first().waitFor();
  await page.evaluate(() => window.app.canvas.setDirty(true, true));
  await page.waitForTimeout(500); // the panel draws the widget as its own, then the canvas does
  found.beside = await page.evaluate(widths);
  await page.evaluate(openPanel, { PANEL, open: false });
  return found;
}

// What follows runs in the page.
function select(kind) {
  const { canvas, graph } = window.app;
  canvas.deselectAll();
  canvas.selectNode(graph.nodes.find(({ type }) => type === kind));
  canvas.setDirty(true, true);
}

async function openPanel({ PANEL, open }) {
  await window.app.extensionManager.setting.set(PANEL, open);
}

function isShown(kind) {
  const picture = document.querySelector(".node-help-content img");
  return picture?.complete && picture.src.includes(kind);
}

function read() {
  const area = document.querySelector(".node-help-content");
  const { naturalWidth, clientWidth, src, alt } = area.querySelector("img");
  const text = area.innerText;
  return { text, naturalWidth, clientWidth, width: area.clientWidth, src, alt };
}

// Of every node of ours, by the page's own reading of markdown.
async function rawBars() {
  const kinds = Object.keys(window.LiteGraph.registered_node_types).filter((kind) => kind.startsWith("AceStep15"));
  const textOf = async (kind) => {
    const page = await (await fetch(`/extensions/acestep15/docs/${kind}.md`)).text();
    const area = document.createElement("div");
    area.innerHTML = window.app.extensionManager.renderMarkdownToHtml(page);
    const tables = area.querySelectorAll("table").length;
    area.querySelectorAll("code").forEach((code) => code.remove());
    return { tables, lines: area.textContent.split("\n").filter((line) => line.includes("|")) };
  };
  return Object.fromEntries(await Promise.all(kinds.map(async (kind) => [kind, await textOf(kind)])));
}

// Of Repaint, as its app calls it.
function nameOfWaveform() {
  const { widgets } = window.app.graph.nodes.find(({ type }) => type === "AceStep15Repaint");
  const { label, name } = widgets.find(({ name }) => name === "waveform");
  return label ?? name;
}

// The node's and its waveform's, in the units of the canvas.
function widths() {
  const node = window.app.graph.nodes.find(({ type }) => type === "AceStep15Repaint");
  return { node: node.size[0], waveform: document.querySelector(".acestep15-region").clientWidth };
}
