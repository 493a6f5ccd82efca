// Writes a song with the aids below its caption and lyrics. Finds {widgets, before, saved, sent: of the song node; tagged,
//   typed, undone, more: lyrics; counts, styled, menus (open ones); stopped, polished, back, forth, undone_twice:
//   [caption, lyrics], asked, steps (of the page's undo); promoted, app: the same on a subgraph and in an app;
//   left: how the polishing ends of a song that is left}

import { command, isOver, job, load, nextRun, prompt, skipWelcome, waitUntil } from "../../tools/browser/page.mjs";

const row = (name) => `[data-writing="${name}"]`;
const APP = '[data-testid="linear-widgets"]';
const LYRICS = "[Verse]\nla la la\nlo lo";
const RUN_ID = "polished";
const REWRITES = 20; // of some 20 seconds each
const POLISHED = { caption: "a calm choir, jazz", lyrics: "[Verse 1]\nLa la la" };

export async function visit(page) {
  const pages = Object.fromEntries(job.workflows.map(({ name, page }) => [name, page]));
  await load(page, "text_to_music", pages.text_to_music);
  await page.locator(row("lyrics")).waitFor();
  const found = { widgets: await page.evaluate(widgets), before: await page.evaluate(saved) };
  Object.assign(found, await writeSections(page), { counts: await countWords(page) });
  found.styled = await chooseStyles(page);
  await picture(page, "menu");
  await page.keyboard.press("Escape");
  found.menus = await page.locator(".acestep15-writing-menu").count();
  Object.assign(found, await polish(page));
  found.saved = await page.evaluate(saved);
  found.sent = Object.values(await page.evaluate(prompt)).find(isSong).inputs;
  await load(page, "start_here", pages.start_here);
  found.promoted = await writePromoted(page);
  await picture(page, "promoted");
  found.app = await writeInApp(page, pages.start_here);
  await load(page, "text_to_music", pages.text_to_music); // no app
  found.left = await leave(page);
  return found;
}

async function writeSections(page) {
  const box = boxOf(page, "lyrics");
  await box.fill(LYRICS);
  await box.evaluate((area) => area.setSelectionRange(16, 16)); // behind "la la la"
  await page.locator(row("lyrics")).getByText("Chorus", { exact: true }).click();
  const found = { tagged: await text(page, "lyrics") };
  await page.keyboard.type("hey ");
  found.typed = await text(page, "lyrics");
  for (let n = 0; n < 6 && (await text(page, "lyrics")) !== LYRICS; n++) await page.keyboard.press("Control+z");
  found.undone = await text(page, "lyrics");
  await box.evaluate((area) => area.setSelectionRange(area.value.length, area.value.length));
  await page.locator(row("lyrics")).getByText("+", { exact: true }).click();
  await page.locator(".acestep15-writing-menu").getByText("Outro", { exact: true }).click();
  found.more = await text(page, "lyrics");
  return found;
}

async function countWords(page) {
  const counts = [];
  for (const [words, seconds] of [[8, 60], [60, 60], [200, 60], [8, 0]]) {
    await page.evaluate(setSeconds, seconds);
    await boxOf(page, "lyrics").fill(`[Verse]\n${"la ".repeat(words)}`);
    await page.waitForTimeout(300);
    counts.push(await page.locator(`${row("lyrics")} span`).innerText());
  }
  await page.evaluate(setSeconds, 60);
  return counts;
}

async function chooseStyles(page) {
  await boxOf(page, "caption").fill("folk, Piano");
  await page.locator(row("caption")).getByText("Style", { exact: true }).click();
  const menu = page.locator(".acestep15-writing-menu");
  const found = { lit: await menu.locator('[aria-pressed="true"]').allInnerTexts(), captions: [] };
  for (const word of ["choir", "piano", "folk", "jazz"]) {
    await menu.getByText(word, { exact: true }).click();
    found.captions.push(await text(page, "caption"));
  }
  return found;
}

// The server runs the first prompt until it is stopped. The second's answer is made up: what a miniature writes is noise.
async function polish(page) {
  await boxOf(page, "lyrics").fill(LYRICS);
  const button = (name) => buttonOf(page, name);
  const texts = async () => [await text(page, "caption"), await text(page, "lyrics")];
  const run = await beginLong(page);
  await button("Stop").click();
  await waitUntil(page, isOver, run);
  const found = { stopped: await texts() };
  const asked = new Promise((answer) => void page.route("**/prompt", (route) => answer(accept(route)), { times: 1 }));
  await button("Polish").click();
  found.asked = (await asked).prompt;
  found.steps = [await page.evaluate(stepsOfUndo)];
  await page.evaluate(sendAnswer, [RUN_ID, Object.keys(found.asked), POLISHED]);
  await button("Back").waitFor();
  found.polished = await texts();
  found.steps.push(await page.evaluate(stepsOfUndo));
  await picture(page, "polished");
  await button("Back").click();
  found.back = await texts();
  await button("Back").click();
  found.forth = await texts();
  await boxOf(page, "caption").focus();
  for (let n = 0; n < 2; n++) await page.keyboard.press("Control+z"); // a text each
  found.undone_twice = await texts();
  return found;
}

