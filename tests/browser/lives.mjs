// What plays on a node ends with the node, and another plays after it. Finds {region, takes, hearing,
// nested: {began, stopped, closed} of each player}

import { command, job, load, playing } from "./page.mjs";

const [REGION, TAKES, ROW] = ["region", "takes", "hearing"].map((kind) => `.acestep15-${kind}`);

export async function visit(page) {
  const workflow = (wanted) => job.workflows.find(({ name }) => name === wanted).page;
  const open = (name) => load(page, name, workflow(name));
  await page.evaluate(keepSounds);
  const found = {};
  await openRegion(page, workflow("repaint_section"));
  found.region = await outlived(page, REGION, () => open("text_to_music"));
  await page.evaluate(giveTake, job.recording);
  found.takes = await outlived(page, TAKES, () => page.evaluate(remove, "AceStep15SaveAudio"));
  await page.evaluate(giveGuess, job.recording);
  found.hearing = await outlived(page, ROW, () => openRegion(page, workflow("repaint_section")));
  await page.evaluate(nest, ["LoadAudio", "AceStep15Repaint"]);
  await command(page, "Comfy.Canvas.FitView");
  await read(page);
  found.nested = await outlived(page, REGION, () => open("text_to_music"));
  return found;
}

async function openRegion(page, workflow) {
  const whole = structuredClone(workflow);
  whole.nodes.find(({ type }) => type === "AceStep15Repaint").widgets_values.splice(1, 2, 0, 2);
  await load(page, "repaint_section", whole);
  await read(page);
}

async function read(page) {
  const text = (area) => /\d:\d\d/.test(document.querySelector(`${area} span`)?.textContent);
  await page.waitForFunction(text, REGION);
}

// Presses play in `area`, and has the node gone.
async function outlived(page, area, leave) {
  await page.waitForSelector(`${area} button:not([disabled])`);
  await page.evaluate((area) => document.querySelector(`${area} button`).click(), area);
  const began = await playing(page, area);
  const sound = await page.evaluateHandle(() => window.sounds.at(-1));
  await leave();
  await page.waitForTimeout(400); // an older page does not say that a subgraph has gone
  const left = await sound.evaluate((each) => ({ stopped: each.paused, closed: !each.getAttribute("src") }));
  return { began, ...left };
}

// What follows runs in the page.
function keepSounds() {
  const { play } = HTMLMediaElement.prototype;
  window.sounds = [];
  HTMLMediaElement.prototype.play = function () {
    window.sounds.push(this);
    return play.call(this);
  };
}

function giveTake(filename) {
  const node = window.app.graph.nodes.find(({ type }) => type === "AceStep15SaveAudio");
  const take = { filename, subfolder: "", type: "input", seconds: 2, peaks: [99], loudness: -20 };
  node.onExecuted({ ace_step_waves: [JSON.stringify(take)] });
}

async function giveGuess(filename) {
  const { api } = await import("/scripts/api.js");
  const node = window.app.graph.nodes.find(({ type }) => type === "AceStep15Sampler").id;
  const file = { filename, subfolder: "", type: "input" };
  const detail = { node, step: 2, steps: 8, start: 0, end: 2, ...file };
  api.dispatchEvent(new CustomEvent("acestep15.heard", { detail }));
}

function remove(kind) {
  const { graph } = window.app;
  graph.remove(graph.nodes.find(({ type }) => type === kind));
}

// Puts nodes into a subgraph, and opens it once the page has drawn that.
async function nest(kinds) {
  const { canvas, graph } = window.app;
  const items = new Set(graph.nodes.filter(({ type }) => kinds.includes(type)));
  const left = document.querySelector(".acestep15-region");
  const { subgraph } = graph.convertToSubgraph(items);
  for (let frame = 0; left.isConnected && frame < 20; frame++) await new Promise(requestAnimationFrame);
  left.className = ""; // the classic canvas may keep it for longer
  canvas.setGraph(subgraph);
}
