// Sections and sung lines below a take, and below a recording that has an LRC file beside it: clicked, chosen with Shift and
// by keys, repainted. Finds {none, drawn, clicked, more, zoomed, put, undone, section, missing, added, beside, marked, unmarked}; each what
// `look` gives

import { PLAYING, command, drawn, job, load } from "../../tools/browser/page.mjs";

const TAKES = ".acestep15-takes";
const LANES = `${TAKES} canvas ~ canvas`;
const REGION = ".acestep15-region";
const REPAINT = `${TAKES} [data-ace-step=repaintLines]`;
const NAME = "repaint_section";
const LRC = "[00:00.20]Rain is writing\n[00:00.80]on the glass\n[00:01.50]\n";
// of a recording of two seconds
const LINES = [
  { text: "[Verse]", start: 0, end: 0.2, sung: false },
  { text: "Paper boats along the stream", start: 0.2, end: 0.6, sung: true },
  { text: "Carry off a borrowed dream", start: 0.6, end: 1.0, sung: true },
  { text: "[Chorus]", start: 1.0, end: 1.2, sung: false },
  { text: "Sing it slow and sing it clear", start: 1.2, end: 1.8, sung: true },
];

export async function visit(page) {
  const { page: workflow } = structuredClone(job.workflows.find(({ name }) => name === NAME));
  const found = {};
  await load(page, NAME, workflow);
  found.none = await page.evaluate(look);
  await give(page);
  found.drawn = await page.evaluate(look);
  await click(page, 1, 0.8);
  await page.waitForFunction(() => window.hasPlayed(window.ofTake()), null, { timeout: PLAYING });
  found.clicked = await page.evaluate(look);
  await click(page, 1, 0.3, ["Shift"]);
  found.more = await page.evaluate(look);
  await picture(page, "chosen");
  found.zoomed = await zoom(page);
  await page.locator(LANES).focus();
  for (const key of ["ArrowRight", "Shift+ArrowRight", "Enter"]) await page.keyboard.press(key);
  await page.waitForFunction((region) => document.querySelectorAll(`${region} canvas`).length === 2, REGION);
  found.put = await page.evaluate(look);
  await drawn(page);
  await picture(page, "put");
  await command(page, "Comfy.Undo");
  await drawn(page);
  await give(page);
  found.undone = await page.evaluate(look);
  await click(page, 0, 1.5);
  await page.locator(REPAINT).click();
  found.section = await page.evaluate(look);
  found.missing = await without(page, workflow, "AceStep15Repaint");
  found.added = await without(page, workflow, "AceStep15LoadRecording");
  await markLine(page, workflow, found);
  return found;
}

// Of a recording that no take of the workflow is.
async function markLine(page, workflow, found) {
  await page.route(/filename=\w+\.lrc/, (route) => route.fulfill({ body: LRC }));
  const chosen = structuredClone(workflow);
  chosen.nodes.find(({ type }) => type === "AceStep15LoadRecording").widgets_values[0] = job.recording;
  await load(page, NAME, chosen);
  const lanes = `${REGION} canvas ~ canvas`;
  await page.waitForFunction((lanes) => document.querySelector(lanes)?.clientWidth, lanes);
  await drawn(page);
  found.beside = await page.evaluate(look);
  await page.locator(lanes).focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press(" ");
  await page.waitForFunction(() => window.hasPlayed(window.ofRegion()), null, { timeout: PLAYING });
  found.heard = await page.evaluate(() => [window.ofRegion().player.until, window.ofRegion().player.now]);
  await page.locator(`${REGION} [data-ace-step=repaintLines]`).click();
  found.marked = await page.evaluate(look);
  await picture(page, "marked");
  await command(page, "Comfy.Undo");
  await drawn(page);
  found.unmarked = await page.evaluate(look);
  await page.unroute(/filename=\w+\.lrc/);
}

// As a run would: the page keeps it among the takes of the node.
async function give(page) {
  await page.evaluate(giveTake, { lines: LINES, filename: job.recording });
  await page.waitForFunction((lanes) => window.ofTake().take && document.querySelector(lanes)?.clientWidth, LANES);
  await drawn(page);
}

