// Touches the waveforms as a user would, and comes to the page as one who is new to it. Finds
// {region, bars, measured, missing, visit, takes, volumes, long, library}

import { command, job, load, openSearch, playing, pressRun, prompt, reopen } from "../../tools/browser/page.mjs";

const REGION = ".acestep15-region";
const GROUP = "ACE-Step 1.5"; // in the list of templates
const TAKES = ".acestep15-takes";
const LOADING = 60_000; // ms: until a recording has been read, or a result has come

export async function visit(page) {
  const pages = Object.fromEntries(job.workflows.map(({ name, page }) => [name, page]));
  const repaint = withOwnRecording(pages.repaint_section);
  const found = {};
  found.region = await touchRegion(page, repaint);
  found.bars = await touchBars(page, pages.add_instrument);
  found.measured = await snapToMeasured(page, repaint);
  found.visit = await firstVisit(page);
  await load(page, "start_here", pages.start_here);
  found.takes = await compareTakes(page);
  found.volumes = await page.evaluate(loudnesses);
  found.long = await page.evaluate(drawLong);
  found.library = await page.evaluate(library);
  found.missing = await withoutAudio(page, repaint);
  return found;
}

// As step 1 of its note says: a file of the user's, of two seconds.
function withOwnRecording(workflow) {
  const chosen = structuredClone(workflow);
  const load = chosen.nodes.find(({ type }) => type === "AceStep15LoadRecording");
  load.widgets_values[0] = job.recording;
  return chosen;
}

async function touchRegion(page, workflow) {
  const tempo = structuredClone(workflow);
  const of = (kind) => tempo.nodes.find(({ type }) => type === kind).widgets_values;
  of("AceStep15Song")[3] = 120; // bpm
  of("AceStep15Repaint").splice(1, 2, ...job.region);
  await load(page, "repaint_section", tempo);
  await page.waitForFunction(
    (area) => /\d:\d\d/.test(document.querySelector(`${area} span`)?.textContent),
    REGION,
    { timeout: LOADING },
  );
  const found = { before: await page.evaluate(moments), place: await page.evaluate(place) };
  await drag(page, 1.5, 1.0); // the end of the range, from 1.5 s to 1 s
  found.end = await page.evaluate(moments);
  await drag(page, 0.75, 1.25); // its middle
  found.whole = await page.evaluate(moments);
  await drag(page, 0.5, 0.0); // beside it
  found.drawn = await page.evaluate(moments);
  await page.keyboard.press("ArrowRight"); // all of what was drawn
  await page.keyboard.press("ArrowRight");
  found.keyed = await page.evaluate(moments);
  await page.keyboard.press("ArrowDown"); // the end
  await page.keyboard.press("Shift+ArrowRight");
  found.keyedFar = await page.evaluate(moments);
  await page.locator(`${REGION} [data-ace-step=snapTo]`).click(); // snaps to beats, of half a second
  found.snapped = await page.evaluate(moments);
  await drag(page, found.snapped.end, 1.2);
  found.onBeat = await page.evaluate(moments);
  await page.locator(`${REGION} canvas`).focus();
  await page.keyboard.press(" ");
  found.played = await playing(page, REGION);
  found.moved = await page.evaluate(place);
  await reopen(page);
  found.again = await page.evaluate(moments);
  found.sent = Object.values(await page.evaluate(prompt)).find(isRepaint).inputs;
  return found;
}

async function touchBars(page, workflow) {
  await load(page, "add_instrument", workflow);
  await page.waitForFunction(
    (area) => /\d:\d\d/.test(document.querySelector(`${area} span`)?.textContent),
    REGION,
    { timeout: LOADING },
  );
  const node = await page.evaluate(() =>
    window.app.graph.nodes.findIndex(({ comfyClass }) => comfyClass === "AceStep15RegionMask"),
  );
  await page.evaluate((node) => {
    const tempo = window.app.graph.nodes[node].widgets.find(({ name }) => name === "by.bpm");
    tempo.value = 240; // a bar is a second
  }, node);
  await page.waitForTimeout(400);
  await page.locator(`${REGION} canvas`).focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown"); // the end
  await page.keyboard.press("ArrowLeft");
  return page.evaluate((node) => {
    const { id, widgets } = window.app.graph.nodes[node];
    const drawn = document.querySelector(`[data-node-id="${id}"] [role="combobox"]`);
    const values = Object.fromEntries(widgets.map(({ name, value }) => [name, value]));
    return { values, drawn: drawn?.textContent ?? null }; // the canvas has no elements
  }, node);
}

