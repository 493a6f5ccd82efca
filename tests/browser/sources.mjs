// Makes a take the source of its own workflow, of one whose task has no loader, and of one without a task. Finds
// {before, set, undone, redone (on the canvas), opened, again, added, removed, alone}, each {source, loaders, wired, said, region, player,
//   apart (no node covers another), errors, dialogs}

import { command, drawn, job, load, pressRun } from "../../tools/browser/page.mjs";

const TAKES = ".acestep15-takes";
const USE = `${TAKES} [data-ace-step=useAsSource]`;
const NAME = "repaint_section";
const LOADING = 240_000; // ms: until a run is over and its take there

export async function visit(page) {
  const { page: workflow } = structuredClone(job.workflows.find(({ name }) => name === NAME));
  const sampler = workflow.nodes.find(({ type }) => type === "AceStep15Sampler");
  sampler.widgets_values[0] = job.renderer === "nodes2" ? 21 : 20; // the other's results are in the cache
  const found = {};
  await open(page, workflow);
  await pressRun(page);
  await takes(page, 1);
  found.before = await page.evaluate(look);
  await press(page);
  await page.waitForFunction(playsItsSource);
  found.set = await page.evaluate(look);
  if (job.pictures) await page.screenshot({ path: `${job.pictures}/sources.${job.renderer}.png` });
  found.undone = await step(page, "Undo");
  if (job.renderer === "canvas") found.redone = await step(page, "Redo");
  else await press(page); // there the page has no step to go on to
  const saved = await page.evaluate(() => window.app.graph.serialize());
  await open(page, saved);
  await takes(page, 1);
  found.opened = await page.evaluate(look);
  await pressRun(page);
  await takes(page, 2);
  found.again = await page.evaluate(look);
  await open(page, without(saved, "AceStep15LoadRecording"));
  await takes(page, 2);
  await press(page);
  await command(page, "Comfy.Canvas.FitView");
  found.added = await page.evaluate(look);
  if (job.pictures) await page.screenshot({ path: `${job.pictures}/sources_added.${job.renderer}.png` });
  found.removed = await step(page, "Undo");
  await open(page, without(saved, "AceStep15LoadRecording", "AceStep15Repaint"));
  await takes(page, 2);
  await press(page);
  found.alone = await page.evaluate(look);
  return found;
}

async function open(page, workflow) {
  await load(page, NAME, workflow);
}

// With the keyboard, as one who has no mouse.
async function press(page) {
  await page.locator(USE).focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(hasSaid);
  await drawn(page);
}

// By the page's command: its keys wait for a frame, in which a slow page may find nodes that have grown since.
async function step(page, name) {
  await command(page, `Comfy.${name}`);
  await drawn(page);
  await takes(page, 1);
  return page.evaluate(look);
}

async function takes(page, count) {
  const there = (count) =>
    window.app.graph.nodes.some(({ widgets }) => widgets?.some(({ takes }) => takes?.takes.length >= count));
  await page.waitForFunction(there, count, { timeout: LOADING });
  await page.waitForTimeout(600); // and drawn, and looked for on the disk
}

function without({ nodes, links, ...workflow }, ...kinds) {
  const gone = nodes.filter(({ type }) => kinds.includes(type)).map(({ id }) => id);
  const left = nodes.filter(({ id }) => !gone.includes(id)).map((node) => structuredClone(node));
  const cut = links.filter(([, from, , to]) => gone.includes(from) || gone.includes(to)).map(([id]) => id);
  for (const { inputs, outputs } of left) {
    for (const input of inputs ?? []) if (cut.includes(input.link)) input.link = null;
    for (const output of outputs ?? []) output.links = output.links?.filter((id) => !cut.includes(id));
  }
  return { ...workflow, nodes: left, links: links.filter(([id]) => !cut.includes(id)), extra: {} };
}

// What follows runs in the page.
function hasSaid() {
  const said = document.querySelector(".acestep15-takes > div > span").textContent;
  return said !== "" && !/^\d+:/.test(said); // where the player is
}

function playsItsSource() {
  const { widgets } = window.app.graph.nodes.find(({ type }) => type === "AceStep15LoadRecording");
  const file = widgets.find(({ name }) => name === "audio").value.match(/[^/]*\.flac/)[0];
  const players = [...document.querySelectorAll("audio")].filter(({ src }) => decodeURIComponent(src).includes(file));
  return players.length && players.every(({ duration }) => Number.isFinite(duration));
}

async function look() {
  const { sourceFile } = await import("/extensions/acestep15/waveform/graph.js");
  const { nodes } = window.app.graph;
  const of = (kind) => nodes.filter(({ type }) => type === kind);
  const loaders = of("AceStep15LoadRecording");
  const boxes = nodes.map(({ boundingRect: [x, y, width, height] }) => [x, y, x + width, y + height]);
  const meet = ([a, b, c, d], [e, f, g, h]) => a < g && e < c && b < h && f < d;
  const [task] = of("AceStep15Repaint");
  return {
    source: loaders[0]?.widgets.find(({ name }) => name === "audio").value ?? null,
    loaders: loaders.length,
    wired: task?.inputs.find(({ name }) => name === "source").link != null,
    said: document.querySelector(".acestep15-takes > div > span").textContent,
    region: task ? sourceFile(task, "source", (path) => path) : null,
    players: [...document.querySelectorAll("audio")].map(({ src, duration }) => [decodeURIComponent(src), duration]),
    apart: !boxes.some((one, n) => boxes.slice(n + 1).some((other) => meet(one, other))),
    errors: nodes.filter((node) => node.has_errors).map(({ type }) => type),
    dialogs: [...document.querySelectorAll('[role="dialog"]')].map(({ innerText }) => innerText),
  };
}
