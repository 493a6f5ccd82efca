// What plays on a node ends with the node, and another plays after it. Finds {region, takes, preview,
// nested: {began, stopped, closed} of each player}

import { PLAYING, job, load } from "../../tools/browser/page.mjs";

const SAVE = "AceStep15SaveAudio";

export async function visit(page) {
  const workflow = (wanted) => job.workflows.find(({ name }) => name === wanted).page;
  const open = (name) => load(page, name, workflow(name));
  await page.evaluate(prepare);
  const found = {};
  await openRegion(page, workflow("repaint_section"));
  const region = ["AceStep15Repaint", "waveform"];
  found.region = await outlived(page, region, () => open("text_to_music"));
  await page.evaluate(giveTake, job.recording);
  found.takes = await outlived(page, [SAVE, "waveform"], () => page.evaluate(remove, SAVE));
  await page.evaluate(givePreview, job.recording);
  found.preview = await outlived(page, ["AceStep15Sampler", "audio_preview"], () => open("text_to_music"));
  await page.evaluate(nest, SAVE);
  await page.evaluate(giveTake, job.recording);
  found.nested = await outlived(page, [SAVE, "waveform"], () => open("repaint_section"));
  return found;
}

async function openRegion(page, workflow) {
  const whole = structuredClone(workflow);
  whole.nodes.find(({ type }) => type === "AceStep15Repaint").widgets_values.splice(1, 2, 0, 2);
  await load(page, "repaint_section", whole);
  const read = () => /\d:\d\d/.test(document.querySelector(".acestep15-region span")?.textContent);
  await page.waitForFunction(read);
}

// Presses play on a widget of a node, and has the node gone.
async function outlived(page, [kind, name], leave) {
  const button = await page.evaluateHandle(buttonOf, { kind, name });
  await button.evaluate((each) => each.click());
  const began = await page
    .waitForFunction((each) => each.textContent === "■", button, { timeout: PLAYING })
    .then(
      () => true,
      () => false,
    );
  const sound = await page.evaluateHandle(() => window.sounds.at(-1));
  await leave();
  await page.waitForTimeout(400); // an older page does not say that a subgraph has gone
  const left = await sound.evaluate((each) => ({ stopped: each.paused, closed: !each.getAttribute("src") }));
  return { began, ...left };
}

// What follows runs in the page.
function prepare() {
  const { play } = HTMLMediaElement.prototype;
  window.sounds = [];
  HTMLMediaElement.prototype.play = function () {
    window.sounds.push(this);
    return play.call(this);
  };
  window.nodeOf = (kind) => {
    const { graph } = window.app;
    const all = [graph, ...graph.subgraphs.values()].flatMap(({ nodes }) => nodes);
    return all.find(({ type }) => type === kind);
  };
}

function buttonOf({ kind, name }) {
  const widget = window.nodeOf(kind).widgets.find((each) => each.name === name);
  return widget.element.querySelector("button");
}

async function giveTake(filename) {
  const node = window.nodeOf("AceStep15SaveAudio");
  const { takes } = node.widgets.find((each) => each.takes);
  const take = { filename, subfolder: "", type: "input", seconds: 2, peaks: [99], loudness: -20 };
  node.onExecuted({ ace_step_waveforms: [JSON.stringify(take)] });
  while (!takes.take) await new Promise((next) => setTimeout(next, 50));
}

async function givePreview(filename) {
  const { api } = await import("/scripts/api.js");
  const node = window.nodeOf("AceStep15Sampler").id;
  const file = { filename, subfolder: "", type: "input" };
  const detail = { node, step: 2, steps: 8, start: 0, end: 2, ...file };
  api.dispatchEvent(new CustomEvent("acestep15.audio_preview", { detail }));
}

function remove(kind) {
  window.app.graph.remove(window.nodeOf(kind));
}

// Puts a node into a subgraph.
function nest(kind) {
  window.app.graph.convertToSubgraph(new Set([window.nodeOf(kind)]));
}