// With the beats that a run of Measure would have sent, at unequal distances.
async function snapToMeasured(page, workflow) {
  const region = structuredClone(workflow);
  region.nodes.find(({ type }) => type === "AceStep15Repaint").widgets_values.splice(1, 2, ...job.region);
  await load(page, "repaint_section", region);
  await page.waitForFunction(
    (area) => /\d:\d\d/.test(document.querySelector(`${area} span`)?.textContent),
    REGION,
    { timeout: LOADING },
  );
  const snap = page.locator(`${REGION} [data-ace-step=snapTo]`);
  const found = { offered: [await snap.evaluate(offer)] }; // the song has no tempo
  await snap.click({ force: true }); // Playwright would wait until it does something
  found.refused = await page.evaluate(moments);
  await page.evaluate(measureSource);
  await page.waitForTimeout(400);
  await page.evaluate(sendBeats, { beats: [0.13, 0.64, 1.11, 1.62], bars: [0.13, 1.11] });
  await page.waitForTimeout(400);
  found.offered.push(await snap.evaluate(offer));
  await snap.click();
  found.beats = await page.evaluate(moments);
  await page.locator(`${REGION} canvas`).focus();
  await page.keyboard.press("ArrowRight"); // the start, by a beat
  found.keyed = await page.evaluate(moments);
  await snap.click();
  found.bars = await page.evaluate(moments);
  return found;
}

// As someone who knows ComfyUI and not us: 'song' in the node search, then the templates.
async function firstVisit(page) {
  await (await openSearch(page)).fill("song");
  const offered = page.getByRole("option");
  await offered.getByText("Song (ACE-Step").waitFor();
  const found = { offered: await offered.allInnerTexts() };
  await page.keyboard.press("Escape");
  await offered.first().waitFor({ state: "detached" });
  await command(page, "Comfy.BrowseTemplates");
  const templates = page.getByRole("dialog");
  await templates.getByText(GROUP, { exact: true }).first().click();
  const card = templates.getByTestId(`template-workflow-${job.files.start_here}`);
  await card.waitFor();
  found.pictured = await card.locator("img").evaluate(async (image) => {
    await image.decode(); // rejects what is no picture
    return image.naturalWidth;
  });
  found.templates = await templates.getByText(/Showing \d+ of \d+/).textContent();
  await card.click();
  await page.waitForFunction(() => window.app.graph.nodes.some(({ subgraph }) => subgraph));
  found.opened = await page.evaluate(prompt); // in an app, whose nodes are not drawn
  return found;
}

// In `start_here`.
async function compareTakes(page) {
  await page.evaluate(() => {
    const { widgets } = window.app.graph.nodes.find(({ subgraph }) => subgraph);
    widgets.find(({ name }) => name === "seconds").value = 10;
  });
  const play = page.locator(`${TAKES} button`).first();
  const take = page.locator(`${TAKES} [data-take]`);
  const counts = [];
  for (const count of [1, 2]) {
    await pressRun(page);
    const arrived = ([area, count]) =>
      document.querySelectorAll(`${area} [data-take]`).length === count;
    await page.waitForFunction(arrived, [TAKES, count], { timeout: LOADING });
    counts.push(await take.count());
  }
  await take.nth(0).click();
  await play.click();
  const played = await playing(page, TAKES);
  await page.waitForTimeout(500);
  const before = await page.evaluate(clockOf, TAKES);
  await take.nth(1).click(); // while the first plays
  await page.waitForTimeout(300);
  const after = await page.evaluate(clockOf, TAKES);
  const pressed = await take.evaluateAll((all) =>
    all.map((each) => each.getAttribute("aria-pressed")),
  );
  if (played) await play.click(); // stop
  return { counts, played, before, after, pressed };
}