async function click(page, lane, time, keys = []) {
  const { left, top, width, height, view } = await page.evaluate(area, LANES);
  const x = left + ((time - view.from) / (view.to - view.from)) * width;
  for (const key of keys) await page.keyboard.down(key);
  await page.mouse.click(x, top + (height * (lane + 0.5)) / 2);
  for (const key of keys) await page.keyboard.up(key);
}

async function zoom(page) {
  await page.locator(LANES).focus();
  await page.keyboard.press("+");
  const closer = await page.evaluate(() => window.ofTake().zoom.view);
  await page.keyboard.press("0");
  return closer;
}

async function without(page, { nodes, links, ...workflow }, kind) {
  const { id } = nodes.find(({ type }) => type === kind);
  const cut = links.filter(([, from, , to]) => from === id || to === id).map(([number]) => number);
  const left = structuredClone(nodes.filter((node) => node.id !== id));
  for (const { inputs, outputs } of left) {
    for (const input of inputs ?? []) if (cut.includes(input.link)) input.link = null;
    for (const output of outputs ?? []) output.links = output.links?.filter((number) => !cut.includes(number));
  }
  await load(page, NAME, { ...workflow, nodes: left, links: links.filter(([number]) => !cut.includes(number)), extra: {} });
  await give(page);
  await page.locator(REPAINT).click({ force: true }); // nothing is chosen: Playwright would wait
  const unchosen = await page.evaluate(look);
  await click(page, 1, 0.8);
  await page.locator(REPAINT).click();
  return { unchosen, ...(await page.evaluate(look)) };
}

async function picture(page, name) {
  if (job.pictures) await page.screenshot({ path: `${job.pictures}/lanes.${name}.${job.renderer}.png` });
}

// What follows runs in the page.
function giveTake({ lines, filename }) {
  window.ofTake = () => window.app.graph.nodes.flatMap(({ widgets }) => widgets ?? []).find(({ takes }) => takes).takes;
  window.hasPlayed = ({ player: { playing, now, until } }) => !playing && now >= until; // to the end of its part
  const node = window.app.graph.nodes.find(({ comfyClass }) => comfyClass === "AceStep15SaveAudio");
  const peaks = Array.from({ length: 1000 }, (_, n) => 60 + (n % 180));
  const take = { filename, subfolder: "", type: "input", seconds: 2, peaks, loudness: -20, lines };
  node.onExecuted({ ace_step_waveforms: [JSON.stringify(take)] });
}

function area(lanes) {
  const { left, top, width, height } = document.querySelector(lanes).getBoundingClientRect();
  return { left, top, width, height, view: window.ofTake().view };
}

function look() {
  const { nodes } = window.app.graph;
  const value = (kind, wanted) =>
    nodes.find(({ comfyClass }) => comfyClass === kind)?.widgets.find(({ name }) => name === wanted).value;
  const node = nodes.find(({ comfyClass }) => comfyClass === "AceStep15SaveAudio");
  const { takes } = node.widgets.find((widget) => widget.takes);
  const [canvas, lanes] = document.querySelectorAll(".acestep15-takes canvas");
  const button = document.querySelector(".acestep15-takes [data-ace-step=repaintLines]");
  const repaint = nodes.find(({ comfyClass }) => comfyClass === "AceStep15Repaint");
  window.ofRegion = () => repaint.widgets.find(({ region }) => region).region;
  const root = document.querySelector(".acestep15-takes");
  const inside = (outer, inner) => outer.bottom >= inner.bottom - 1 && outer.right >= inner.right - 1;
  const frame = (document.querySelector(`[data-node-id="${node.id}"]`) ?? root).getBoundingClientRect();
  return {
    chosen: takes.lanes.chosen,
    played: [takes.player.until, takes.player.now],
    said: takes.lanes.row.text.textContent,
    spoken: lanes?.getAttribute("aria-label") ?? null,
    off: button?.getAttribute("aria-disabled") ?? null,
    below: lanes ? [canvas, lanes].map((each) => each.getBoundingClientRect()).map(({ left, width }) => [left, width]) : null,
    fits: inside(frame, root.getBoundingClientRect()),
    height: node.size[1],
    source: value("AceStep15LoadRecording", "audio"),
    marks: repaint ? window.ofRegion().lanes.lanes : null,
    answer: repaint ? window.ofRegion().lanes.row.text.textContent : null,
    region: ["start", "end"].map((name) => value("AceStep15Repaint", name)),
  };
}