// Returns the id of the run.
async function beginLong(page) {
  await page.route("**/prompt", prolong, { times: 1 });
  const queued = nextRun(page);
  await buttonOf(page, "Polish").click();
  const run = await queued;
  await waitUntil(page, isRunning, run);
  return run;
}

// As someone who opens another workflow meanwhile.
async function leave(page) {
  const run = await beginLong(page);
  await command(page, "Comfy.NewBlankWorkflow");
  await waitUntil(page, isOver, run);
  return page.evaluate(endOf, run);
}

// Lets the language model rewrite its own texts so often that a slow page has the time to stop it.
async function prolong(route) {
  const sent = route.request().postDataJSON();
  const idOf = (name) => Object.keys(sent.prompt).find((id) => id.endsWith(`-${name}`));
  const format = sent.prompt[idOf("format")];
  let last = idOf("format");
  for (let n = 0; n < REWRITES; n++) {
    const inputs = { ...format.inputs, song: [last, 0] };
    last = `${idOf("format")}-${n}`;
    sent.prompt[last] = { ...format, inputs };
  }
  sent.prompt[idOf("details")].inputs.song = [last, 0];
  await route.continue({ postData: JSON.stringify(sent) });
}

async function accept(route) {
  const asked = route.request().postDataJSON();
  await route.fulfill({ json: { prompt_id: RUN_ID, number: 1, node_errors: {} } });
  return asked;
}

async function writePromoted(page) {
  const shown = (which) => page.locator(which).filter({ visible: true }); // some pages keep the box inside, unseen
  await shown(row("lyrics")).waitFor();
  const found = { rows: await shown(".acestep15-writing").count() };
  await shown(row("lyrics")).getByText("Bridge", { exact: true }).click();
  found.shown = await boxOf(page, "lyrics").filter({ visible: true }).inputValue();
  found.count = await shown(row("lyrics")).locator("span").innerText();
  found.sent = Object.values(await page.evaluate(prompt)).find(isSong).inputs.lyrics;
  return found;
}

async function writeInApp(page, workflow) {
  const app = { ...workflow, extra: { ...workflow.extra, linearMode: true } };
  await page.evaluate(([graph]) => window.app.loadGraphData(graph, true, true, "app"), [app]);
  await page.locator(`${APP} ${row("lyrics")}`).waitFor();
  await skipWelcome(page);
  const found = { rows: await page.locator(`${APP} .acestep15-writing`).count() };
  await page.locator(`${APP} ${row("lyrics")}`).getByText("Verse", { exact: true }).click();
  const box = page.locator(`${APP} :has(> ${row("lyrics")}) > textarea`);
  found.shown = await box.inputValue();
  found.heights = [(await box.boundingBox()).height, (await page.locator(`${APP} ${row("lyrics")}`).boundingBox()).height];
  found.sent = Object.values(await page.evaluate(prompt)).find(isSong).inputs.lyrics;
  await picture(page, "app");
  return found;
}

function buttonOf(page, name) {
  return page.locator(row("caption")).getByRole("button", { name, exact: true });
}

function boxOf(page, name) {
  return page.locator(`:has(> ${row(name)}) > textarea`);
}

// What the widget holds, and the box shows.
async function text(page, name) {
  const [held, shown] = [await page.evaluate(valueOf, name), await boxOf(page, name).inputValue()];
  return held === shown ? held : { held, shown };
}

async function picture(page, what) {
  if (job.pictures) await page.screenshot({ path: `${job.pictures}/writing.${what}.${job.renderer}.png` });
}

function isSong({ class_type }) {
  return class_type === "AceStep15Song";
}

// What follows runs in the page.
function valueOf(name) {
  const song = window.app.graph.nodes.find(({ comfyClass }) => comfyClass === "AceStep15Song");
  return song.widgets.find((each) => each.name === name).value;
}

async function isRunning(run) {
  const { queue_running: running } = await (await fetch("/queue")).json();
  return running.some(([, id]) => id === run);
}

async function endOf(run) {
  const { status } = (await (await fetch(`/history/${run}`)).json())[run];
  return status.messages.at(-1)[0];
}

async function sendAnswer([id, nodes, texts]) {
  const { api } = await import("/scripts/api.js");
  const send = (event, detail) => api.dispatchEvent(new CustomEvent(event, { detail: { prompt_id: id, ...detail } }));
  for (const [name, said] of Object.entries(texts)) {
    const node = nodes.find((each) => each.endsWith(`-${name}`));
    send("executed", { node, display_node: node, output: { text: [said] } });
  }
  send("execution_success", {});
}

function setSeconds(seconds) {
  const song = window.app.graph.nodes.find(({ comfyClass }) => comfyClass === "AceStep15Song");
  song.widgets.find(({ name }) => name === "seconds").value = seconds;
}

function widgets() {
  const song = window.app.graph.nodes.find(({ comfyClass }) => comfyClass === "AceStep15Song");
  return song.widgets.map(({ name }) => name);
}

function saved() {
  const { nodes } = window.app.graph.serialize();
  return nodes.find(({ type }) => type === "AceStep15Song");
}

function stepsOfUndo() {
  return window.app.extensionManager.workflow.activeWorkflow.changeTracker.undoQueue.length;
}