// Without WebAudio, as in a browser that has none: no waveform, and nothing breaks.
async function withoutAudio(page, workflow) {
  await page.evaluate(() => {
    window.kept = window.OfflineAudioContext;
    delete window.OfflineAudioContext;
  });
  await load(page, "repaint_section", workflow);
  const said = await page.locator(`${REGION} span`).first().textContent();
  await page.evaluate(() => (window.OfflineAudioContext = window.kept));
  return said;
}

// Drags across the waveform of a region, from and to a moment in seconds.
async function drag(page, from, to) {
  const { left, top, width, height, view } = await page.evaluate(place);
  const x = (time) => left + ((time - view.from) / (view.to - view.from)) * width;
  const y = top + height / 2;
  await page.mouse.move(x(from), y);
  await page.mouse.down();
  await page.mouse.move((x(from) + x(to)) / 2, y);
  await page.mouse.move(x(to), y);
  await page.mouse.up();
}

function isRepaint(node) {
  return node.class_type === "AceStep15Repaint";
}

// What follows runs in the page.
function offer(button) {
  return { shown: button.checkVisibility(), off: button.getAttribute("aria-disabled"), title: button.title };
}

function measureSource() {
  const { graph } = window.app;
  const repaint = graph.nodes.find(({ comfyClass }) => comfyClass === "AceStep15Repaint");
  const node = window.LiteGraph.createNode("AceStep15Measure");
  graph.add(node);
  const output = node.outputs.findIndex(({ type }) => type === "ACE_BEATS");
  node.connect(output, repaint, repaint.inputs.findIndex(({ name }) => name === "beats"));
}

function sendBeats(beats) {
  const node = window.app.graph.nodes.find(({ comfyClass }) => comfyClass === "AceStep15Measure");
  node.onExecuted({ ace_step_beats: [JSON.stringify(beats)] });
}

function moments() {
  const node = window.app.graph.nodes.find((each) => each.comfyClass === "AceStep15Repaint");
  const value = (wanted) => node.widgets.find(({ name }) => name === wanted).value;
  return { start: value("start"), end: value("end"), at: [...node.pos] };
}

async function place() {
  const { viewOf } = await import("/extensions/acestep15/waveform/range_widgets.js");
  const node = window.app.graph.nodes.find((each) => each.comfyClass === "AceStep15Repaint");
  const area = document.querySelector(".acestep15-region canvas").getBoundingClientRect();
  const { left, top, width, height } = area;
  return { left, top, width, height, view: viewOf(node, 2) }; // the recording is two seconds long
}

function clockOf(area) {
  return document.querySelector(`${area} span`).textContent;
}

// How loud a take of -20 LUFS, one of -14 and a silent one are played.
async function loudnesses() {
  const { volumes } = await import("/extensions/acestep15/waveform/takes.js");
  return volumes([{ loudness: -20 }, { loudness: -14 }, { loudness: null }]);
}

// Ten minutes: from samples to peaks once, then drawn as often as anything changes.
async function drawLong() {
  const { draw } = await import("/extensions/acestep15/waveform/draw.js");
  const { evenRuler } = await import("/extensions/acestep15/waveform/grid.js");
  const { peaksOf } = await import("/extensions/acestep15/waveform/peaks.js");
  const samples = Float32Array.from({ length: 600 * 8000 }, (_, n) => Math.sin(n / 50) / 2);
  const peaks = peaksOf([samples], 1000);
  const canvas = document.createElement("canvas");
  canvas.style.cssText = "width:1200px;height:80px;position:fixed";
  document.body.append(canvas);
  const view = { from: 0, to: 600 };
  const scene = { peaks, seconds: 600, view, range: { start: 60, end: 90 }, grid: { beat: evenRuler(0.5), bar: evenRuler(2) } };
  const times = Array.from({ length: 5 }, () => {
    const begun = performance.now();
    draw(canvas, scene);
    canvas.getContext("2d").getImageData(0, 0, 1, 1); // waits until it is drawn
    return performance.now() - begun;
  });
  canvas.remove();
  return { took: Math.min(...times), peak: Math.max(...peaks), count: peaks.length };
}

async function library() {
  const found = await (await fetch("/global_subgraphs")).json();
  return Object.values(found).map(({ name, info }) => `${info.node_pack}: ${name}`);
}
